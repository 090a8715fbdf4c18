/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a regular file has data. */
#ifndef PMEM_PRESERVE_WALK_HOLES_H
#define PMEM_PRESERVE_WALK_HOLES_H

#include "tree/tree.h"

/*
 * Appends the data ranges of @fd, which has @size bytes, rounded to whole blocks, to those of
 * @tree. *@ret_sparse is false if there are no holes, and no range was added then. -errno, not
 * reported.
 */
int walk_find_data(struct tree *tree, int fd, uint64_t size, bool *ret_sparse);

/* Whether the holes of @fd are still those of entry @index of @tree. -errno, not reported. */
int walk_compare_holes(const struct tree *tree, uint32_t index, int fd, bool *ret_same);

#endif
