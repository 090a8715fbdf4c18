// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a piece of an image, and finding out which of its blocks are damaged. */
#include "image/image-internal.h"
#include "store/sigbus.h"

#include <string.h>

/* Half of a small second-level cache. */
#define PIECE_BLOCKS (256u * 1024 / IMAGE_BLOCK)

bool image_any_bad(const struct image_bad *bad, uint64_t from, uint64_t to)
{
	if (!bad->any)
		return false;
	for (uint64_t block = from / IMAGE_BLOCK; block * IMAGE_BLOCK < to; block++)
		if (image_is_bad(bad, block))
			return true;
	return false;
}

/* Something in there cannot be read: each block for itself. */
static int view_blocks(const struct image *image, uint8_t *buffer, uint64_t start, uint64_t end,
		       struct image_bad *bad)
{
	for (uint64_t at = start; at < end; at += IMAGE_BLOCK) {
		uint8_t *block = buffer + (at - start);
		int r = store_read(image->store, block, IMAGE_BLOCK, at);

		if (r == -E_DAMAGED) {
			memset(block, 0, IMAGE_BLOCK);
			image_set_bad(bad, (at - start) / IMAGE_BLOCK);
		} else if (r < 0) {
			return r;
		}
	}
	return 0;
}

int image_view(const struct image *image, uint8_t *buffer, uint64_t start, uint64_t end,
	       const uint8_t **ret_bytes, struct image_bad *ret_bad)
{
	int r = store_view(image->store, buffer, end - start, start, ret_bytes);

	*ret_bad = (struct image_bad){ .any = false };
	if (r != -E_DAMAGED)
		return r;
	*ret_bytes = buffer;
	return view_blocks(image, buffer, start, end, ret_bad);
}

/* Of mapped memory that has failed, no byte counts, even if it looks right. */
static void check_memory(const struct image *image, uint64_t start, uint64_t count,
			 struct image_bad *bad)
{
	/* Prints a warning with the reason. */
	if (store_check(image->store, count * IMAGE_BLOCK, start) == 0)
		return;
	for (uint64_t i = 0; i < count; i++)
		if (sigbus_hit(image->store->watch, start + i * IMAGE_BLOCK, IMAGE_BLOCK))
			image_set_bad(bad, i);
}

/* Reads and checks what stays in the cache in between. @block: the first one's number in @bad. */
static int view_piece(const struct image *image, uint8_t *buffer, uint64_t start, uint64_t count,
		      uint64_t block, const uint8_t **ret_bytes, struct image_bad *bad)
{
	struct image_digest digests[PIECE_BLOCKS];
	const struct image_digest *leaves = image_leaf(image, start);
	struct image_bad unreadable;
	int r = image_view(image, buffer, start, start + count * IMAGE_BLOCK, ret_bytes,
			   &unreadable);

	if (r < 0)
		return r;
	r = image_seal_blocks(image->seal, start / IMAGE_BLOCK, *ret_bytes, count, digests);
	if (r < 0)
		return report_error(r, "%s: cannot compute its digests", image->store->path);
	if (!unreadable.any && tags_are_same(digests, leaves, count))
		return 0;
	for (uint64_t i = 0; i < count; i++)
		if (image_is_bad(&unreadable, i) || !image_digest_same(&digests[i], &leaves[i]))
			image_set_bad(bad, block + i);
	return 0;
}

int image_view_data(const struct image *image, uint8_t *buffer, uint64_t start, uint64_t end,
		    const uint8_t **ret_bytes, struct image_bad *ret_bad)
{
	uint64_t count = (end - start) / IMAGE_BLOCK;
	int r = 0;

	*ret_bad = (struct image_bad){ .any = false };
	for (uint64_t done = 0, some; done < count && r == 0; done += some) {
		const uint8_t *bytes;

		some = count - done < PIECE_BLOCKS ? count - done : PIECE_BLOCKS;
		r = view_piece(image, buffer + done * IMAGE_BLOCK, start + done * IMAGE_BLOCK, some,
			       done, &bytes, ret_bad);
		if (done == 0)
			*ret_bytes = bytes;
	}
	if (r == 0 && ret_bad->any)
		check_memory(image, start, count, ret_bad);
	return r;
}
