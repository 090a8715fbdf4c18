// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth/mac.h"

#include <endian.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

int poly1305_of_each(const uint8_t *keys, const void *messages, size_t length, size_t count,
		     uint8_t *ret_tags)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_POLY1305, NULL);
	EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool done = context;
	size_t size;

	EVP_MAC_free(mac);
	for (size_t i = 0; i < count && done; i++)
		done = EVP_MAC_init(context, keys + i * MAC_KEY_BYTES, MAC_KEY_BYTES, NULL) == 1 &&
		       EVP_MAC_update(context, (const uint8_t *)messages + i * length, length) ==
			       1 &&
		       EVP_MAC_final(context, ret_tags + i * MAC_TAG_BYTES, &size, MAC_TAG_BYTES) ==
			       1;
	EVP_MAC_CTX_free(context);
	return done ? 0 : -ENOMEM;
}

/* Encrypts zeroes. A block of the stream has 64 bytes, which are two keys. */
int one_time_keys(const uint8_t key[MAC_KEY_BYTES], uint32_t first, size_t count, uint8_t *ret_keys)
{
	static const uint8_t zeroes[MAC_KEY_BYTES];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint32_t counter = htole32(first / 2);
	uint8_t start[16] = { 0 }, skipped[MAC_KEY_BYTES];
	int length;
	bool done;

	memcpy(start, &counter, sizeof(counter));
	memset(ret_keys, 0, count * MAC_KEY_BYTES);
	done = context && EVP_EncryptInit_ex(context, EVP_chacha20(), NULL, key, start) == 1;
	if (done && first % 2)
		done = EVP_EncryptUpdate(context, skipped, &length, zeroes, sizeof(zeroes)) == 1;
	if (done)
		done = EVP_EncryptUpdate(context, ret_keys, &length, ret_keys,
					 (int)(count * MAC_KEY_BYTES)) == 1;
	EVP_CIPHER_CTX_free(context);
	explicit_bzero(skipped, sizeof(skipped));
	return done ? 0 : -ENOMEM;
}

int hmac_of(const uint8_t key[MAC_KEY_BYTES], const void *data, size_t length,
	    uint8_t ret_bytes[MAC_KEY_BYTES])
{
	return HMAC(EVP_sha256(), key, MAC_KEY_BYTES, data, length, ret_bytes, NULL) ? 0 : -ENOMEM;
}

int hkdf_of(const void *secret, size_t length, const void *salt, size_t salt_length,
	    const char *purpose, uint8_t ret_key[MAC_KEY_BYTES])
{
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, length),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_length),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)purpose,
						  strlen(purpose)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF_CTX *context;
	EVP_KDF *kdf;
	bool done;

	/* libcrypto crashes if its default context could not be allocated. All keys come from here. */
	if (!OSSL_LIB_CTX_get0_global_default())
		return -ENOMEM;
	kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
	context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	done = context && EVP_KDF_derive(context, ret_key, MAC_KEY_BYTES, parameters) == 1;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return done ? 0 : -ENOMEM;
}

bool tags_are_same(const void *a, const void *b, size_t count)
{
	return CRYPTO_memcmp(a, b, count * MAC_TAG_BYTES) == 0;
}
