/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a restore back that did not come to its end: half a state must not pass for one. */
#ifndef PMEM_PRESERVE_EXTRACT_UNDO_H
#define PMEM_PRESERVE_EXTRACT_UNDO_H

#include "tree/tree.h"

/*
 * Removes what this restore created beneath the open directory @root (ENTRY_CREATED). What had to
 * make room for it under --overwrite does not come back; what stays is said.
 */
void extract_undo(const struct tree *tree, int root);

#endif
