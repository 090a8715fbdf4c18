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

void image_digest_begin(struct image_digester *digester)
{
	code()->begin(digester);
}

void image_digest_add(struct image_digester *digester, const void *data, size_t length)
{
	code()->add(digester, data, length);
}

struct image_digest image_digest_end(const struct image_digester *digester)
{
	return code()->end(digester);
}

struct image_digest image_digest_of(const void *data, size_t length)
{
	return code()->whole(data, length);
}
