/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Overwriting what an image leaves in memory before the memory is given to others. */
#ifndef PMEM_PRESERVE_WIPE_H
#define PMEM_PRESERVE_WIPE_H

struct region;

/*
 * Zeroes the image that lies in @region, if there is one (a region that is RAM has none). The caller
 * has asked checkpoint_guard(). On an error, which is reported, the memory must not be given away.
 */
int wipe_region(const struct region *region);

#endif
