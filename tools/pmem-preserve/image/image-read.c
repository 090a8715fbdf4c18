// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening an image: reading and checking header, superblock and index. */
#include "base/cleanup.h"
#include "base/text.h"
#include "image/image-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What it must be is known from header and index: image_parse() compares it. */
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
	int r = read_super(image, image->header_lost ? IMAGE_COPY_OFFSET : 0);

	if (r == -E_DAMAGED && (flags & IMAGE_ALLOW_LOST_HEADER)) {
		r = read_super(image, image->header_lost ? 0 : IMAGE_COPY_OFFSET);
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

/* What the phase, the size and the features of an authentic image have to say. */
static int check_use(const struct image *image, unsigned int flags)
{
	const struct image_header *header = &image->header;
	const struct store *store = image->store;
	uint32_t unknown = header->feature_ro_compat & ~IMAGE_FEATURES_RO_COMPAT;

	if (unknown && (flags & IMAGE_FOR_UPDATE))
		return report_error(-E_REFUSED,
				    "%s: the checkpoint has features that this program does not know (bits %#x): it can be read but not marked as restored; use --keep",
				    store->path, unknown);
	if (header->image_bytes > store->capacity)
		warn("%s: has %s, but the checkpoint takes %s: its end is missing", store->path,
		     size_exact(store->capacity).text, size_exact(header->image_bytes).text);
	return 0;
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
	r = check_use(image, flags);
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
	r = image_index_read(image);
	if (r < 0)
		return r;
	r = image_parse(image);
	if (r < 0)
		return r;
	*ret_image = take_pointer(image);
	return 0;
}
