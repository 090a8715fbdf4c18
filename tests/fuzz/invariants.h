/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all users of an image's tree rely on. An image that violates it must not open, even if that
 * crashes nothing.
 */
#ifndef PMEM_PRESERVE_INVARIANTS_H
#define PMEM_PRESERVE_INVARIANTS_H

struct image;

/* What is wrong with an image that could be opened, or NULL. */
const char *broken_invariant(const struct image *image);

#endif
