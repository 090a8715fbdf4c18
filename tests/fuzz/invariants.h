/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all who look at an image's tree rely on. An image that breaks any of it must not open, be it
 * that nothing crashes over it. Must not know how images are read.
 */
#ifndef PMEM_PRESERVE_INVARIANTS_H
#define PMEM_PRESERVE_INVARIANTS_H

struct image;

/* What is wrong with an image that could be opened; NULL: nothing. */
const char *broken_invariant(const struct image *image);

#endif
