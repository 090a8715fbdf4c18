/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creating a tree on disk, the mirror of walk.h: what a restore keeps beside the tree, and its steps
 * that need no file data. Errors are reported.
 */
#ifndef PMEM_PRESERVE_EXTRACT_H
#define PMEM_PRESERVE_EXTRACT_H

#include "tree/cursor.h"
#include "tree/tree.h"

/*
 * A directory is private if only we can enter it until it is finished, and new files in it inherit
 * nothing.
 */
enum extract_flags {
	EXTRACT_SPLIT = 1 << 0,	   /* created first, filled by several threads, finished last */
	EXTRACT_CREATED = 1 << 1,  /* did not exist before, and does now */
	EXTRACT_PRIVATE = 1 << 2,  /* a new directory that is private */
	EXTRACT_PLAIN = 1 << 3,	   /* restored without what extract-ordinary.h leaves out */
	EXTRACT_LEFT_OUT = 1 << 4, /* not created at all */
};

struct extraction {
	struct tree *tree; /* not owned */
	int root;	   /* the directory that "/" of the tree stands for */
	bool overwrite;	   /* replace what exists */
	uint8_t *flags;	   /* enum extract_flags, by entry */
	uint64_t *inodes;  /* st_ino by entry, of EXTRACT_SPLIT files; other pages stay unused */
};

/* Restores @tree to the directory @into. */
int extract_begin(struct extraction *extraction, struct tree *tree, const char *into,
		  bool overwrite);

/* Releases it, without an effect on the disk. It may be zeroed. */
void extract_end(struct extraction *extraction);
#define _cleanup_extraction_ __attribute__((cleanup(extract_end)))

/* Opens the directory of entry @index. An fd that the cursor owns, or an error. */
int extract_open_parent(const struct extraction *extraction, struct tree_cursor *cursor,
			uint32_t index);

/* Creates the directories, which only we can enter before they are finished. */
int extract_directories(struct extraction *extraction);

/* Creates the further names of inodes that have several. */
int extract_links(struct extraction *extraction);

/* Gives the directories their attributes, once all their entries exist. */
int extract_finish_directories(const struct extraction *extraction);

/* Flushes the file systems that were restored to. */
int extract_sync(const struct extraction *extraction);

#endif
