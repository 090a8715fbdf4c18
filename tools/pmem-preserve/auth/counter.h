/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counter file: a generation, in decimal, below which images are too old to be restored. It
 * lies where those cannot write who may write images. Must not know of images.
 */
#ifndef PMEM_PRESERVE_COUNTER_H
#define PMEM_PRESERVE_COUNTER_H

#include <stdint.h>

#define COUNTER_PATH "/var/lib/pmem-preserve/generation"
#define COUNTER_MAX  (UINT64_MAX / 2)

/*
 * @path NULL everywhere: nothing is counted (0, and nothing happens). All errors are reported.
 *
 * A file that is not there is 0, which is told: everything that is authentic will be taken.
 * -E_REFUSED: others may write it, or it holds no number.
 */
int counter_read(const char *path, uint64_t *ret_generation);

/* Whether counter_raise() will be able to: asked before anything is touched. */
int counter_is_writable(const char *path);

/* At least @generation from now on. It is on the disk when this returns 0. */
int counter_raise(const char *path, uint64_t generation);

#endif
