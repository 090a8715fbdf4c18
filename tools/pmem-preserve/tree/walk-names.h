/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names in a directory are part of the tree that is walked. */
#ifndef PMEM_PRESERVE_WALK_NAMES_H
#define PMEM_PRESERVE_WALK_NAMES_H

#include "tree/tree.h"
#include "tree/walk.h"

/* The names in one directory, sorted bytewise, without duplicates. Can be reused for the next. */
struct names {
	const char **list;
	size_t count, capacity;
	char *text; /* @list points into it */
	size_t used, room;
};
void names_clear(struct names *names);

/*
 * Lists the open @directory, entry @index of @tree. 0 or -errno, not reported; after an error, what was
 * read before.
 */
int names_read(struct names *names, const struct walk_options *options, const struct tree *tree,
	       uint32_t index, int directory);

/* Whether @path was asked for, or is an ancestor of one that was. */
bool names_is_asked(const struct tree *tree, const char *path);
bool names_leads_to_asked(const struct tree *tree, const char *path);

/*
 * Whether the globs exclude @name in @directory, and whether it was asked for nevertheless. @directory
 * may be NULL if no glob has a '/'.
 */
bool names_is_excluded(const struct walk_options *options, const char *directory, const char *name);
bool names_is_wanted(const struct tree *tree, const char *directory, const char *name);

#endif
