/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XXH3-128, with the widest vectors of the processor. */
#ifndef PMEM_PRESERVE_IMAGE_DIGEST_H
#define PMEM_PRESERVE_IMAGE_DIGEST_H

#include "image/image-format.h"

#include <stddef.h>

struct image_digest image_digest_of(const void *data, size_t length);

/* Of each of @count blocks of 4 KiB, which follow each other. */
void image_digest_blocks(const void *blocks, size_t count, struct image_digest *ret_digests);

/* The same code, compiled for different processors: image-digest-code.c. */
struct image_digest_code {
	struct image_digest (*whole)(const void *data, size_t length);
	void (*blocks)(const void *blocks, size_t count, struct image_digest *ret_digests);
};
extern const struct image_digest_code image_digest_any, image_digest_avx2;

#endif
