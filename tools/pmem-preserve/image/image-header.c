// SPDX-License-Identifier: GPL-2.0-or-later
/* The header of an image: digests, checks, and the phase, which commits it. */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/text.h"
#include "image/image-internal.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

_Static_assert(offsetof(struct image_header, phase) % 8 == 0, "the phase is one atomic store");
_Static_assert(sizeof(IMAGE_MAGIC) == 17 && sizeof(IMAGE_COPY_MAGIC) == 17, "16 bytes and a NUL");

static bool is_zero(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* The digests do not cover what changes after the header was sealed. */
static struct image_header unchanging(const struct image_header *header)
{
	struct image_header copy = *header;

	copy.phase = 0;
	memset(&copy.timeline, 0, sizeof(copy.timeline));
	memset(&copy.header_digest, 0, sizeof(copy.header_digest));
	return copy;
}

static struct image_digest header_digest(const struct image_header *header)
{
	struct image_header copy = unchanging(header);

	return image_digest_of(&copy, sizeof(copy));
}

static int header_mac(const struct image_header *header, const struct image_seal *seal,
		      struct image_digest *ret_mac)
{
	struct image_header copy = unchanging(header);

	memset(&copy.header_mac, 0, sizeof(copy.header_mac));
	return image_seal_header(seal, &copy, ret_mac);
}

static void seal_timeline(struct image_header *header)
{
	header->timeline.digest = image_digest_of(header->timeline.at, sizeof(header->timeline.at));
}

int image_header_seal(struct image_header *header, const struct image_seal *seal)
{
	int r = 0;

	memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
	header->version = IMAGE_VERSION;
	header->header_bytes = IMAGE_HEADER_BYTES;
	seal_timeline(header);
	memset(&header->header_mac, 0, sizeof(header->header_mac));
	if (seal)
		r = header_mac(header, seal, &header->header_mac);
	header->header_digest = header_digest(header);
	return r;
}

/* 0; -E_REFUSED: there is no key; -E_DAMAGED; or -ENOMEM. Not reported. */
static int authenticate(const struct image_header *header, const struct key *key)
{
	struct image_seal *seal;
	struct image_digest mac;
	int r;

	if (!key)
		return header->seal == IMAGE_SEAL_PLAIN ? 0 : -E_REFUSED;
	if (header->seal != IMAGE_SEAL_KEYED)
		return -E_DAMAGED;
	r = image_seal_new(key, header->uuid, &seal);
	if (r == 0)
		r = header_mac(header, seal, &mac);
	image_seal_free(seal);
	if (r < 0)
		return r;
	return image_digest_same(&mac, &header->header_mac) ? 0 : -E_DAMAGED;
}

int image_authenticate(const struct image_header *header, const struct key *key, const char *name)
{
	int r = authenticate(header, key);

	if (r == -E_REFUSED)
		return report_error(r,
				    "%s: the checkpoint is sealed with a key: set \"key-file =\" in the configuration, or use --key-file",
				    name);
	if (r == -E_DAMAGED && header->seal == IMAGE_SEAL_PLAIN)
		return report_error(r,
				    "%s: the checkpoint is not authentic: it is not sealed with a key; if you trust its origin, \"--key-file=\" accepts it",
				    name);
	if (r == -E_DAMAGED)
		return report_error(r,
				    "%s: the checkpoint is not authentic: it was sealed with another key, or modified without the key",
				    name);
	if (r < 0)
		return report_error(r, "%s: cannot derive its keys", name);
	return 0;
}

bool image_is_credible(const struct image_header *header, const struct key *key)
{
	return !key || authenticate(header, key) == 0;
}

const char *image_phase_name(uint64_t phase)
{
	switch (phase) {
	case IMAGE_PHASE_WRITING:
		return "writing";
	case IMAGE_PHASE_COMMITTED:
		return "committed";
	case IMAGE_PHASE_RESTORED:
		return "restored";
	default:
		return "unknown";
	}
}

/* Reads the block at @from. A truncated file may still have its header. */
static int read_block(struct store *store, uint64_t from, uint8_t *block)
{
	size_t length = 0;

	if (store->capacity > from)
		length = store->capacity - from < IMAGE_FIRST_BLOCK ? store->capacity - from
								    : IMAGE_FIRST_BLOCK;
	memset(block + length, 0, IMAGE_FIRST_BLOCK - length);
	return length ? store_read(store, block, length, from) : 0;
}

static bool has_magic(const struct image_header *header)
{
	return memcmp(header->magic, IMAGE_MAGIC, sizeof(header->magic)) == 0;
}

/* Whether the digest matches once the magic is right. */
static bool is_intact_but_magic(const struct image_header *header)
{
	struct image_header copy = *header;
	struct image_digest digest;

	memcpy(copy.magic, IMAGE_MAGIC, sizeof(copy.magic));
	digest = header_digest(&copy);
	return image_digest_same(&digest, &header->header_digest);
}

/* A header of which only the magic is damaged is still one: damage must not look like absence. */
static bool is_ours(const struct image_header *header)
{
	return has_magic(header) || is_intact_but_magic(header);
}

/* An image that was written to another device, and copied to or left over on this one. */
static bool is_of_another_store(const struct image_header *header, const struct store *store)
{
	return store->kind != STORE_FILE && header->store_bytes != store->capacity;
}

/* Whether a text of 64 bytes ends within them, and only zeroes follow. */
static bool is_padded(const uint8_t text[64])
{
	size_t length = strnlen((const char *)text, 64);

	return length < 64 && is_zero(text + length, 64 - length);
}

static int check_features(const struct image_header *header, const struct store *store)
{
	uint32_t unknown = header->feature_incompat & ~IMAGE_FEATURES_INCOMPAT;

	if (unknown)
		return report_error(-E_DAMAGED,
				    "%s: the checkpoint has incompatible features that this program does not know (bits %#x); restore it with the version that wrote it",
				    store->path, unknown);
	return 0;
}

/* Checks what does not depend on the phase. */
static int check(const struct image_header *header, const struct store *store)
{
	int r;

	if (header->version != IMAGE_VERSION)
		return report_error(-E_DAMAGED,
				    "%s: the checkpoint has image format %u; this program reads format %u; restore it with the version that wrote it",
				    store->path, header->version, IMAGE_VERSION);
	r = check_features(header, store);
	if (r < 0)
		return r;
	if (header->seal != IMAGE_SEAL_PLAIN && header->seal != IMAGE_SEAL_KEYED)
		return report_error(-E_DAMAGED,
				    "%s: the checkpoint has unsupported digests of type %u",
				    store->path, header->seal);
	if (!is_padded(header->hostname) || !is_padded(header->kernel))
		return report_error(-E_DAMAGED,
				    "%s: hostname or kernel release in the header of the checkpoint is not NUL-terminated",
				    store->path);
	if (header->header_bytes != IMAGE_HEADER_BYTES || header->generation == 0 ||
	    header->generation > IMAGE_GENERATION_MAX ||
	    (header->seal == IMAGE_SEAL_PLAIN &&
	     !is_zero(header->header_mac.bytes, sizeof(header->header_mac))) ||
	    !is_zero(header->reserved, sizeof(header->reserved)))
		return report_error(-E_DAMAGED, "%s: the header of the checkpoint is malformed",
				    store->path);
	return 0;
}

/* What is left of a file that was cut off can be read if it has the copy of the index. */
static int check_sizes(const struct image_header *header, const struct store *store)
{
	if (!image_geometry_is_valid(header) ||
	    (header->store_bytes && header->image_bytes > header->store_bytes))
		return report_error(-E_DAMAGED,
				    "%s: the sizes in the header of the checkpoint are inconsistent",
				    store->path);
	if (header->image_bytes > store->capacity &&
	    (store->kind != STORE_FILE || store->map ||
	     header->index_copy_offset + header->index_bytes > store->capacity))
		return report_error(-E_DAMAGED, "%s: has %s, but the checkpoint takes %s",
				    store->path, size_exact(store->capacity).text,
				    size_exact(header->image_bytes).text);
	return 0;
}

/*
 * The copy of a header, as it was just before the commit. That of an image that was only begun has
 * no root digest yet, and does not count: nothing was lost.
 */
static int find_copy(struct store *store, struct image_header *ret_header)
{
	static const struct image_digest none;
	_cleanup_free_ uint8_t *block = store_buffer(IMAGE_FIRST_BLOCK);
	const struct image_header *header = (struct image_header *)block;

	if (!block)
		return report_error(-ENOMEM, "%s: cannot read the header", store->path);
	if (read_block(store, IMAGE_COPY_OFFSET, block) < 0 ||
	    memcmp(header->magic, IMAGE_COPY_MAGIC, sizeof(header->magic)) ||
	    !is_intact_but_magic(header) || is_of_another_store(header, store) ||
	    image_digest_same(&header->root_digest, &none))
		return -E_NO_CHECKPOINT;
	*ret_header = *header;
	return 0;
}

int image_read_copy(struct store *store, struct image_header *ret_header)
{
	struct image_header header;
	int r = find_copy(store, &header);

	if (r < 0)
		return r;
	r = check(&header, store);
	if (r < 0)
		return r;
	r = check_sizes(&header, store);
	if (r < 0)
		return r;
	memcpy(header.magic, IMAGE_MAGIC, sizeof(header.magic));
	memset(&header.timeline, 0, sizeof(header.timeline));
	header.phase = 0;
	*ret_header = header;
	return 0;
}

int image_read_header(struct store *store, struct image_header *ret_header)
{
	_cleanup_free_ uint8_t *block = store_buffer(IMAGE_FIRST_BLOCK);
	struct image_header *header = (struct image_header *)block, copy;
	struct image_digest digest;
	int r;

	if (!block)
		return report_error(-ENOMEM, "%s: cannot read the header", store->path);
	r = read_block(store, 0, block);
	if (r == -E_DAMAGED)
		return report_error(r,
				    "%s: cannot read the header of the checkpoint, if there is one",
				    store->path);
	if (r < 0)
		return r;
	if (!is_ours(header)) {
		r = find_copy(store, &copy);
		if (r < 0)
			return r;
		return report_error(-E_DAMAGED, "%s: the header of the checkpoint is lost",
				    store->path);
	}
	if (!has_magic(header) || !is_intact_but_magic(header))
		return report_error(-E_DAMAGED, "%s: the header of the checkpoint is damaged",
				    store->path);
	r = check(header, store);
	if (r < 0)
		return r;
	if (is_of_another_store(header, store)) {
		detail("%s: there is an image, but it was written to another device", store->path);
		return -E_NO_CHECKPOINT;
	}
	if (header->phase != IMAGE_PHASE_WRITING && header->phase != IMAGE_PHASE_COMMITTED &&
	    header->phase != IMAGE_PHASE_RESTORED)
		return report_error(-E_DAMAGED, "%s: the phase of the checkpoint is damaged",
				    store->path);
	if (header->phase != IMAGE_PHASE_WRITING)
		r = check_sizes(header, store);
	if (r < 0)
		return r;
	digest = image_digest_of(header->timeline.at, sizeof(header->timeline.at));
	if (!image_digest_same(&digest, &header->timeline.digest))
		memset(&header->timeline, 0, sizeof(header->timeline));
	*ret_header = *header;
	return 0;
}

bool image_is_ours(struct store *store)
{
	_cleanup_free_ uint8_t *block = store_buffer(IMAGE_FIRST_BLOCK);
	struct image_header copy;

	return block &&
	       ((read_block(store, 0, block) == 0 && is_ours((const struct image_header *)block)) ||
		find_copy(store, &copy) == 0);
}

/* Writes and flushes; the fault points are reached after each of the two. */
static int write_and_flush(struct store *store, const void *data, size_t length, uint64_t offset,
			   enum fault_point written, enum fault_point flushed)
{
	int r = store_write(store, data, length, offset);

	if (r == 0 && written)
		r = fault(written);
	if (r == 0)
		r = store_flush(store);
	if (r == 0)
		r = fault(flushed);
	return r;
}

int image_write_header(const struct image *image, struct store *store, enum fault_point written,
		       enum fault_point flushed)
{
	struct block {
		struct image_header header;
		uint8_t super[sizeof(image->super)];
	};
	_cleanup_free_ struct block *block = store_buffer(sizeof(*block));
	int r;

	if (!block)
		return report_error(-ENOMEM, "%s: cannot write the header", store->path);
	block->header = image->header;
	memcpy(block->super, image->super, sizeof(image->super));
	r = store_write(store, block, sizeof(*block), 0);
	if (r < 0)
		return r;
	memcpy(block->header.magic, IMAGE_COPY_MAGIC, sizeof(block->header.magic));
	return write_and_flush(store, block, sizeof(*block), IMAGE_COPY_OFFSET, written, flushed);
}

int image_set_phase(struct store *store, uint64_t phase, const struct image_timeline *timeline)
{
	_cleanup_free_ uint8_t *block = store_buffer(IMAGE_FIRST_BLOCK);
	struct image_header *header = (struct image_header *)block;
	int r;

	if (!block)
		return report_error(-ENOMEM, "%s: cannot mark the checkpoint", store->path);
	r = store_read(store, block, IMAGE_FIRST_BLOCK, 0);
	if (r == -E_DAMAGED)
		return report_error(-EIO, "%s: cannot mark the checkpoint as %s", store->path,
				    image_phase_name(phase));
	if (r < 0)
		return r;
	header->phase = phase;
	if (timeline) {
		header->timeline = *timeline;
		seal_timeline(header);
	}
	return write_and_flush(store, block, IMAGE_FIRST_BLOCK, 0, FAULT_PHASE_WRITTEN,
			       FAULT_PHASE_FLUSHED);
}

/* The copy goes first, so that an interrupted erase does not look like a lost header. */
int image_erase(struct store *store)
{
	_cleanup_free_ uint8_t *zeroes = store_buffer(IMAGE_FIRST_BLOCK);
	int r;

	if (!zeroes)
		return report_error(-ENOMEM, "%s: cannot erase the checkpoint", store->path);
	memset(zeroes, 0, IMAGE_FIRST_BLOCK);
	r = fault(FAULT_ERASE_BEGIN);
	if (r < 0)
		return r;
	/* A file that was cut off must not grow. */
	if (store->capacity >= IMAGE_INDEX_COPY)
		r = write_and_flush(store, zeroes, IMAGE_FIRST_BLOCK, IMAGE_COPY_OFFSET, 0,
				    FAULT_ERASE_COPY);
	if (r < 0)
		return r;
	return write_and_flush(store, zeroes, IMAGE_FIRST_BLOCK, 0, FAULT_ERASE_WRITTEN,
			       FAULT_ERASE_FLUSHED);
}
