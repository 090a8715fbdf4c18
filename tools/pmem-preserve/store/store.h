/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Storage for an image: a regular file, a block device (O_DIRECT), or a device-dax mapping. Reads
 * and writes are whole 4 KiB blocks.
 *
 * A new file is written under a temporary name, or without one, and gets its final name from
 * store_publish(); until then the old file stays intact. With STORE_IN_PLACE an existing file is
 * overwritten like a device.
 */
#ifndef PMEM_PRESERVE_STORE_H
#define PMEM_PRESERVE_STORE_H

#include "base/replace-file.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_BLOCK_BYTES 4096u

struct sigbus_watch;

enum store_kind { STORE_FILE, STORE_BLOCK, STORE_DAX };

struct store {
	enum store_kind kind;
	char *path;	      /* for messages, and the name of a file */
	struct new_file file; /* if @is_new */
	bool is_new;	      /* a file that has not been published yet */
	int fd;
	uint64_t capacity; /* bytes: size of a device or of a file that is read, or free space */
	void *map;	   /* STORE_DAX, and files of huge pages; NULL: pread() and pwrite() */
	struct sigbus_watch *watch;	 /* of the map */
	_Atomic uint64_t written;	 /* end of what was written to the map, in bytes */
	_Atomic unsigned int unreadable; /* read errors so far */
	int (*may_replace)(void *data);	 /* reports why not; may be NULL */
	void *replace_data;
};

enum store_mode {
	STORE_READ,
	STORE_UPDATE,	/* modify the present image */
	STORE_WRITE,	/* a new image; in a new file, beside the old one */
	STORE_IN_PLACE, /* a new image over the old one; the file must exist and keeps its size */
};

/*
 * All modes but STORE_READ take an exclusive lock; a second writer is refused.
 *
 * All functions return 0 or -errno, reported with the store's path. Offsets and lengths are in
 * bytes, multiples of STORE_BLOCK_BYTES; buffers are aligned likewise.
 */
int store_open(const char *path, enum store_mode mode, struct store **ret_store);
int store_write(struct store *store, const void *buffer, size_t length, uint64_t offset);

/*
 * -E_DAMAGED: the medium cannot return these bytes (an I/O error, poisoned memory, the end of a
 * file). A warning says where and why; what is lost because of it is for the caller to report.
 */
int store_read(struct store *store, void *buffer, size_t length, uint64_t offset);

/*
 * store_read() without a copy: of a mapped store, *ret_bytes points into the mapping, else into
 * @buffer. Memory can fail while it is used: the result is valid only if store_check() returns 0
 * afterwards.
 */
int store_view(struct store *store, void *buffer, size_t length, uint64_t offset,
	       const uint8_t **ret_bytes);

/* -E_DAMAGED, as from store_read(), if mapped memory has failed there since the store was opened. */
int store_check(struct store *store, uint64_t length, uint64_t offset);

/* Makes everything written so far durable. -errno: some of it is lost. */
int store_flush(struct store *store);

/*
 * Gives a new file its name, which replaces the old file; store->may_replace is asked before, when
 * nobody else can do that any more. Does nothing for devices. -E_NOT_DURABLE: it has its name, but may
 * lose it with the power.
 */
int store_publish(struct store *store);

/*
 * Removes a file, durably. Its header is not erased first: an interrupted removal would leave a
 * file that nobody recognizes.
 */
int store_remove(const struct store *store);

/* Discards a file that was not published. @store may be NULL. */
void store_close(struct store *store);

/* An aligned buffer for the calls above, to be released with free(). NULL: out of memory. */
void *store_buffer(size_t length);

static inline void cleanup_store(struct store **store)
{
	store_close(*store);
}
#define _cleanup_store_ __attribute__((cleanup(cleanup_store)))

#endif
