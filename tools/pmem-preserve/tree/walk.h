/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads what is on disk: lists a tree by file descriptor, and later reads its files with the proof
 * that nothing changed in between. Must not know what becomes of it.
 */
#ifndef PMEM_PRESERVE_WALK_H
#define PMEM_PRESERVE_WALK_H

#include "tree/tree.h"

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

/* Reads one file of a tree after the other; the last one stays open. */
struct walk_reader {
	struct tree_cursor *cursor;
	int fd; /* -1: none */
	uint32_t index;
};

/* Forgets what is open, unproven. */
void walk_reader_close(struct walk_reader *reader);
#define _cleanup_walk_reader_ __attribute__((cleanup(walk_reader_close)))

/*
 * Reads @length bytes at @offset of a regular file into @buffer, holes as zeroes. What was read is
 * proven to be what it was when the tree was walked by walk_prove(), or when another file is read:
 * -E_FAILED if it is not. All errors are reported.
 */
int walk_read(struct walk_reader *reader, uint32_t index, void *buffer, size_t length,
	      uint64_t offset);
int walk_prove(struct walk_reader *reader);

/* -E_FAILED (reported) when a directory of the tree, or a link or special file, has changed since.
 */
int walk_unchanged(const struct tree *tree);

#endif
