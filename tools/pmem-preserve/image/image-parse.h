/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser of metadata, as image-parse.c and image-parse-xattrs.c share it. */
#ifndef PMEM_PRESERVE_IMAGE_PARSE_H
#define PMEM_PRESERVE_IMAGE_PARSE_H

#include "image/image-internal.h"

#define INODE_BYTES sizeof(struct erofs_inode)

struct parse {
	struct image *image;
	struct tree *tree;
	uint64_t area;	       /* bytes of inodes and directories, at the metadata's start */
	uint64_t left;	       /* bytes of the area that no inode has claimed yet */
	uint32_t *entry_of;    /* entry + 1, by offset of the inode / INODE_BYTES */
	const uint8_t **extra; /* records of extra xattrs, sorted by nid */
	size_t extra_count;
};

/* -E_DAMAGED, reported: "the checkpoint is malformed: PATH: WHAT". */
int parse_bad(const struct parse *parse, uint32_t index, const char *what);
int parse_no_memory(const struct parse *parse, int r);

/* Checks and sorts the table of extra xattrs, before any inode is parsed. */
int parse_extra_table(struct parse *parse);

/* The xattrs of the inode at @place: @bytes after it, and its records in the table. */
int parse_xattrs(struct parse *parse, uint32_t index, uint64_t place, uint64_t bytes);

#endif
