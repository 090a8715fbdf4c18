/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser of the index, as image-parse*.c share it. */
#ifndef PMEM_PRESERVE_IMAGE_PARSE_H
#define PMEM_PRESERVE_IMAGE_PARSE_H

#include "base/cleanup.h"
#include "image/image-internal.h"

#include <string.h>

#define INODE_BYTES sizeof(struct erofs_inode)

struct parse {
	struct image *image;
	struct tree *tree;
	uint64_t area; /* bytes of inodes and directories, at the index's start */
	uint64_t left; /* bytes of the area that no inode has claimed yet */
	struct claim *claims;
	size_t claim_count, claim_capacity;
	uint32_t *entry_of;    /* entry + 1, by offset of the inode / INODE_BYTES */
	const uint8_t **extra; /* records of extra xattrs, sorted by nid */
	size_t extra_count, extra_used;
};

/* -E_DAMAGED, reported: "the checkpoint is malformed: PATH: WHAT". */
int parse_bad(const struct parse *parse, uint32_t index, const char *what);
int parse_no_memory(const struct parse *parse, int r);

bool parse_is_zero(const uint8_t *bytes, uint64_t length);

/* The @length bytes at @start of the area belong to an inode, and to no other. */
int parse_claim(struct parse *parse, uint32_t index, uint64_t start, uint64_t length);

/* Checks that this is so, and that all other bytes are zero, and few. */
int parse_check_claims(struct parse *parse);

/* Finds the tables, before anything else is parsed. */
int parse_table_directory(struct parse *parse);

/* Paths, marks and unsaved paths, once the tree is there. */
int parse_tables(struct parse *parse);

/* Checks the table of extra xattrs, before any inode is parsed. */
int parse_extra_table(struct parse *parse);

/* The xattrs of the inode at @place: @bytes after it, and its records in the table. */
int parse_xattrs(struct parse *parse, uint32_t index, uint64_t place, uint64_t bytes);

#endif
