/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key file: the secret that images are authenticated with. Its bytes are never printed. */
#ifndef PMEM_PRESERVE_KEY_H
#define PMEM_PRESERVE_KEY_H

#include "auth/mac.h"

#define KEY_FILE_MIN 32u
#define KEY_FILE_MAX 1024u

struct key;

/*
 * Reads the file at @path. If @path is NULL, there is no key, and *ret_key is NULL. -E_REFUSED,
 * reported: the file does not exist, is not a regular file, can be read or written by others, or is
 * too short or too long.
 */
int key_read(const char *path, struct key **ret_key);

/* Why key_read() would refuse it, as in "is too short"; NULL if it would not, or without @path. */
const char *key_fault(const char *path);

/* Wipes and frees it. @key may be NULL. */
void key_free(struct key *key);

/* Derives a key for one @purpose and one @salt. -ENOMEM, not reported. */
int key_derive(const struct key *key, const void *salt, size_t salt_length, const char *purpose,
	       uint8_t ret_key[MAC_KEY_BYTES]);

#endif
