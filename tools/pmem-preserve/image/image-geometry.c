// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the parts of an image lie: it all follows from the sizes of inodes, tables and data. */
#include "image/image-internal.h"

#include <string.h>

#define FAN_OUT (IMAGE_BLOCK / sizeof(struct image_digest))

_Static_assert(FAN_OUT *IMAGE_BLOCK == IMAGE_SEGMENT, "a block of leaves covers a segment");
_Static_assert(IMAGE_SPAN + IMAGE_DATA_MINIMUM >= IMAGE_INDEX_COPY + IMAGE_APART + IMAGE_BLOCK,
	       "the copies of the index are apart");

uint64_t image_leaves(const struct image_header *header)
{
	return (header->index_offset - header->data_offset + header->inodes_bytes +
		header->tables_bytes) /
	       IMAGE_BLOCK;
}

unsigned int image_levels(uint64_t leaves, struct image_level levels[IMAGE_LEVELS_MAX],
			  uint64_t *ret_bytes)
{
	uint64_t offset = 0, digests = leaves;
	unsigned int count = 0;

	do {
		struct image_level *level = &levels[count++];

		level->offset = offset;
		level->blocks = (digests + FAN_OUT - 1) / FAN_OUT;
		offset += level->blocks * IMAGE_BLOCK;
		digests = level->blocks;
	} while (digests > 1 && count < IMAGE_LEVELS_MAX);
	*ret_bytes = offset;
	return count;
}

void image_set_geometry(struct image_header *header, uint64_t data_bytes)
{
	struct image_level levels[IMAGE_LEVELS_MAX];
	uint64_t index = header->inodes_bytes + header->tables_bytes;

	image_levels((data_bytes + index) / IMAGE_BLOCK, levels, &header->digests_bytes);
	header->index_copy_offset = IMAGE_INDEX_COPY;
	header->index_bytes = index + header->digests_bytes;
	header->data_offset = align_up(IMAGE_INDEX_COPY + header->index_bytes, IMAGE_SPAN);
	header->index_offset = header->data_offset + data_bytes;
	header->image_bytes = header->index_offset + header->index_bytes;
}

bool image_geometry_is_valid(const struct image_header *header)
{
	struct image_header expected = *header;
	uint64_t data_bytes = header->index_offset - header->data_offset;

	if (header->image_bytes >= IMAGE_BYTES_MAX || header->index_offset > header->image_bytes ||
	    header->data_offset > header->index_offset ||
	    header->inodes_bytes > header->image_bytes ||
	    header->tables_bytes > header->image_bytes)
		return false;
	if (data_bytes < IMAGE_DATA_MINIMUM || data_bytes % IMAGE_BLOCK ||
	    header->inodes_bytes == 0 || header->inodes_bytes % IMAGE_BLOCK ||
	    header->tables_bytes == 0 || header->tables_bytes % IMAGE_BLOCK ||
	    header->table_count == 0 ||
	    header->table_count > header->tables_bytes / sizeof(struct image_table_record))
		return false;
	image_set_geometry(&expected, data_bytes);
	return expected.index_copy_offset == header->index_copy_offset &&
	       expected.digests_bytes == header->digests_bytes &&
	       expected.index_bytes == header->index_bytes &&
	       expected.data_offset == header->data_offset &&
	       expected.index_offset == header->index_offset &&
	       expected.image_bytes == header->image_bytes;
}

struct erofs_super image_super(const struct image_header *header, uint64_t inodes, bool chunks)
{
	struct erofs_super super = {
		.magic = EROFS_MAGIC,
		.feature_compat = EROFS_COMPAT_MTIME,
		.block_bits = EROFS_BLOCK_BITS,
		.root_nid = sizeof(struct erofs_inode) >> EROFS_NID_SHIFT,
		.inodes = inodes,
		.build_time = header->created_ns / 1000000000,
		.build_time_nsec = (uint32_t)(header->created_ns % 1000000000),
		.blocks = (uint32_t)(header->image_bytes / EROFS_BLOCK),
		.meta_block = (uint32_t)(header->index_offset / EROFS_BLOCK),
		.volume_name = "pmem-preserve",
		.feature_incompat = chunks ? EROFS_INCOMPAT_CHUNKED : 0,
	};

	memcpy(super.uuid, header->uuid, sizeof(super.uuid));
	return super;
}
