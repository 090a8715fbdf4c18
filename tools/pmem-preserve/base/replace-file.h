/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that takes the place of another one in one step: written beside it, flushed, renamed, and
 * the directory flushed. A crash leaves the old one or the new one, whole, and a power cut does not
 * bring the old one back.
 *
 * Nothing is reported; all functions return 0 or -errno. @directory is an open directory that @name
 * lies in, without a '/'.
 */
#ifndef PMEM_PRESERVE_REPLACE_FILE_H
#define PMEM_PRESERVE_REPLACE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Opens the directory that @path lies in for reading. An fd, or -errno. */
int open_directory_of(const char *path);

/* A file that does not have its name yet. */
struct new_file {
	int fd;		 /* for writing and reading; locked (base/lock.h); -1: there is none */
	int directory;	 /* owned */
	char *name;	 /* owned */
	char *temporary; /* its name for the time being, owned; NULL while it has none */
};

/*
 * Creates the file with exactly these permission bits of @mode. It has no name where the file system
 * can do that, so that nothing is left of it when the process is killed; elsewhere it is called
 * "NAME.new", which must not be longer than names can be. A file of that name that a killed process
 * has left is removed; -EWOULDBLOCK when another process is still writing it.
 */
int new_file_create(int directory, const char *name, mode_t mode, struct new_file *ret_file);

/*
 * Gives it its name. The content must have been flushed. The descriptor stays open. On an error
 * before the rename the old file is as it was; @file->name is NULL after the rename, whatever is
 * returned then.
 *
 * One process at a time does this for a name. @check (may be NULL) is called when it is our turn, right
 * before the rename: what it returns, if it is an error, ends it.
 */
int new_file_publish(struct new_file *file, int (*check)(void *data), void *data);

/* Closes what is open and removes what was not published. */
void new_file_clear(struct new_file *file);
#define _cleanup_new_file_ __attribute__((cleanup(new_file_clear)))

/* All of that for @length bytes at @data. */
int replace_file_at(int directory, const char *name, mode_t mode, const void *data, size_t length);
int replace_file(const char *path, mode_t mode, const void *data, size_t length);

#endif
