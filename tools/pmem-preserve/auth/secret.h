/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for secrets: left out of core dumps, not swapped out as far as limits allow, not inherited
 * by children, and wiped when it is freed.
 */
#ifndef PMEM_PRESERVE_SECRET_H
#define PMEM_PRESERVE_SECRET_H

#include <stddef.h>

/* Zeroed memory in pages of its own; NULL when out of memory. */
void *secret_new(size_t bytes);

/* Wipes and frees it. @bytes as for secret_new(); @secret may be NULL. */
void secret_free(void *secret, size_t bytes);

#endif
