/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what is on disk: lists a tree by file descriptor, and later reads its files with the proof
 * that nothing changed in between. Must not know what becomes of it.
 */
#ifndef PMEM_PRESERVE_WALK_H
#define PMEM_PRESERVE_WALK_H

#include "tree.h"

struct walk_options {
	char **paths; /* absolute or not, must exist; resolved with realpath(3) */
	size_t path_count;
	char **excludes; /* globs: without '/' for a name, with one for the absolute path */
	size_t exclude_count;
	unsigned int threads; /* 0: one per processor */
};

/*
 * Lists everything beneath the paths, and the directories that lead to them. Does not enter other
 * mounts unless they are named. Errors are reported and name the object.
 */
int walk_tree(const struct walk_options *options, struct tree **ret_tree);

/*
 * Reads @length bytes at @offset of a regular file into @buffer, holes as zeroes. -E_FAILED: the
 * file is not what it was when the tree was walked. All errors are reported.
 */
int walk_read(struct tree_cursor *cursor, uint32_t index, void *buffer, size_t length,
	      uint64_t offset);

/* -E_FAILED (reported) when a directory of the tree, or a link or special file, has changed since.
 */
int walk_unchanged(const struct tree *tree);

#endif
