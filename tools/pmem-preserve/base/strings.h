/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of strings that own their members. An empty list is NULL and 0. */
#ifndef PMEM_PRESERVE_STRINGS_H
#define PMEM_PRESERVE_STRINGS_H

#include <stddef.h>

/* Appends a copy of @text; -ENOMEM. */
int strings_add(char ***strings, size_t *count, const char *text);

/* Frees the members and the list; both parameters are zero afterwards. */
void strings_free(char ***strings, size_t *count);

#endif
