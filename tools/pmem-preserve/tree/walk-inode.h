/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading one inode of the tree that is walked: attributes, xattrs, link target and holes. */
#ifndef PMEM_PRESERVE_WALK_INODE_H
#define PMEM_PRESERVE_WALK_INODE_H

#include "tree/cursor.h"
#include "tree/tree.h"

/*
 * One thread of the walk. It fills in entries of the tree, but cannot add to the tree, which others
 * read at the same time: what belongs to the entries is collected here, for tree_adopt().
 */
struct walk_worker {
	struct tree *tree;
	struct tree_cursor *cursor; /* @own, or one that outlives the worker */
	struct tree_cursor own;
	struct tree *found; /* link targets, xattrs and data ranges; or names */
	uint32_t *owners;   /* the entries that these belong to */
	size_t owner_count, owner_capacity;
	uint32_t last_xattrs; /* often those of the next inode as well */
	uint32_t directory;   /* entry that is the thread's working directory; UINT32_MAX: none */
	int home;	      /* the working directory to return to; -1 if it must not be left */
};

/*
 * @cursor: NULL, or one that no other thread uses; its directories stay open.
 * With @own_directory the calling thread gets a working directory of its own, if possible, until
 * the worker ends: the system calls for xattrs have no *at() variant, and going through /proc is
 * slow. Errors are reported.
 */
int walk_worker_begin(struct walk_worker *worker, struct tree *tree, int root,
		      struct tree_cursor *cursor, bool own_directory);

/* To be called by the worker's thread. @worker->found and @worker->owners remain. */
void walk_worker_end(struct walk_worker *worker);

/* Frees what remains. */
void walk_worker_clear(struct walk_worker *worker);

/*
 * Fills in entry @index; "data" becomes the id of the mount it is on. Of a lenient tree, the mode of an
 * inode that cannot be read becomes 0. Errors are reported.
 */
int walk_inode(struct walk_worker *worker, uint32_t index);

/*
 * Of a lenient tree, notes that @error, which was reported, keeps entry @index from being saved, or
 * what is beneath it. Of others, and if it is not an error of this entry alone, returns @error.
 */
int walk_leave_out(struct walk_worker *worker, uint32_t index, int error);

#endif
