/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating one inode of a tree, and setting its attributes. Errors are reported. */
#ifndef PMEM_PRESERVE_EXTRACT_INODE_H
#define PMEM_PRESERVE_EXTRACT_INODE_H

#include "tree/extract.h"

/*
 * Sets owner, xattrs, mode and mtime, in this order: chown(2) clears setuid bits and capabilities,
 * and any change updates the time. @fd is a regular file open for writing, or anything else as
 * O_PATH.
 */
int extract_attributes(const struct extraction *extraction, uint32_t index, int fd);

/* Creates a link, fifo, socket or device in the open @directory, with its attributes. */
int extract_special(struct extraction *extraction, uint32_t index, int directory);

/* Creates an empty regular file and opens it for writing. The umask must be 0. An fd, or an error. */
int extract_create(struct extraction *extraction, uint32_t index, int directory);

/* Opens a file that extract_create() has created for writing again. An fd, or an error. */
int extract_open_again(const struct extraction *extraction, uint32_t index, int directory);

/* Creates entry @index as another name of its inode, whose first name is in @first_directory. */
int extract_link(struct extraction *extraction, uint32_t index, int first_directory, int directory);

/* Reports and returns @error (-errno), or -E_NO_FIT if there was no space. @what: "cannot create". */
int extract_failed(const struct tree *tree, uint32_t index, int error, const char *what);

#endif
