/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening files beneath a directory without ever leaving it: by openat2(2), without following
 * symbolic links, and with paths of any length.
 */
#ifndef PMEM_PRESERVE_BENEATH_H
#define PMEM_PRESERVE_BENEATH_H

#include <sys/types.h>

/* Opens @path beneath @root, never through a symbolic link. An fd, or -errno. */
int open_beneath(int root, const char *path, int flags, mode_t mode);

/*
 * Opens the directory at the relative @path; one that is longer than PATH_MAX is opened in pieces.
 * An fd, or -errno.
 */
int open_directory_beneath(int root, const char *path, int flags);

/* Room for "/proc/thread-self/fd/N". */
#define PROC_PATH_BYTES 48

#endif
