/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the directories of a tree, one after the other. Some of those that were opened last are kept:
 * the next one is mostly the child of one of them, so that its depth costs nothing.
 */
#ifndef PMEM_PRESERVE_CURSOR_H
#define PMEM_PRESERVE_CURSOR_H

#include "tree/tree.h"

/* Both together go well with a limit of 1,024 open files; each thread has a table of its own. */
#define TREE_CURSOR_KEPT    128u
#define TREE_CURSOR_ANCHORS 32u

struct kept_directory {
	uint32_t index;
	int fd; /* -1: none */
};

struct tree_cursor {
	const struct tree *tree;
	int root; /* the directory that "/" of the tree stands for; not owned */
	struct kept_directory kept[TREE_CURSOR_KEPT];	    /* by index, modulo their number */
	struct kept_directory anchors[TREE_CURSOR_ANCHORS]; /* on the way to what lies far down */
	unsigned int next_anchor;
};
void tree_cursor_init(struct tree_cursor *cursor, const struct tree *tree, int root);
void tree_cursor_close(struct tree_cursor *cursor);

/*
 * Opens directory @index for *at() calls, never through a symbolic link. An fd that the cursor owns
 * until it is called again, or -errno.
 */
int tree_cursor_open(struct tree_cursor *cursor, uint32_t index);

#endif
