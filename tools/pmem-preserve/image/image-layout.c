// SPDX-License-Identifier: GPL-2.0-or-later
/* The layout of an image: file data, block by block in the order of the tree, then metadata. */
#include "base/cleanup.h"
#include "base/text.h"
#include "image/image-internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Files from this size on are aligned to huge pages of a mapped image, so that they are restored in
 * whole huge pages. That wastes at most 3 % of the image.
 */
#define LARGE_FILE (64u << 20)

_Static_assert(TREE_BLOCK % EROFS_BLOCK == 0, "a sparse file's ranges are whole blocks");
_Static_assert(NAME_MAX <= EROFS_NAME_MAX, "EROFS can hold every name");

void image_free(struct image *image)
{
	if (!image)
		return;
	tree_free(image->tree);
	free(image->extents);
	if (image->index)
		munmap(image->index, image->header.index_bytes);
	free(image->damage);
	image_seal_free(image->seal);
	free(image);
}

int image_add_extent(struct image *image, const struct extent *extent)
{
	if (image->extent_count == image->extent_capacity) {
		size_t capacity = image->extent_capacity ? 2 * image->extent_capacity : 256;
		struct extent *extents = reallocarray(image->extents, capacity, sizeof(*extents));

		if (!extents)
			return -ENOMEM;
		image->extents = extents;
		image->extent_capacity = capacity;
	}
	image->extents[image->extent_count++] = *extent;
	return 0;
}

size_t image_find_extent(const struct image *image, uint64_t place)
{
	size_t low = 0, high = image->extent_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->extents[middle].place + image->extents[middle].length <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The number of chunks with data, if a chunk has 1 << @shift bytes. */
static uint64_t mapped_chunks(const struct tree *tree, const struct entry *entry,
			      unsigned int shift)
{
	uint64_t count = 0, next = 0;

	for (uint32_t i = 0; i < entry->count; i++) {
		const struct range *range = &tree->ranges[entry->first + i];
		uint64_t first = range->offset >> shift;
		uint64_t last = (range->offset + range->length - 1) >> shift;

		if (first < next)
			first = next;
		if (last >= first)
			count += last - first + 1;
		next = last + 1;
	}
	return count;
}

/*
 * A sparse file takes 8 bytes per chunk, 4 in each copy of the index, even for holes, and whole
 * chunks for its data. Small chunks suit dense files, large ones those that are mostly holes. Returns the cheapest.
 */
static uint8_t choose_chunk_bits(const struct tree *tree, const struct entry *entry)
{
	uint64_t least = UINT64_MAX;
	uint8_t best = 0;

	for (uint8_t bits = 0; bits <= EROFS_CHUNK_BITS_MAX; bits++) {
		unsigned int shift = EROFS_BLOCK_BITS + bits;
		uint64_t chunks = (entry->size - 1) >> shift;
		uint64_t cost = 8 * (chunks + 1) + (mapped_chunks(tree, entry, shift) << shift);

		if (cost < least) {
			least = cost;
			best = bits;
		}
	}
	return best;
}

/* Adds one extent per run of chunks with data; the last chunk ends where the file ends. */
static int place_chunks(struct image *image, uint32_t index, uint64_t *place)
{
	struct entry *entry = &image->tree->entries[index];
	uint64_t next = 0;
	unsigned int shift;
	int r;

	entry->chunk_bits = choose_chunk_bits(image->tree, entry);
	shift = EROFS_BLOCK_BITS + entry->chunk_bits;
	for (uint32_t i = 0; i < entry->count; i++) {
		const struct range *range = &image->tree->ranges[entry->first + i];
		uint64_t start = (range->offset >> shift) << shift;
		uint64_t end =
			((range->offset + range->length - 1) >> shift << shift) + (1ull << shift);
		struct extent *last =
			image->extent_count ? &image->extents[image->extent_count - 1] : NULL;

		if (end > entry->size)
			end = entry->size;
		if (start < next)
			start = next;
		if (start >= end)
			continue;
		if (next && start == next) {
			last->length += end - start;
		} else {
			struct extent extent = { *place, start, end - start, index };

			r = image_add_extent(image, &extent);
			if (r < 0)
				return r;
		}
		*place += align_up(end - start, EROFS_BLOCK);
		next = end;
	}
	return 0;
}

/* Places all file data, from 0 on, and returns where it ends. */
static int place_data(struct image *image, uint64_t *ret_end)
{
	const struct tree *tree = image->tree;
	uint64_t place = 0;
	int r = 0;

	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		const struct entry *entry = &tree->entries[i];
		struct extent extent = { place, 0, entry->size, i };

		if (!S_ISREG(entry->mode) || entry->inode_entry != i || entry->size == 0)
			continue;
		if (entry->flags & ENTRY_SPARSE) {
			r = place_chunks(image, i, &place);
			continue;
		}
		if (entry->size >= LARGE_FILE)
			place = extent.place = align_up(place, IMAGE_SPAN);
		r = image_add_extent(image, &extent);
		place += align_up(entry->size, EROFS_BLOCK);
	}
	*ret_end = place;
	return r;
}

int image_layout(struct tree *tree, struct image **ret_image)
{
	_cleanup_image_ struct image *image = calloc(1, sizeof(*image));
	struct image_header *header;
	uint64_t data_bytes, blocks;
	int r;

	if (!image) {
		tree_free(tree);
		return report_error(-ENOMEM, "cannot lay out the image");
	}
	image->tree = tree;
	header = &image->header;
	header->files = tree->count;
	header->file_bytes = tree->file_bytes;
	r = place_data(image, &data_bytes);
	if (r < 0)
		return report_error(r, "cannot lay out the image");
	if (data_bytes < IMAGE_DATA_MINIMUM)
		data_bytes = IMAGE_DATA_MINIMUM;
	image_place_tables(image, image_measure_metadata(image, &blocks));
	image_set_geometry(header, data_bytes);
	if (header->image_bytes >= IMAGE_BYTES_MAX)
		return report_error(-E_NO_FIT,
				    "the state takes %s; an image can have at most 16 TiB",
				    size_exact(header->image_bytes).text);
	for (size_t i = 0; i < image->extent_count; i++)
		image->extents[i].place += header->data_offset;
	r = image_index_allocate(image);
	if (r < 0)
		return report_error(r, "cannot lay out the image");
	image_emit_metadata(image, blocks);
	image_emit_tables(image);
	*ret_image = take_pointer(image);
	return 0;
}
