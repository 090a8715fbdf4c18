/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message authentication by libcrypto: Poly1305 for bulk data, HMAC-SHA-256 for short messages, and
 * HKDF-SHA-256 to derive keys.
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

/* Poly1305 (RFC 8439) in pieces. A key must be used for one message only: two tags reveal it. */
struct poly1305 {
	struct evp_mac_ctx_st *context;
};
int poly1305_begin(const uint8_t key[MAC_KEY_BYTES], struct poly1305 *ret_poly1305);
int poly1305_add(struct poly1305 *poly1305, const void *data, size_t length);
int poly1305_end(struct poly1305 *poly1305, uint8_t ret_tag[MAC_TAG_BYTES]);
void poly1305_clear(struct poly1305 *poly1305);

/* HMAC-SHA-256: 32 bytes, used as a key, or the first MAC_TAG_BYTES of them as a tag. */
int hmac_of(const uint8_t key[MAC_KEY_BYTES], const void *data, size_t length,
	    uint8_t ret_bytes[MAC_KEY_BYTES]);

/* HKDF-SHA-256 (RFC 5869) of the @length bytes at @secret, with @purpose as its info. */
int hkdf_of(const void *secret, size_t length, const void *salt, size_t salt_length,
	    const char *purpose, uint8_t ret_key[MAC_KEY_BYTES]);

/* Compares in constant time. */
bool tags_are_same(const void *a, const void *b);

#endif
