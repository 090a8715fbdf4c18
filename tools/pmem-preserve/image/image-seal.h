/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in an image for its bytes: XXH3-128, which finds damage, or where there is a key
 * MACs, which nobody can make who does not have it. Chosen for each image; specified in
 * Documentation/image-format.rst.
 */
#ifndef PMEM_PRESERVE_IMAGE_SEAL_H
#define PMEM_PRESERVE_IMAGE_SEAL_H

#include "image/image-digest.h"
#include "auth/mac.h"

#include <stdbool.h>

struct key;

/* The keys of one image, shared by its threads. NULL: there is no key, digests are plain. */
struct image_seal;

/* @uuid must be fresh when an image is written: no two have the same keys. -ENOMEM. */
int image_seal_new(const struct key *key, const uint8_t uuid[16], struct image_seal **ret_seal);
void image_seal_free(struct image_seal *seal);

/* The digest of segment @number of the image, in pieces. What goes wrong shows at the end. */
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

/* Of what follows the header: the header's super_digest. */
int image_seal_super(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest);

/* Of the digest table: the header's root digest. */
int image_seal_table(const struct image_seal *seal, const void *data, size_t length,
		     struct image_digest *ret_digest);

/* The MAC of a header whose changing parts are zeroed; @seal is not NULL. */
int image_seal_header(const struct image_seal *seal, const struct image_header *header,
		      struct image_digest *ret_digest);

static inline bool image_digest_same(const struct image_digest *a, const struct image_digest *b)
{
	return tags_are_same(a->bytes, b->bytes);
}

#endif
