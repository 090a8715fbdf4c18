// SPDX-License-Identifier: GPL-2.0-or-later
#include "seal.h"

#include "image/image-format.h"

#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

#define FAN_OUT 256u

static void digest(const void *data, size_t length, struct image_digest *ret_digest)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, length));
	memcpy(ret_digest->bytes, canonical.digest, sizeof(ret_digest->bytes));
}

/* An area of the image, as far as it is there. */
static uint64_t fit(uint64_t start, uint64_t length, size_t size)
{
	if (start > size)
		return 0;
	return length < size - start ? length : size - start;
}

/* The digests of @count blocks from @from on are stored from @to on. */
static void seal_blocks(uint8_t *image, size_t size, uint64_t from, uint64_t count, uint64_t to)
{
	count = fit(from, count * IMAGE_BLOCK, size) / IMAGE_BLOCK;
	for (uint64_t i = 0; i < count; i++) {
		struct image_digest sum;

		if (fit(to, sizeof(sum), size) < sizeof(sum))
			return;
		digest(image + from + i * IMAGE_BLOCK, IMAGE_BLOCK, &sum);
		memcpy(image + to, &sum, sizeof(sum));
		to += sizeof(sum);
	}
}

static void seal_tree(struct image_header *header, uint8_t *image, size_t size, bool leaves)
{
	uint64_t tree = header->index_offset + header->inodes_bytes + header->tables_bytes;
	uint64_t count = (tree - header->data_offset) / IMAGE_BLOCK, level = tree;

	if (header->index_offset > size || header->inodes_bytes > size ||
	    header->tables_bytes > size || tree > size || header->data_offset > tree)
		return;
	if (leaves)
		seal_blocks(image, size, header->data_offset, count, tree);
	for (;;) {
		uint64_t blocks = (count + FAN_OUT - 1) / FAN_OUT;

		if (blocks <= 1)
			break;
		seal_blocks(image, size, level, blocks, level + blocks * IMAGE_BLOCK);
		level += blocks * IMAGE_BLOCK;
		count = blocks;
	}
	if (fit(level, IMAGE_BLOCK, size) == IMAGE_BLOCK)
		digest(image + level, IMAGE_BLOCK, &header->root_digest);
	if (fit(header->index_offset, header->index_bytes, size) == header->index_bytes &&
	    fit(IMAGE_INDEX_COPY, header->index_bytes, size) == header->index_bytes)
		memmove(image + IMAGE_INDEX_COPY, image + header->index_offset,
			header->index_bytes);
}

void seal_image(uint8_t *image, size_t size, enum seal_level level)
{
	struct image_header header, zeroed;

	if (size < sizeof(header) || level == SEAL_NONE)
		return;
	memcpy(&header, image, sizeof(header));
	if (level != SEAL_HEADER)
		seal_tree(&header, image, size, level == SEAL_ALL);
	if (level == SEAL_ALL && size >= IMAGE_FIRST_BLOCK)
		digest(image + IMAGE_HEADER_BYTES, IMAGE_FIRST_BLOCK - IMAGE_HEADER_BYTES,
		       &header.super_digest);
	digest(header.timeline.at, sizeof(header.timeline.at), &header.timeline.digest);
	zeroed = header;
	zeroed.phase = 0;
	memset(&zeroed.timeline, 0, sizeof(zeroed.timeline));
	memset(&zeroed.header_digest, 0, sizeof(zeroed.header_digest));
	digest(&zeroed, sizeof(zeroed), &header.header_digest);
	memcpy(image, &header, sizeof(header));
	if (size < IMAGE_INDEX_COPY)
		return;
	memcpy(image + IMAGE_COPY_OFFSET, image, IMAGE_FIRST_BLOCK);
	memcpy(image + IMAGE_COPY_OFFSET, IMAGE_COPY_MAGIC, sizeof(header.magic));
}
