// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/image-seal.h"

#include "auth/key.h"
#include "auth/secret.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct image_digest) == MAC_TAG_BYTES, "a MAC has the size of a digest");

/* How many keys are made at a time. */
#define KEYS 64u

/* From the key of the blocks one is derived for each block, for that block alone. */
struct image_seal {
	uint8_t blocks[MAC_KEY_BYTES];
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
	r = key_derive(key, uuid, 16, "pmem-preserve blocks", seal->blocks);
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

/* Poly1305 of each of the blocks, the first of which has the number @first. */
static int tags_of(const struct image_seal *seal, uint64_t first, const void *blocks, size_t length,
		   size_t count, struct image_digest *ret_digests)
{
	uint8_t keys[KEYS * MAC_KEY_BYTES];
	int r = 0;

	for (size_t done = 0, some; done < count && r == 0; done += some) {
		some = count - done < KEYS ? count - done : KEYS;
		r = one_time_keys(seal->blocks, (uint32_t)(first + done), some, keys);
		if (r == 0)
			r = poly1305_of_each(keys, (const uint8_t *)blocks + done * length, length,
					     some, ret_digests[done].bytes);
	}
	explicit_bzero(keys, sizeof(keys));
	return r;
}

int image_seal_blocks(const struct image_seal *seal, uint64_t first, const void *blocks,
		      size_t count, struct image_digest *ret_digests)
{
	if (seal)
		return tags_of(seal, first, blocks, IMAGE_BLOCK, count, ret_digests);
	image_digest_blocks(blocks, count, ret_digests);
	return 0;
}

int image_seal_super(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest)
{
	if (seal)
		return tags_of(seal, 0, data, length, 1, ret_digest);
	*ret_digest = image_digest_of(data, length);
	return 0;
}

int image_seal_header(const struct image_seal *seal, const struct image_header *header,
		      struct image_digest *ret_digest)
{
	uint8_t bytes[MAC_KEY_BYTES];
	int r = hmac_of(seal->header, header, sizeof(*header), bytes);

	if (r == 0)
		memcpy(ret_digest->bytes, bytes, sizeof(ret_digest->bytes));
	return r;
}
