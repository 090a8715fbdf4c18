/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be known of a restore before anything is touched. */
#ifndef PMEM_PRESERVE_EXTRACT_CHECK_H
#define PMEM_PRESERVE_EXTRACT_CHECK_H

#include "image/image.h"

/*
 * @root: the open directory that stands for "/". -E_REFUSED when something of the image exists
 * there (not asked with @overwrite); -E_NO_FIT when its data does not fit. Reported.
 */
int extract_check(const struct image *image, int root, bool overwrite);

#endif
