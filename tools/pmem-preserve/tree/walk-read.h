/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the files of a tree that was walked, in several threads, each file as it was at one moment:
 * under a lease from its first byte to its last (lease.h), and with a check that it is still what was
 * listed. Where there are no leases only the check remains.
 *
 * Of a strict tree, a file that changes is -E_CHANGED, and one that cannot be read -E_UNREADABLE. Of a lenient one, it is marked ENTRY_CHANGED and
 * read as it is; what cannot be read is zeroes, and also in the tree's list of what is unsaved.
 */
#ifndef PMEM_PRESERVE_WALK_READ_H
#define PMEM_PRESERVE_WALK_READ_H

#include "tree/cursor.h"
#include "tree/lease.h"
#include "tree/tree.h"

#include <pthread.h>
#include <stdatomic.h>

/* A file that several threads may read: the first of them has its lease until all of it was read. */
struct walk_shared {
	uint32_t index;
	bool is_leased;
	_Atomic uint64_t left; /* bytes to be read */
};

/* What the threads have in common. */
struct walk_reading {
	struct tree *tree;
	struct walk_shared *shared; /* by index */
	size_t shared_count, shared_capacity;
	pthread_mutex_t opening; /* of a shared file */
	pthread_mutex_t lock;	 /* of tree->unsaved and told */
	bool told;		 /* that there are no leases */
	struct leases leases;
};

void walk_reading_begin(struct walk_reading *reading, struct tree *tree);
void walk_reading_end(struct walk_reading *reading);
#define _cleanup_walk_reading_ __attribute__((cleanup(walk_reading_end)))

/* Says, before any file is read, that several threads will read @bytes of file @index. In tree order. */
int walk_reading_share(struct walk_reading *reading, uint32_t index, uint64_t bytes);

struct walk_file {
	int fd; /* -1: none, or one that cannot be opened */
	uint32_t index;
	bool has_lease;
	uint64_t leased_ns;
	bool is_holder;	 /* of a shared file: the first to open it */
	bool is_unsaved; /* in the tree's list already */
	struct walk_shared *shared;
};

/* One thread; "reading" is NULL if it reads nothing. */
struct walk_reader {
	struct walk_reading *reading;
	struct tree_cursor *cursor;
	struct walk_file file;
	bool has_file;
	struct walk_file *held; /* others still read some of them */
	size_t held_count, held_capacity;
};

/*
 * Reads @length bytes at @offset of a regular file into @buffer, holes as zeroes. Whether it is as it
 * was listed is checked once all of it was read: by the calls that follow. All errors are reported.
 */
int walk_read(struct walk_reader *reader, uint32_t index, void *buffer, size_t length,
	      uint64_t offset);

/* Checks and closes what was read completely by now. */
int walk_reader_settle(struct walk_reader *reader);

/* The same for what is left, once all threads have read what they had to; afterwards no file is open. */
int walk_reader_end(struct walk_reader *reader);

/*
 * Checks what is not read: directories, links, special and empty files. Of a lenient tree, what has
 * changed is marked.
 */
int walk_check_rest(struct tree *tree);

#endif
