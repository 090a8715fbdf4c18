// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xxhash, inline. It is compiled once per instruction set, since the library in distributions is
 * built for the oldest processor they support, at half of the speed. DIGEST_CODE, set by
 * meson.build, is the name of the resulting table of functions.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "image/image-digest.h"

#include <string.h>

static struct image_digest canonical(XXH128_hash_t hash)
{
	struct image_digest digest;
	XXH128_canonical_t bytes;

	XXH128_canonicalFromHash(&bytes, hash);
	memcpy(digest.bytes, bytes.digest, sizeof(digest.bytes));
	return digest;
}

static struct image_digest whole(const void *data, size_t length)
{
	return canonical(XXH3_128bits(data, length));
}

static void blocks(const void *blocks, size_t count, struct image_digest *ret_digests)
{
	for (size_t i = 0; i < count; i++)
		ret_digests[i] = whole((const uint8_t *)blocks + i * IMAGE_BLOCK, IMAGE_BLOCK);
}

const struct image_digest_code DIGEST_CODE = { whole, blocks };
