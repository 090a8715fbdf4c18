/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an image lies: a regular file, a block device (O_DIRECT), or a device-dax mapping. Reads
 * and writes of whole 4 KiB blocks at any place. Must not know what an image is.
 *
 * A regular file is written beside its final name and takes that name with store_publish(), so that
 * what was there before is whole until then; unless it shall be written in place, like a device.
 */
#ifndef PMEM_PRESERVE_STORE_H
#define PMEM_PRESERVE_STORE_H

#include "base/replace-file.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_BLOCK_BYTES 4096u

struct poison_watch;

enum store_kind { STORE_FILE, STORE_BLOCK, STORE_DAX };

struct store {
	enum store_kind kind;
	char *path;	      /* for messages, and where a file is published */
	struct new_file file; /* where @is_new */
	bool is_new;	      /* a file that is not published yet */
	int fd;
	uint64_t capacity; /* bytes: of the device, of the file when reading, free when writing */
	void *map; /* STORE_DAX, and files that are huge pages of memory; NULL: read and written */
	struct poison_watch *watch;	 /* of the map */
	_Atomic uint64_t written;	 /* to the map: bytes from its start to the last one */
	_Atomic unsigned int unreadable; /* places that cannot be read */
};

enum store_mode {
	STORE_READ,
	STORE_UPDATE,	/* change what is there, in place */
	STORE_WRITE,	/* a new image: a file is made anew, beside the old one */
	STORE_IN_PLACE, /* a new image over the old one: a file must be there, and keeps its size */
};

/*
 * Who may write holds an exclusive lock; a second one is refused.
 *
 * All functions return 0 or -errno, reported with the store's path; offsets and lengths in bytes,
 * multiples of STORE_BLOCK_BYTES; buffers aligned likewise.
 */
int store_open(const char *path, enum store_mode mode, struct store **ret_store);
int store_write(struct store *store, const void *buffer, size_t length, uint64_t offset);

/*
 * -E_DAMAGED: the medium does not give these bytes (an I/O error, poisoned memory, the end of a
 * file). Where and why is warned of; what is lost by it is for the caller to report.
 */
int store_read(struct store *store, void *buffer, size_t length, uint64_t offset);

/*
 * The same without a copy where the store is mapped; else it lies in @buffer. Memory can fail while
 * it is looked at: what was made of the bytes counts only if store_check() returns 0 afterwards.
 */
int store_view(struct store *store, void *buffer, size_t length, uint64_t offset,
	       const uint8_t **ret_bytes);

/* Whether mapped memory has held since the store was opened; -E_DAMAGED as store_read(). */
int store_check(struct store *store, uint64_t length, uint64_t offset);

/* Everything written so far survives what comes, or -errno: some of it is lost already. */
int store_flush(struct store *store);

/* A file gets its name (and the old one is gone); for devices there is nothing to do. */
int store_publish(struct store *store);

/*
 * Takes the name of a file away, in one step: without its header it would be something that nobody
 * knows. It does not come back after a power cut.
 */
int store_remove(const struct store *store);

/* Forgets an unpublished file. NULL is fine. */
void store_close(struct store *store);

/* A buffer fit for the calls above; free() releases it. NULL: out of memory. */
void *store_buffer(size_t length);

static inline void cleanup_store(struct store **store)
{
	store_close(*store);
}
#define _cleanup_store_ __attribute__((cleanup(cleanup_store)))

#endif
