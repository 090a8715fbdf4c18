/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be checked of a restore before anything is changed. */
#ifndef PMEM_PRESERVE_EXTRACT_CHECK_H
#define PMEM_PRESERVE_EXTRACT_CHECK_H

#include "tree/extract.h"

/*
 * Finds the directories that the tree is merged with (extraction->merged), and opens them.
 * -E_REFUSED: something of the tree exists already, or cannot be replaced; -E_NO_FIT: its @bytes of
 * data do not fit beside what is there. Reported.
 */
int extract_check(struct extraction *extraction, uint64_t bytes);

#endif
