/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two halves of walking one level of a tree, each in several threads: listing the directories,
 * and reading the inodes.
 *
 * The calling thread opens directories with @cursor, from one level to the next. Errors are reported.
 */
#ifndef PMEM_PRESERVE_WALK_LEVEL_H
#define PMEM_PRESERVE_WALK_LEVEL_H

#include "tree/cursor.h"
#include "tree/walk.h"

/*
 * Adds the names in the @count @directories as entries, in the order of the directories, and sets
 * "first" and "count" of the directories.
 */
int walk_list_directories(struct tree *tree, const uint32_t *directories, size_t count,
			  struct tree_cursor *cursor, const struct walk_options *options);

/* Fills in the entries from @begin on, which have only a name and a parent so far. */
int walk_read_inodes(struct tree *tree, uint32_t begin, struct tree_cursor *cursor,
		     const struct walk_options *options);

#endif
