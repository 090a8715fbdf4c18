/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message authentication by libcrypto: Poly1305 for bulk data, with one-time keys from a ChaCha20
 * key stream; HMAC-SHA-256 for short messages; and HKDF-SHA-256 to derive keys.
 *
 * All functions return 0, or -ENOMEM if libcrypto fails; nothing is reported.
 */
#ifndef PMEM_PRESERVE_MAC_H
#define PMEM_PRESERVE_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_KEY_BYTES 32u
#define MAC_TAG_BYTES 16u

/*
 * Poly1305 (RFC 8439) of @count messages of @length bytes, which follow each other, as do their keys
 * and tags. A key must be used for one message only: two tags reveal it.
 */
int poly1305_of_each(const uint8_t *keys, const void *messages, size_t length, size_t count,
		     uint8_t *ret_tags);

/*
 * The one-time keys number @first to @first + @count - 1 of the ChaCha20 key stream (RFC 8439) of
 * @key, whose nonce is zero. There are 2^32 of them. @ret_keys: @count * MAC_KEY_BYTES.
 */
int one_time_keys(const uint8_t key[MAC_KEY_BYTES], uint32_t first, size_t count,
		  uint8_t *ret_keys);

/* HMAC-SHA-256: 32 bytes, used as a key, or the first MAC_TAG_BYTES of them as a tag. */
int hmac_of(const uint8_t key[MAC_KEY_BYTES], const void *data, size_t length,
	    uint8_t ret_bytes[MAC_KEY_BYTES]);

/* HKDF-SHA-256 (RFC 5869) of the @length bytes at @secret, with @purpose as its info. */
int hkdf_of(const void *secret, size_t length, const void *salt, size_t salt_length,
	    const char *purpose, uint8_t ret_key[MAC_KEY_BYTES]);

/* Compares @count tags, which follow each other, in constant time. */
bool tags_are_same(const void *a, const void *b, size_t count);

#endif
