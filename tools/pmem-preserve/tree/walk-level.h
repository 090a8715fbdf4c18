/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at many inodes in several threads. Must not know which of them belong to what is walked. */
#ifndef PMEM_PRESERVE_WALK_LEVEL_H
#define PMEM_PRESERVE_WALK_LEVEL_H

#include "tree/tree.h"

/*
 * Fills the entries from @begin on in, of which the tree has names and parents. @root is where "/"
 * of the tree lies; @threads 0: one per processor. Errors are reported.
 */
int walk_level(struct tree *tree, uint32_t begin, int root, unsigned int threads);

#endif
