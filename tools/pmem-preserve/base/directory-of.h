/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory that a file lies in: what has to be flushed for a name to stay, or to stay away.
 * Must not know of what the file is.
 */
#ifndef PMEM_PRESERVE_DIRECTORY_OF_H
#define PMEM_PRESERVE_DIRECTORY_OF_H

/* Opens it for reading. An fd, or -errno (not reported). */
int open_directory_of(const char *path);

#endif
