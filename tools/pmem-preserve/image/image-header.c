// SPDX-License-Identifier: GPL-2.0-or-later
/* The header of an image: digests, checks, and the phase, which commits it. */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/text.h"
#include "image/image-internal.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

/* What EROFS can address. Sums of such numbers do not overflow. */
#define IMAGE_BYTES_MAX ((uint64_t)EROFS_NULL_BLOCK * EROFS_BLOCK)

_Static_assert(offsetof(struct image_header, phase) % 8 == 0, "the phase is one atomic store");
_Static_assert(IMAGE_DATA_OFFSET == 2 * IMAGE_FIRST_BLOCK, "header and copy come before the data");
_Static_assert(sizeof(IMAGE_MAGIC) == 17 && sizeof(IMAGE_COPY_MAGIC) == 17, "16 bytes and a NUL");

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

/* All sizes and offsets follow from a few of them; a header that we wrote is consistent. */
static bool is_consistent(const struct image_header *header)
{
	if (header->generation > IMAGE_GENERATION_MAX)
		return false;
	if (header->header_bytes != IMAGE_HEADER_BYTES || header->image_bytes > IMAGE_BYTES_MAX ||
	    header->meta_offset > header->image_bytes || header->meta_bytes > header->image_bytes ||
	    header->inodes_bytes > header->meta_bytes || header->extra_bytes > header->meta_bytes ||
	    header->paths_bytes > header->meta_bytes)
		return false;
	if (header->meta_offset < IMAGE_DATA_OFFSET || header->meta_offset % EROFS_BLOCK ||
	    header->inodes_bytes % EROFS_BLOCK || header->extra_bytes % 8)
		return false;
	if (header->extra_offset != header->meta_offset + header->inodes_bytes ||
	    header->paths_offset != header->extra_offset + header->extra_bytes ||
	    header->meta_bytes != header->inodes_bytes + header->extra_bytes + header->paths_bytes)
		return false;
	return header->digests_offset ==
		       header->meta_offset + align_up(header->meta_bytes, EROFS_BLOCK) &&
	       header->digests_count == image_segments(header) &&
	       header->image_bytes ==
		       header->digests_offset +
			       align_up(header->digests_count * sizeof(struct image_digest),
					EROFS_BLOCK);
}

/* Reads block 0 or 1. A truncated file may still have its header. */
static int read_block(struct store *store, unsigned int number, uint8_t *block)
{
	uint64_t from = (uint64_t)number * IMAGE_FIRST_BLOCK;
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

/* Checks what does not depend on the phase. */
static int check(const struct image_header *header, const struct store *store)
{
	if (header->version != IMAGE_VERSION)
		return report_error(-E_DAMAGED,
				    "%s: the checkpoint has format version %u, but only version %u is supported",
				    store->path, header->version, IMAGE_VERSION);
	if (header->seal != IMAGE_SEAL_PLAIN && header->seal != IMAGE_SEAL_KEYED)
		return report_error(-E_DAMAGED,
				    "%s: the checkpoint has unsupported digests of type %u",
				    store->path, header->seal);
	if (header->hostname[sizeof(header->hostname) - 1] ||
	    header->kernel[sizeof(header->kernel) - 1])
		return report_error(-E_DAMAGED,
				    "%s: hostname or kernel release in the header of the checkpoint is not NUL-terminated",
				    store->path);
	return 0;
}

static int check_sizes(const struct image_header *header, const struct store *store)
{
	if (!is_consistent(header))
		return report_error(-E_DAMAGED,
				    "%s: the sizes in the header of the checkpoint are inconsistent",
				    store->path);
	if (header->image_bytes > store->capacity)
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
	if (read_block(store, 1, block) < 0 ||
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
	_cleanup_free_ struct block *blocks = store_buffer(2 * sizeof(*blocks));

	if (!blocks)
		return report_error(-ENOMEM, "%s: cannot write the header", store->path);
	blocks[0].header = image->header;
	memcpy(blocks[0].super, image->super, sizeof(image->super));
	blocks[1] = blocks[0];
	memcpy(blocks[1].header.magic, IMAGE_COPY_MAGIC, sizeof(blocks[1].header.magic));
	return write_and_flush(store, blocks, 2 * sizeof(*blocks), 0, written, flushed);
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
	r = write_and_flush(store, zeroes, IMAGE_FIRST_BLOCK, IMAGE_FIRST_BLOCK, 0,
			    FAULT_ERASE_COPY);
	if (r < 0)
		return r;
	return write_and_flush(store, zeroes, IMAGE_FIRST_BLOCK, 0, FAULT_ERASE_WRITTEN,
			       FAULT_ERASE_FLUSHED);
}
