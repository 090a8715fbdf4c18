/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place where attributes under /sys and /proc are read and written. The root can be set, so
 * that everything above it is tested on recorded trees. Nothing is
 * reported: the callers know the names of their objects.
 *
 * A path that begins with "/" starts at the root; any other one at @directory, a descriptor.
 * All functions return 0 or -errno.
 */
#ifndef PMEM_PRESERVE_SYSFS_H
#define PMEM_PRESERVE_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where absolute paths start; "/" until it is set. */
int sysfs_set_root(const char *path);

/* A descriptor of a directory (>= 0), or -errno. */
int sysfs_open(int directory, const char *path);

/* A descriptor of a file, to read (>= 0), or -errno. */
int sysfs_open_file(int directory, const char *path);

bool sysfs_exists(int directory, const char *path);

/* One attribute without the white space at its end; -EOVERFLOW when it is longer than @size - 1. */
int sysfs_read(int directory, const char *path, char *buffer, size_t size);

/* A number; @base as for strtoull(3). -EINVAL when the attribute is not one. */
int sysfs_read_number(int directory, const char *path, int base, uint64_t *ret_number);

/* A whole file, such as /proc/zoneinfo, with a NUL after it. The caller frees it. */
int sysfs_read_text(int directory, const char *path, char **ret_text);

/* The last component of what a symbolic link points to: the name of a driver, say. */
int sysfs_read_link(int directory, const char *path, char *buffer, size_t size);

int sysfs_write(int directory, const char *path, const char *value);

/* The same in a child process, for writes that may never return; see child_work(). */
struct child_limit;
int sysfs_write_within(int directory, const char *path, const char *value,
		       const struct child_limit *limit);

/* Stands in for the kernel in tests: called instead of the write itself, unless it is NULL. */
typedef int sysfs_writer(int directory, const char *path, const char *value);
void sysfs_set_writer(sysfs_writer *writer);

#endif
