/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creating a tree on disk, the mirror of walk.h: what a restore keeps beside the tree, and its steps
 * that need no file data. Errors are reported.
 *
 * Everything is made in a staging directory (extract-staging.h), which nobody but us can enter, and
 * moved to its place when it is finished (extract-publish.h). What exists already and stays, the
 * directories that the tree is merged with, is held open from the first look at it on.
 */
#ifndef PMEM_PRESERVE_EXTRACT_H
#define PMEM_PRESERVE_EXTRACT_H

#include "tree/cursor.h"
#include "tree/tree.h"

enum extract_flags {
	EXTRACT_SPLIT = 1 << 0,	    /* created first, filled by several threads, finished last */
	EXTRACT_CREATED = 1 << 1,   /* exists in its staging directory, or was published */
	EXTRACT_MERGED = 1 << 2,    /* a directory that existed before, and is kept */
	EXTRACT_PLAIN = 1 << 3,	    /* restored without what extract-ordinary.h leaves out */
	EXTRACT_LEFT_OUT = 1 << 4,  /* not created at all */
	EXTRACT_REPLACES = 1 << 5,  /* takes the place of something that exists */
	EXTRACT_PUBLISHED = 1 << 6, /* is in its place; what it replaces is where it was made */
};

/* A directory that exists already. What the tree has in it, and it has not, is published there. */
struct merged {
	uint32_t entry;
	uint32_t parent;  /* its place in extraction->merged; of the root, its own */
	uint32_t staging; /* where its entries are made; NO_STAGING if it needs none */
	int fd;		  /* O_PATH */
	uint64_t mount;	  /* its mount's id: nothing can be renamed to another */
	bool gets_entries;
	bool is_changed;	/* its attributes are not those of before */
	struct stat before;	/* only if it is part of the state: ancestors are not changed */
	uint32_t before_xattrs; /* a set of extraction->saved */
};

#define NO_STAGING	   UINT32_MAX
#define STAGING_NAME_BYTES 48

struct staging {
	int parent;	 /* the merged directory that it lies in; not owned */
	uint32_t merged; /* the same, in extraction->merged */
	int fd;
	int root; /* the directory in it that "/" of the tree stands for; O_PATH */
	int lock; /* as long as it is held, nobody takes the directory for a dead restore's */
	char name[STAGING_NAME_BYTES];
	bool keep; /* something in it must not be removed */
	struct timespec
		mtime; /* of @parent, before and, if it is part of the state, after it all */
};

/* An entry that was published in an ancestor, where others may exchange it. */
struct top {
	uint32_t entry;
	int fd; /* O_PATH: while it is open, its inode number is not used again */
};

#define RESERVED_FDS 4

struct extraction {
	struct tree *tree;     /* not owned */
	int root;	       /* the directory that "/" of the tree stands for */
	bool overwrite;	       /* replace what exists */
	uint8_t *flags;	       /* enum extract_flags, by entry */
	uint32_t *staging;     /* by entry: where it is made */
	struct merged *merged; /* parents before their children; [0] is the root */
	uint32_t merged_count, merged_capacity;
	struct staging *stagings;
	uint32_t staging_count;
	int reserved[RESERVED_FDS]; /* for extract_stagings_remove() */
	uint32_t reserved_count;
	struct tree *saved; /* its xattrs are those of merged directories before */
	struct top *tops;
	uint32_t top_count, top_capacity;
};

/* Restores @tree to the directory @into. */
int extract_begin(struct extraction *extraction, struct tree *tree, const char *into,
		  bool overwrite);

/* Releases it, without an effect on the disk. It may be zeroed. */
void extract_end(struct extraction *extraction);
#define _cleanup_extraction_ __attribute__((cleanup(extract_end)))

/* Opens the directory in which entry @index is made. An fd that the cursor owns, or an error. */
int extract_open_parent(const struct extraction *extraction, struct tree_cursor *cursor,
			uint32_t index);

/* The same for the directory @index itself: where its entries are made, if it exists already. */
int extract_open_directory(const struct extraction *extraction, struct tree_cursor *cursor,
			   uint32_t index);

/* Creates the directories. */
int extract_directories(struct extraction *extraction);

/* Creates the further names of inodes that have several. */
int extract_links(struct extraction *extraction);

/* Gives the new directories their attributes, once all their entries exist. */
int extract_finish_directories(const struct extraction *extraction);

/* Flushes the file systems that are restored to. */
int extract_sync(const struct extraction *extraction);

#endif
