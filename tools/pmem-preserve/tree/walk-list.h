/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads many directories in several threads. Must not know what the names stand for. */
#ifndef PMEM_PRESERVE_WALK_LIST_H
#define PMEM_PRESERVE_WALK_LIST_H

#include "tree/walk.h"

/*
 * Adds the names in the @count @directories, in their order, as entries, and sets the directories'
 * first and count. @root is where "/" of the tree lies. Errors are reported.
 */
int walk_list(struct tree *tree, const uint32_t *directories, size_t count, int root,
	      const struct walk_options *options);

#endif
