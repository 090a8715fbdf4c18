/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One inode of the tree that is walked: its attributes, xattrs, link target and holes. */
#ifndef PMEM_PRESERVE_WALK_INODE_H
#define PMEM_PRESERVE_WALK_INODE_H

#include "tree/tree.h"

/*
 * One thread that looks at inodes. It fills the entries of a tree in, but adds nothing to it, since
 * others read it meanwhile: what it found beside the entries waits here for tree_adopt().
 */
struct walk_worker {
	struct tree *tree;
	struct tree_cursor cursor;
	struct tree *found; /* link targets, xattrs and data ranges */
	uint32_t *owners;   /* the entries they belong to */
	size_t owner_count, owner_capacity;
	uint32_t last_xattrs; /* likely to be those of the next one, too */
	uint32_t directory;   /* the working directory of the thread */
	int home;	      /* its working directory before; -1: it must not leave it */
};

/*
 * The calling thread gets a working directory of its own until it ends the worker, if it can: the
 * calls for xattrs have no *at() form, and the way through /proc is slow. Errors are reported.
 */
int walk_worker_begin(struct walk_worker *worker, struct tree *tree, int root);

/* @worker->found and @worker->owners stay. */
void walk_worker_end(struct walk_worker *worker);

/* Fills entry @index in; its "data" becomes the id of the mount it lies on. Errors are reported. */
int walk_inode(struct walk_worker *worker, uint32_t index);

#endif
