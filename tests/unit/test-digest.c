// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The digests: a checkpoint of a machine with AVX2 must be intact on one without, and when it is
 * digested in other pieces.
 */
#include "image/image-digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES 100000u

static uint8_t bytes[BYTES];

static const struct image_digest_code *const codes[] = {
	&image_digest_any,
#ifdef HAVE_DIGEST_AVX2
	&image_digest_avx2,
#endif
};

static int fill(void **state)
{
	uint32_t random = 1;

	for (size_t i = 0; i < BYTES; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(random >> 24);
	}
	return 0;
}

static bool runs_here(const struct image_digest_code *code)
{
#ifdef HAVE_DIGEST_AVX2
	if (code == &image_digest_avx2)
		return __builtin_cpu_supports("avx2");
#endif
	return code == &image_digest_any;
}

static void expect_same(const struct image_digest_code *code, size_t length)
{
	struct image_digest whole = image_digest_any.whole(bytes, length), other;

	other = code->whole(bytes, length);
	assert_memory_equal(&whole, &other, sizeof(whole));
	other = image_digest_of(bytes, length);
	assert_memory_equal(&whole, &other, sizeof(whole));
}

/* XXH3 changes its algorithm at the lengths 240 and 1024. */
static void test_lengths(void **state)
{
	static const size_t lengths[] = { 1, 16, 17, 240, 241, 1023, 1024, 1025, 65536, BYTES };

	for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			if (runs_here(codes[c]))
				expect_same(codes[c], lengths[i]);
}

/* A block has the same digest wherever it lies. */
static void test_blocks(void **state)
{
	struct image_digest digests[3], single;

	for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++) {
		if (!runs_here(codes[c]))
			continue;
		codes[c]->blocks(bytes, 3, digests);
		for (size_t i = 0; i < 3; i++) {
			single = image_digest_any.whole(bytes + i * IMAGE_BLOCK, IMAGE_BLOCK);
			assert_memory_equal(&digests[i], &single, sizeof(single));
		}
	}
}

/* As xxhsum -H2 prints it: an image can be checked without this program. */
static void test_known(void **state)
{
	static const uint8_t nothing[] = { 0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
					   0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct image_digest digest;

		if (!runs_here(codes[i]))
			continue;
		digest = codes[i]->whole("", 0);
		assert_memory_equal(digest.bytes, nothing, sizeof(nothing));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
