/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the directories of a tree, one after the other. Some of those that were opened last are kept:
 * the next one is mostly the child of one of them, so that its depth costs nothing.
 */
#ifndef PMEM_PRESERVE_CURSOR_H
#define PMEM_PRESERVE_CURSOR_H

#include "tree/tree.h"

/* As many threads have a file table each, this has to go well with a limit of 1,024 per table. */
#define TREE_CURSOR_KEPT 128u

struct tree_cursor {
	const struct tree *tree;
	int root; /* the directory that "/" of the tree stands for; not owned */
	struct {
		uint32_t directory;
		int fd; /* -1: none */
	} kept[TREE_CURSOR_KEPT];
};
void tree_cursor_init(struct tree_cursor *cursor, const struct tree *tree, int root);
void tree_cursor_close(struct tree_cursor *cursor);

/*
 * Opens directory @index for *at() calls, never through a symbolic link. An fd that the cursor owns
 * until it is called again, or -errno.
 */
int tree_cursor_open(struct tree_cursor *cursor, uint32_t index);

#endif
