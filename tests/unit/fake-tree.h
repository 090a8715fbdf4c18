/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tree of attributes in a temporary directory, which sysfs.h is made to take for the root. */
#ifndef PMEM_PRESERVE_TEST_FAKE_TREE_H
#define PMEM_PRESERVE_TEST_FAKE_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* Creates an empty tree and makes it the root; ends the test program when that cannot be done. */
void fake_tree_create(void);
void fake_tree_destroy(void);

/* The same as cmocka wants it. */
int fake_tree_setup(void **state);
int fake_tree_teardown(void **state);

/* The directory that holds it. */
const char *fake_tree_root(void);

/* Writes a file, path from the tree's root without "/" first, with the directories above it. */
__attribute__((format(printf, 2, 3))) void fake_write(const char *path, const char *format, ...);
void fake_write_bytes(const char *path, const void *bytes, size_t size, long offset);
__attribute__((format(printf, 2, 3))) void fake_append(const char *path, const char *format, ...);

/* The content of a file, valid until the next call; "" when there is none. */
const char *fake_read(const char *path);
bool fake_exists(const char *path);
void fake_remove(const char *path);

/* Memory blocks @first to @first + @count - 1, of 128 MiB, online in @zone ("": offline). */
void fake_memory_blocks(unsigned int first, unsigned int count, const char *zone);
/* They have been removed. */
void fake_memory_blocks_gone(unsigned int first, unsigned int count);

#endif
