// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening an image: reading and checking header, digests and metadata. */
#include "base/cleanup.h"
#include "image/image-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int image_check_segment(const struct image *image, uint64_t number, const uint8_t *buffer)
{
	const struct segment segment = image_segment(&image->header, number);
	struct image_sealing sealing;
	struct image_digest digest;
	int r;

	image_seal_begin(image->seal, number, &sealing);
	image_seal_add(&sealing, buffer, segment.end - segment.start);
	r = image_seal_end(&sealing, &digest);
	if (r < 0)
		return report_error(r, "%s: cannot compute its digests", image->store->path);
	return image_digest_same(&digest, &image->digests[number]) ? 0 : -E_DAMAGED;
}

static int read_digests(struct image *image)
{
	const struct image_header *header = &image->header;
	size_t bytes = header->digests_count * sizeof(struct image_digest);
	struct image_digest root;
	int r;

	image->digests = store_buffer(header->image_bytes - header->digests_offset);
	if (!image->digests)
		return report_error(-ENOMEM, "%s: cannot read the digests", image->store->path);
	r = store_read(image->store, image->digests, header->image_bytes - header->digests_offset,
		       header->digests_offset);
	if (r == -E_DAMAGED)
		return report_error(r, "%s: cannot read the table of digests of the checkpoint",
				    image->store->path);
	if (r < 0)
		return r;
	r = image_seal_table(image->seal, image->digests, bytes, &root);
	if (r < 0)
		return report_error(r, "%s: cannot compute its digests", image->store->path);
	if (!image_digest_same(&root, &header->root_digest))
		return report_error(-E_DAMAGED,
				    "%s: the table of digests of the checkpoint is damaged",
				    image->store->path);
	return 0;
}

/* The metadata is read once, into our own memory, so that nobody can change it after the check. */
static int read_metadata(struct image *image)
{
	const struct image_header *header = &image->header;
	uint64_t bytes = header->digests_offset - header->meta_offset;
	int r;

	image->meta = store_buffer(bytes);
	if (!image->meta)
		return report_error(-ENOMEM, "%s: cannot read the metadata", image->store->path);
	for (uint64_t i = image_data_segments(header); i < header->digests_count; i++) {
		const struct segment segment = image_segment(header, i);
		uint8_t *at = image->meta + (segment.start - header->meta_offset);

		r = store_read(image->store, at, segment.end - segment.start, segment.start);
		if (r == -E_DAMAGED)
			return report_error(r,
					    "%s: cannot read the directories and inodes of the checkpoint",
					    image->store->path);
		if (r < 0)
			return r;
		r = image_check_segment(image, i, at);
		if (r == -E_DAMAGED)
			return report_error(r,
					    "%s: the directories and inodes of the checkpoint are damaged",
					    image->store->path);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Only checked: everything that it says is in the header as well. */
static int read_super(struct image *image, uint64_t block_offset)
{
	_cleanup_free_ uint8_t *block = store_buffer(IMAGE_FIRST_BLOCK);
	struct image_digest digest;
	int r;

	if (!block)
		return report_error(-ENOMEM, "%s: cannot read the superblock", image->store->path);
	r = store_read(image->store, block, IMAGE_FIRST_BLOCK, block_offset);
	if (r < 0)
		return r;
	memcpy(image->super, block + IMAGE_HEADER_BYTES, sizeof(image->super));
	r = image_seal_super(image->seal, image->super, sizeof(image->super), &digest);
	if (r < 0)
		return report_error(r, "%s: cannot compute its digests", image->store->path);
	return image_digest_same(&digest, &image->header.super_digest) ? 0 : -E_DAMAGED;
}

/* If the superblock is damaged, its copy is used, as far as @flags allow. */
static int find_super(struct image *image, unsigned int flags)
{
	int r = read_super(image, image->header_lost ? IMAGE_FIRST_BLOCK : 0);

	if (r == -E_DAMAGED && (flags & IMAGE_ALLOW_LOST_HEADER)) {
		r = read_super(image, image->header_lost ? 0 : IMAGE_FIRST_BLOCK);
		image->header_lost = true;
	}
	if (r == -E_DAMAGED)
		return report_error(r,
				    flags & IMAGE_ALLOW_LOST_HEADER
					    ? "%s: the superblock of the checkpoint and its copy are damaged"
					    : "%s: the superblock of the checkpoint is damaged; \"restore --salvage\" uses its copy",
				    image->store->path);
	return r;
}

int image_open(struct store *store, const struct key *key, unsigned int flags,
	       struct image **ret_image)
{
	_cleanup_image_ struct image *image = calloc(1, sizeof(*image));
	int r;

	if (!image)
		return report_error(-ENOMEM, "%s: cannot read", store->path);
	image->store = store;
	r = image_read_header(store, &image->header);
	if (r == -E_DAMAGED && image_read_copy(store, &image->header) == 0) {
		if (!(flags & IMAGE_ALLOW_LOST_HEADER)) {
			inform("There is a copy of the header; \"restore --salvage\" uses it");
			return r;
		}
		warn("%s: using the copy of the header", store->path);
		image->header_lost = true;
		r = 0;
	}
	if (r == -E_NO_CHECKPOINT)
		return report_error(r, "%s: holds no checkpoint", store->path);
	if (r < 0)
		return r;
	if (image->header.phase == IMAGE_PHASE_WRITING)
		return report_error(-E_NO_CHECKPOINT,
				    "%s: the checkpoint there was never finished and cannot be restored",
				    store->path);
	if (image->header.phase == IMAGE_PHASE_RESTORED && !(flags & IMAGE_ALLOW_RESTORED))
		return report_error(-E_NO_CHECKPOINT,
				    "%s: the checkpoint there has already been restored",
				    store->path);
	r = image_authenticate(&image->header, key, store->path);
	if (r < 0)
		return r;
	r = image_seal_new(key, image->header.uuid, &image->seal);
	if (r == 0)
		r = tree_new(&image->tree);
	if (r < 0)
		return report_error(r, "%s: cannot read", store->path);
	r = find_super(image, flags);
	if (r < 0)
		return r;
	r = read_digests(image);
	if (r < 0)
		return r;
	r = read_metadata(image);
	if (r < 0)
		return r;
	r = image_parse(image);
	if (r < 0)
		return r;
	*ret_image = take_pointer(image);
	return 0;
}
