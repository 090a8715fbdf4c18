/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listing a tree on disk, by file descriptors; walk-read.h reads its files later. */
#ifndef PMEM_PRESERVE_WALK_H
#define PMEM_PRESERVE_WALK_H

#include "tree/tree.h"

struct walk_options {
	char **paths; /* absolute or relative; must exist; resolved by realpath(3) */
	size_t path_count;
	char **excludes; /* globs: without '/' of a name, with '/' of an absolute path */
	size_t exclude_count;
	unsigned int threads; /* 0: one per processor */
	bool lenient;	      /* marks and leaves out what is not as it should be: tree->lenient */
};

/*
 * Lists everything beneath the paths, and the directories that lead to them. Other mounts are not
 * entered unless they are named. Errors are reported.
 */
int walk_tree(const struct walk_options *options, struct tree **ret_tree);

#endif
