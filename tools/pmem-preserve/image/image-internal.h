/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the image engine, image-*.c, share. Callers use image.h. */
#ifndef PMEM_PRESERVE_IMAGE_INTERNAL_H
#define PMEM_PRESERVE_IMAGE_INTERNAL_H

#include "base/fault.h"
#include "image/erofs.h"
#include "image/image-seal.h"
#include "image/image.h"

/* A run of image bytes that is a run of a file's bytes. Sorted by place, and disjoint. */
struct extent {
	uint64_t place;	 /* in the image, a multiple of 4096 */
	uint64_t offset; /* in the file */
	uint64_t length; /* not padded */
	uint32_t entry;
};

/* Appends an extent; -ENOMEM, not reported. */
int image_add_extent(struct image *image, const struct extent *extent);

/* The first extent that ends beyond @place, or extent_count. */
size_t image_find_extent(const struct image *image, uint64_t place);

/* What EROFS can address. Sums of such numbers do not overflow. */
#define IMAGE_BYTES_MAX ((uint64_t)EROFS_NULL_BLOCK * EROFS_BLOCK)

/* image-geometry.c: all offsets and sizes, from those of inodes, tables and data (bytes). */
void image_set_geometry(struct image_header *header, uint64_t data_bytes);
bool image_geometry_is_valid(const struct image_header *header);

/* The number of leaves: leaf n is the digest of the block n blocks behind data_offset. */
uint64_t image_leaves(const struct image_header *header);

/* A level of the tree of digests, the leaves being the first; @offset: from the tree's start. */
#define IMAGE_LEVELS_MAX 4u
struct image_level {
	uint64_t offset;
	uint64_t blocks;
};
unsigned int image_levels(uint64_t leaves, struct image_level levels[IMAGE_LEVELS_MAX],
			  uint64_t *ret_bytes);

static inline uint8_t *image_tree(const struct image *image)
{
	return image->index + image->header.inodes_bytes + image->header.tables_bytes;
}

/* The leaf of the block at @place, in data or in inodes and tables. */
static inline struct image_digest *image_leaf(const struct image *image, uint64_t place)
{
	return (struct image_digest *)image_tree(image) +
	       (place - image->header.data_offset) / IMAGE_BLOCK;
}

/* image-index.c: memory for the index: zeroes that take no room until they are written. -ENOMEM. */
int image_index_allocate(struct image *image);

/* The digests of inodes, tables and the tree of digests itself, from the leaves of the data. -ENOMEM. */
int image_index_seal(struct image *image);

/* Reads and checks the index; a block that is bad is taken from the copy. Reported. */
int image_index_read(struct image *image);

/*
 * Compares @count blocks of one copy of the index, those from @offset in the index on, with their
 * digests. @bad: a set bit for each that differs. -ENOMEM, reported.
 */
struct image_bad;
int image_index_check(const struct image *image, uint64_t offset, const uint8_t *blocks,
		      size_t count, struct image_bad *bad);

/* Damaged blocks among as many as one thread reads at a time. */
#define IMAGE_VIEW_BLOCKS (IMAGE_SPAN / IMAGE_BLOCK)
struct image_bad {
	uint64_t bits[IMAGE_VIEW_BLOCKS / 64];
	bool any;
};
static inline bool image_is_bad(const struct image_bad *bad, uint64_t block)
{
	return bad->bits[block / 64] >> block % 64 & 1;
}
static inline void image_set_bad(struct image_bad *bad, uint64_t block)
{
	bad->bits[block / 64] |= 1ull << block % 64;
	bad->any = true;
}

/* Whether any of the blocks that have bytes between @from and @to is bad; bytes, as from @bad's start. */
bool image_any_bad(const struct image_bad *bad, uint64_t from, uint64_t to);

/*
 * image-view.c: reads the blocks of the image from @start to @end, at most IMAGE_SPAN bytes, by
 * store_view(); those that cannot be read are bad, and zeroes. Reported.
 */
int image_view(const struct image *image, uint8_t *buffer, uint64_t start, uint64_t end,
	       const uint8_t **ret_bytes, struct image_bad *ret_bad);

/* The same for file data: blocks that differ from their digests are bad as well. */
int image_view_data(const struct image *image, uint8_t *buffer, uint64_t start, uint64_t end,
		    const uint8_t **ret_bytes, struct image_bad *ret_bad);

/*
 * image-meta.c: places inodes and directories, which gives inodes_bytes; *ret_blocks is where
 * directory blocks begin. Returns the bytes of extra xattrs. Then creates it all.
 */
uint64_t image_measure_metadata(struct image *image, uint64_t *ret_blocks);
void image_emit_metadata(struct image *image, uint64_t blocks);

/* image-tables.c: places the tables, of which that of extra xattrs takes @extra bytes. */
void image_place_tables(struct image *image, uint64_t extra);
void image_emit_tables(struct image *image);

static inline uint32_t image_table_flags(uint32_t type)
{
	return type == IMAGE_TABLE_PATHS || type == IMAGE_TABLE_EXTRA ? IMAGE_TABLE_INCOMPATIBLE
								      : 0;
}

/* What is known only once all files have been read. */
void image_emit_marks(struct image *image);

/* The EROFS superblock: all of it follows from the header, and from what the inodes are. */
struct erofs_super image_super(const struct image_header *header, uint64_t inodes, bool chunks);

/*
 * Computes the digests of header and timeline and, if @seal is not NULL, the MAC, which only the
 * final header has. -ENOMEM, not reported; never without @seal.
 */
int image_header_seal(struct image_header *header, const struct image_seal *seal);

/*
 * Writes header, superblock and their copy in one write, and flushes. The fault points are reached
 * after each of the two; 0: none. Reported.
 */
int image_write_header(const struct image *image, struct store *store, enum fault_point written,
		       enum fault_point flushed);

/* image-parse.c: the tree and the extents from checked metadata. Reported. */
int image_parse(struct image *image);

/* image-verify.c: the same as image_verify() for the data of files alone. */
int image_verify_files(struct image *image, unsigned int threads,
		       void (*damaged)(void *data, const char *path), void *data);

#endif
