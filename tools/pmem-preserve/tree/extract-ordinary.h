/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What restore --no-special leaves out: device nodes, setuid and setgid bits of files, and file
 * capabilities.
 */
#ifndef PMEM_PRESERVE_EXTRACT_ORDINARY_H
#define PMEM_PRESERVE_EXTRACT_ORDINARY_H

#include "tree/extract.h"

/* Called for each name that is not restored as it was; @what is "a device", "setuid"... */
typedef void left_out_function(void *data, const char *path, const char *what);

/* To be called before anything is created. 0 or -ENOMEM, not reported. */
int extract_only_ordinary(struct extraction *extraction, left_out_function *left_out, void *data);

/* Such xattrs are not set on entries that are EXTRACT_PLAIN. */
bool xattr_is_special(const char *name);

#endif
