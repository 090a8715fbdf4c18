/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening what lies beneath a directory without ever leaving it: openat2(2), no symbolic links, and
 * paths of any length. Must not know what is opened, or why.
 */
#ifndef PMEM_PRESERVE_BENEATH_H
#define PMEM_PRESERVE_BENEATH_H

#include <sys/types.h>

/* openat2() of @path beneath @root, never through a symbolic link. An fd, or -errno. */
int open_beneath(int root, const char *path, int flags, mode_t mode);

/*
 * Opens directory @path (relative, any length: longer ones than PATH_MAX are walked in pieces).
 * An fd, or -errno.
 */
int open_directory_beneath(int root, const char *path, int flags);

/* Room for "/proc/thread-self/fd/N". */
#define PROC_PATH_BYTES 48

#endif
