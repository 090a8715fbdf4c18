// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/image-digest.h"

static const struct image_digest_code *code(void)
{
#ifdef HAVE_DIGEST_AVX2
	if (__builtin_cpu_supports("avx2"))
		return &image_digest_avx2;
#endif
	return &image_digest_any;
}

struct image_digest image_digest_of(const void *data, size_t length)
{
	return code()->whole(data, length);
}

void image_digest_blocks(const void *blocks, size_t count, struct image_digest *ret_digests)
{
	code()->blocks(blocks, count, ret_digests);
}
