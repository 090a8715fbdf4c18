/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generation counter, which detects replay: a file that holds one decimal number. Images of a
 * lower generation are too old to be restored. Those who can write images must not be able to write
 * this file.
 */
#ifndef PMEM_PRESERVE_COUNTER_H
#define PMEM_PRESERVE_COUNTER_H

#include <stdint.h>

#define COUNTER_PATH "/var/lib/pmem-preserve/generation"
#define COUNTER_MAX  (UINT64_MAX / 2)

/*
 * All functions return 0 and do nothing if @path is NULL (no counter). Errors are reported.
 *
 * A file that does not exist counts as 0, with a message: every authentic image is accepted.
 * -E_REFUSED: others can write the file, or it does not contain a number.
 */
int counter_read(const char *path, uint64_t *ret_generation);

/* Whether counter_raise() will be able to write; to be called before anything is changed. */
int counter_is_writable(const char *path);

/* Sets the counter to @generation unless it is higher; durable when this returns 0. */
int counter_raise(const char *path, uint64_t generation);

#endif
