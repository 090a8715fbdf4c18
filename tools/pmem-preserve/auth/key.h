/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key file: the secret that images are authenticated with. Must not know of images; never
 * says a byte of it.
 */
#ifndef PMEM_PRESERVE_KEY_H
#define PMEM_PRESERVE_KEY_H

#include "auth/mac.h"

#define KEY_FILE_MIN 32u
#define KEY_FILE_MAX 1024u

struct key;

/*
 * Reads the file at @path; NULL: there is no key, and *ret_key is NULL. Refused (-E_REFUSED,
 * reported) is what others could read or change, what is no regular file, what is too short or
 * long, and what is not there.
 */
int key_read(const char *path, struct key **ret_key);

/* What makes it none, as in "is too short for a key"; NULL: nothing, or there is no @path. */
const char *key_fault(const char *path);

/* Wipes it. NULL is fine. */
void key_free(struct key *key);

/* A key for one purpose and one @salt. -ENOMEM (not reported). */
int key_derive(const struct key *key, const void *salt, size_t salt_length, const char *purpose,
	       uint8_t ret_key[MAC_KEY_BYTES]);

#endif
