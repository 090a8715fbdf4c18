/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of an image's bytes before the memory that they lie in is given to others. */
#ifndef PMEM_PRESERVE_WIPE_H
#define PMEM_PRESERVE_WIPE_H

struct region;

/*
 * Zeroes the image that lies in @region, if there is one; checkpoint_guard() has been asked. What
 * is RAM has none. Errors are reported, and the memory is not to be given away then.
 */
int wipe_region(const struct region *region);

#endif
