/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving one inode what a tree says of it. Must not know of images. */
#ifndef PMEM_PRESERVE_EXTRACT_INODE_H
#define PMEM_PRESERVE_EXTRACT_INODE_H

#include "tree/tree.h"

/*
 * Owner, xattrs, mode and mtime, in this order: a change of owner takes setuid bits and
 * capabilities away, and any change touches the time. @fd: of a regular file, open for writing; of
 * anything else, O_PATH. Errors are reported.
 */
int extract_attributes(const struct tree *tree, uint32_t index, int fd);

/*
 * Right after directory @index was created, 0700, in the open @directory: takes away what it got
 * from there, and notes whether it is private.
 */
void extract_new_directory(struct tree *tree, uint32_t index, int directory);

/* Makes a link, fifo, socket or device in the open @directory, attributes and all. */
int extract_special(struct tree *tree, uint32_t index, int directory, bool overwrite);

/*
 * Creates an empty regular file for writing, which others cannot open before it has its owner. The
 * umask must be 0. An fd, or an error (reported).
 */
int extract_create(struct tree *tree, uint32_t index, int directory, bool overwrite);

/*
 * Opens a regular file that extract_create() made for writing once more. Reported; -E_FAILED
 * when its name stands for something else by now.
 */
int extract_open_again(const struct tree *tree, uint32_t index, int directory);

/* Makes entry @index another name of its inode, which lies in @first_directory. */
int extract_link(struct tree *tree, uint32_t index, int first_directory, int directory,
		 bool overwrite);

/* Reports @error (-errno); -E_NO_FIT when there was no space. @what: "cannot create". */
int extract_failed(const struct tree *tree, uint32_t index, int error, const char *what);

/* -E_REFUSED, reported: what is there may be replaced when told; what leads there never is. */
int extract_exists(const struct tree *tree, uint32_t index);
int extract_blocked(const struct tree *tree, uint32_t index);

#endif
