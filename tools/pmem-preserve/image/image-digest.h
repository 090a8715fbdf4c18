/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XXH3-128, in one piece or several, with the widest vectors of the processor. */
#ifndef PMEM_PRESERVE_IMAGE_DIGEST_H
#define PMEM_PRESERVE_IMAGE_DIGEST_H

#include "image/image-format.h"

#include <stddef.h>

struct image_digester {
	/* The state of xxhash, whose header does not publish its layout. */
	_Alignas(64) unsigned char state[576];
};

void image_digest_begin(struct image_digester *digester);
void image_digest_add(struct image_digester *digester, const void *data, size_t length);
struct image_digest image_digest_end(const struct image_digester *digester);

/* In one piece. */
struct image_digest image_digest_of(const void *data, size_t length);

/* The same code, compiled for different processors: image-digest-code.c. */
struct image_digest_code {
	void (*begin)(struct image_digester *digester);
	void (*add)(struct image_digester *digester, const void *data, size_t length);
	struct image_digest (*end)(const struct image_digester *digester);
	struct image_digest (*whole)(const void *data, size_t length);
};
extern const struct image_digest_code image_digest_any, image_digest_avx2;

#endif
