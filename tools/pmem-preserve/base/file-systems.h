/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What file system a path lies on: whether the state there lives in memory, and how much it is. */
#ifndef PMEM_PRESERVE_FILE_SYSTEMS_H
#define PMEM_PRESERVE_FILE_SYSTEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tmpfs, ramfs or hugetlbfs: gone with the power. -errno when @path cannot be looked at. */
int file_system_is_memory(const char *path, bool *ret_memory);

/* Bytes in use on, and available to root on, the file system of @path; -errno. */
int file_system_room(const char *path, uint64_t *ret_used, uint64_t *ret_available);

/*
 * Mount points of tmpfs that may be somebody's state: none of the system's own (/run, /tmp,
 * /dev...). The caller frees each and the array. 0 or -errno.
 */
int file_systems_in_memory(char ***ret_paths, size_t *ret_count);

#endif
