/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for what nobody else may learn: not in a core dump, not in swap as far as limits allow,
 * and wiped when it goes. Must not know what the secret is.
 */
#ifndef PMEM_PRESERVE_SECRET_H
#define PMEM_PRESERVE_SECRET_H

#include <stddef.h>

/* Zeroed, in pages of its own; NULL: out of memory. */
void *secret_new(size_t bytes);

/* @bytes as in secret_new(). NULL is fine. */
void secret_free(void *secret, size_t bytes);

#endif
