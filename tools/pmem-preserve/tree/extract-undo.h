/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undoing a restore that failed: half of a state must not be mistaken for the state. */
#ifndef PMEM_PRESERVE_EXTRACT_UNDO_H
#define PMEM_PRESERVE_EXTRACT_UNDO_H

#include "tree/extract.h"

/*
 * Removes what the restore has created (EXTRACT_CREATED). What --overwrite has replaced does not
 * come back. A message says if something could not be removed.
 */
void extract_undo(const struct extraction *extraction);

#endif
