/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digests in an image: plain XXH3-128, which detects damage, or with a key MACs, which detect
 * forgery as well. Specified in Documentation/image-format.rst.
 */
#ifndef PMEM_PRESERVE_IMAGE_SEAL_H
#define PMEM_PRESERVE_IMAGE_SEAL_H

#include "image/image-digest.h"
#include "auth/mac.h"

#include <stdbool.h>

struct key;

/* The keys of one image, shared by all threads. NULL: no key, and plain digests. */
struct image_seal;

/* Each image that is written needs a new @uuid, so that no two have the same keys. -ENOMEM. */
int image_seal_new(const struct key *key, const uint8_t uuid[16], struct image_seal **ret_seal);
void image_seal_free(struct image_seal *seal);

/*
 * The digests of @count blocks of the image, which lie at @blocks one after the other. @first is the
 * number of the first one in the image; of the index, that in the index at the end. -ENOMEM; never
 * without a seal. Two images must not be sealed with one seal: each key is for one block.
 */
int image_seal_blocks(const struct image_seal *seal, uint64_t first, const void *blocks,
		      size_t count, struct image_digest *ret_digests);

/* The digest of what follows the header in block 0: the header's super_digest. */
int image_seal_super(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest);

/* The MAC of a header whose variable parts are zeroed. @seal must not be NULL. */
int image_seal_header(const struct image_seal *seal, const struct image_header *header,
		      struct image_digest *ret_digest);

static inline bool image_digest_same(const struct image_digest *a, const struct image_digest *b)
{
	return tags_are_same(a->bytes, b->bytes, 1);
}

#endif
