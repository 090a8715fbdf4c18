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

/* The digest of segment @number of the image, in pieces. Errors are returned at the end. */
struct image_sealing {
	struct image_digester digester;
	struct poly1305 mac;
	bool keyed;
	int error;
};
void image_seal_begin(const struct image_seal *seal, uint64_t number,
		      struct image_sealing *sealing);
void image_seal_add(struct image_sealing *sealing, const void *data, size_t length);
int image_seal_end(struct image_sealing *sealing, struct image_digest *ret_digest);

/* The digest of what follows the header: the header's super_digest. */
int image_seal_super(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest);

/* The digest of the digest table: the header's root_digest. */
int image_seal_table(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest);

/* The MAC of a header whose variable parts are zeroed. @seal must not be NULL. */
int image_seal_header(const struct image_seal *seal, const struct image_header *header,
		      struct image_digest *ret_digest);

static inline bool image_digest_same(const struct image_digest *a, const struct image_digest *b)
{
	return tags_are_same(a->bytes, b->bytes);
}

#endif
