/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One inode of the tree that is walked: its attributes, xattrs, link target and holes. */
#ifndef PMEM_PRESERVE_WALK_INODE_H
#define PMEM_PRESERVE_WALK_INODE_H

#include "tree.h"

struct inode_source {
	uint64_t mount; /* id of the mount it lies on */
};

/*
 * Fills entry @index, which lies in the open @directory (entry 0: is @directory). @previous: an
 * entry whose xattrs are likely the same. Errors are reported.
 */
int walk_inode(struct tree *tree, uint32_t index, int directory, uint32_t previous,
	       struct inode_source *ret_source);

#endif
