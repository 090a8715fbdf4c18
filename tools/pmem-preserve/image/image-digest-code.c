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

_Static_assert(sizeof(XXH3_state_t) <= sizeof(struct image_digester), "xxhash's state");

static struct image_digest canonical(XXH128_hash_t hash)
{
	struct image_digest digest;
	XXH128_canonical_t bytes;

	XXH128_canonicalFromHash(&bytes, hash);
	memcpy(digest.bytes, bytes.digest, sizeof(digest.bytes));
	return digest;
}

static void begin(struct image_digester *digester)
{
	XXH3_128bits_reset((XXH3_state_t *)digester->state);
}

static void add(struct image_digester *digester, const void *data, size_t length)
{
	XXH3_128bits_update((XXH3_state_t *)digester->state, data, length);
}

static struct image_digest end(const struct image_digester *digester)
{
	return canonical(XXH3_128bits_digest((const XXH3_state_t *)digester->state));
}

static struct image_digest whole(const void *data, size_t length)
{
	return canonical(XXH3_128bits(data, length));
}

const struct image_digest_code DIGEST_CODE = { begin, add, end, whole };
