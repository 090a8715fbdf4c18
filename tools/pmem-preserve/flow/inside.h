/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an image file lies in the state that it is to hold. */
#ifndef PMEM_PRESERVE_INSIDE_H
#define PMEM_PRESERVE_INSIDE_H

#include <stdbool.h>

/*
 * @path: the image, which need not exist, as its directory must. @root: a tree of the state; if it does
 * not exist, nothing lies in it. Links in both are followed. 0 or -errno, not reported.
 */
int image_is_inside(const char *path, const char *root, bool *ret_inside);

#endif
