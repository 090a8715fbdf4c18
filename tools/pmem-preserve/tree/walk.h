/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a tree from disk: lists it by file descriptors, and later reads its files, with a check
 * that nothing has changed in between.
 */
#ifndef PMEM_PRESERVE_WALK_H
#define PMEM_PRESERVE_WALK_H

#include "tree/tree.h"

struct walk_options {
	char **paths; /* absolute or relative; must exist; resolved by realpath(3) */
	size_t path_count;
	char **excludes; /* globs: without '/' of a name, with '/' of an absolute path */
	size_t exclude_count;
	unsigned int threads; /* 0: one per processor */
	bool lenient;	      /* marks and leaves out what is not as it should be: tree->lenient */
};

/*
 * Lists everything beneath the paths, and the directories that lead to them. Other mounts are not
 * entered unless they are named. Errors are reported.
 */
int walk_tree(const struct walk_options *options, struct tree **ret_tree);

/* Reads the files of a tree one after the other; the current one stays open. */
struct walk_reader {
	struct tree_cursor *cursor;
	int fd; /* -1: none */
	uint32_t index;
};

/* Closes the current file without the check. */
void walk_reader_close(struct walk_reader *reader);
#define _cleanup_walk_reader_ __attribute__((cleanup(walk_reader_close)))

/*
 * Reads @length bytes at @offset of a regular file into @buffer, holes as zeroes. That the file has
 * not changed since the tree was walked is checked afterwards: by walk_check_unchanged(), or when
 * another file is read. -E_CHANGED if it has. All errors are reported.
 */
int walk_read(struct walk_reader *reader, uint32_t index, void *buffer, size_t length,
	      uint64_t offset);
int walk_check_unchanged(struct walk_reader *reader);

/* The same for all that is not read: directories, links, special and empty files. */
int walk_check_rest(const struct tree *tree);

#endif
