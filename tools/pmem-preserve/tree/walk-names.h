/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names of a directory belong to what is walked. Must not know of inodes. */
#ifndef PMEM_PRESERVE_WALK_NAMES_H
#define PMEM_PRESERVE_WALK_NAMES_H

#include "tree/tree.h"
#include "tree/walk.h"

/* Names of one directory, sorted bytewise, each once; the next one may use it again. */
struct names {
	const char **list;
	size_t count, capacity;
	char *text; /* what list points into */
	size_t used, room;
};
void names_clear(struct names *names);

/* Lists the open @directory of @tree. -errno, not reported. */
int names_read(struct names *names, const struct walk_options *options, const struct tree *tree,
	       uint32_t index, int directory);

/* What was asked for: a path itself, and one that leads to it. */
bool names_is_asked(const struct tree *tree, const char *path);
bool names_leads_to_asked(const struct tree *tree, const char *path);

/* Whether the globs leave @name of @directory out, and whether it was asked for all the same. */
bool names_is_excluded(const struct walk_options *options, const char *directory, const char *name);
bool names_is_wanted(const struct tree *tree, const char *directory, const char *name);

#endif
