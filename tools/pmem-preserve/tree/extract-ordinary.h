/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What restore --no-special leaves out of a tree: device nodes, setuid and setgid bits of files,
 * and file capabilities. Must not know of images, nor touch a disk.
 */
#ifndef PMEM_PRESERVE_EXTRACT_ORDINARY_H
#define PMEM_PRESERVE_EXTRACT_ORDINARY_H

#include "tree/tree.h"

/* Called for each name that does not come back as it was; @what: "a device", "setuid"... */
typedef void left_out_function(void *data, const char *path, const char *what);

/* -ENOMEM. */
int extract_only_ordinary(struct tree *tree, left_out_function *left_out, void *data);

/* Of an entry that is ENTRY_ORDINARY, these are not set. */
bool xattr_is_special(const char *name);

#endif
