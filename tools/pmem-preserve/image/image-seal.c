// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/image-seal.h"

#include "auth/key.h"
#include "auth/secret.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct image_digest) == MAC_TAG_BYTES, "a MAC has the size of a digest");

/* From the key of the segments one is derived for each segment, for that segment alone. */
struct image_seal {
	uint8_t segments[MAC_KEY_BYTES];
	uint8_t table[MAC_KEY_BYTES];
	uint8_t header[MAC_KEY_BYTES];
};

int image_seal_new(const struct key *key, const uint8_t uuid[16], struct image_seal **ret_seal)
{
	struct image_seal *seal;
	int r;

	*ret_seal = NULL;
	if (!key)
		return 0;
	seal = secret_new(sizeof(*seal));
	if (!seal)
		return -ENOMEM;
	r = key_derive(key, uuid, 16, "pmem-preserve segments", seal->segments);
	if (r == 0)
		r = key_derive(key, uuid, 16, "pmem-preserve table", seal->table);
	if (r == 0)
		r = key_derive(key, uuid, 16, "pmem-preserve header", seal->header);
	if (r < 0) {
		image_seal_free(seal);
		return r;
	}
	*ret_seal = seal;
	return 0;
}

void image_seal_free(struct image_seal *seal)
{
	secret_free(seal, sizeof(*seal));
}

void image_seal_begin(const struct image_seal *seal, uint64_t number, struct image_sealing *sealing)
{
	uint64_t big_endian = htobe64(number);
	uint8_t key[MAC_KEY_BYTES];

	sealing->keyed = seal != NULL;
	sealing->error = 0;
	if (!seal) {
		image_digest_begin(&sealing->digester);
		return;
	}
	sealing->mac.context = NULL;
	sealing->error = hmac_of(seal->segments, &big_endian, sizeof(big_endian), key);
	if (sealing->error == 0)
		sealing->error = poly1305_begin(key, &sealing->mac);
	explicit_bzero(key, sizeof(key));
}

void image_seal_add(struct image_sealing *sealing, const void *data, size_t length)
{
	if (!sealing->keyed)
		image_digest_add(&sealing->digester, data, length);
	else if (sealing->error == 0)
		sealing->error = poly1305_add(&sealing->mac, data, length);
}

int image_seal_end(struct image_sealing *sealing, struct image_digest *ret_digest)
{
	if (!sealing->keyed) {
		*ret_digest = image_digest_end(&sealing->digester);
		return 0;
	}
	if (sealing->error == 0)
		sealing->error = poly1305_end(&sealing->mac, ret_digest->bytes);
	poly1305_clear(&sealing->mac);
	return sealing->error;
}

int image_seal_super(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest)
{
	struct image_sealing sealing;

	/* A number that no segment has. */
	image_seal_begin(seal, UINT64_MAX, &sealing);
	image_seal_add(&sealing, data, length);
	return image_seal_end(&sealing, ret_digest);
}

static int tag_of(const uint8_t key[MAC_KEY_BYTES], const void *data, size_t length,
		  struct image_digest *ret_digest)
{
	uint8_t bytes[MAC_KEY_BYTES];
	int r = hmac_of(key, data, length, bytes);

	if (r == 0)
		memcpy(ret_digest->bytes, bytes, sizeof(ret_digest->bytes));
	return r;
}

int image_seal_table(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest)
{
	if (seal)
		return tag_of(seal->table, data, length, ret_digest);
	*ret_digest = image_digest_of(data, length);
	return 0;
}

int image_seal_header(const struct image_seal *seal, const struct image_header *header,
		      struct image_digest *ret_digest)
{
	return tag_of(seal->header, header, sizeof(*header), ret_digest);
}
