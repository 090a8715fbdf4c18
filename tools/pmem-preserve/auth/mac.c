// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth/mac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

int poly1305_begin(const uint8_t key[MAC_KEY_BYTES], struct poly1305 *ret_poly1305)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_POLY1305, NULL);
	EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (!context || EVP_MAC_init(context, key, MAC_KEY_BYTES, NULL) != 1) {
		EVP_MAC_CTX_free(context);
		return -ENOMEM;
	}
	ret_poly1305->context = context;
	return 0;
}

int poly1305_add(struct poly1305 *poly1305, const void *data, size_t length)
{
	return EVP_MAC_update(poly1305->context, data, length) == 1 ? 0 : -ENOMEM;
}

int poly1305_end(struct poly1305 *poly1305, uint8_t ret_tag[MAC_TAG_BYTES])
{
	size_t length;

	return EVP_MAC_final(poly1305->context, ret_tag, &length, MAC_TAG_BYTES) == 1 ? 0 : -ENOMEM;
}

void poly1305_clear(struct poly1305 *poly1305)
{
	EVP_MAC_CTX_free(poly1305->context);
	poly1305->context = NULL;
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

bool tags_are_same(const void *a, const void *b)
{
	return CRYPTO_memcmp(a, b, MAC_TAG_BYTES) == 0;
}
