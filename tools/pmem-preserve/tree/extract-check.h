/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be checked of a restore before anything is changed. */
#ifndef PMEM_PRESERVE_EXTRACT_CHECK_H
#define PMEM_PRESERVE_EXTRACT_CHECK_H

#include "tree/extract.h"

/*
 * -E_REFUSED: something of the tree exists already, or cannot be replaced; -E_NO_FIT: its @bytes of
 * data do not fit. With "overwrite", existing files and the free space are not checked. Reported.
 */
int extract_check(const struct extraction *extraction, uint64_t bytes);

#endif
