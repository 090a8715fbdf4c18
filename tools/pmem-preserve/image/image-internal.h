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

/*
 * The bytes that one digest covers. The metadata begins with a new segment, so that damage to a
 * file's data never affects the directories.
 */
struct segment {
	uint64_t start;
	uint64_t end;
};
struct segment image_segment(const struct image_header *header, uint64_t number);
uint64_t image_data_segments(const struct image_header *header);
uint64_t image_segments(const struct image_header *header);

/* image-meta.c: measures the metadata, then creates it. -ENOMEM, not reported. */
int image_layout_metadata(struct image *image);

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

/*
 * Compares segment @number, which is in @buffer, with its digest. -E_DAMAGED, not reported, if they
 * differ; or another error (reported).
 */
int image_check_segment(const struct image *image, uint64_t number, const uint8_t *buffer);

/*
 * image_extract() that leaves in @extraction, which must be zeroed, what it has created; to be ended
 * by the caller.
 */
struct extraction;
int image_extract_with(struct image *image, const struct extract_options *options,
		       struct extraction *extraction);

#endif
