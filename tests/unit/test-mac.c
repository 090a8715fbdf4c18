// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Message authentication, against the test vectors of the standards: a MAC that is merely similar
 * could be forged, or would not be recognized by the next version.
 */
#include "image/image-seal.h"
#include "auth/key.h"
#include "auth/mac.h"
#include "base/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static size_t from_hex(const char *text, uint8_t *bytes)
{
	size_t count = strlen(text) / 2;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(sscanf(text + 2 * i, "%2hhx", &bytes[i]), 1);
	return count;
}

/* RFC 8439, 2.5.2. */
static void test_poly1305(void **state)
{
	static const char message[] = "Cryptographic Forum Research Group";
	uint8_t key[MAC_KEY_BYTES], tag[MAC_TAG_BYTES], found[MAC_TAG_BYTES];
	size_t length = strlen(message);

	from_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b", key);
	from_hex("a8061dc1305136c6c22b8baf0c0127a9", tag);
	assert_int_equal(poly1305_of_each(key, message, length, 1, found), 0);
	assert_memory_equal(found, tag, sizeof(tag));
}

/* RFC 8439, A.1, test vectors 1 and 2: the key stream of a key of zeroes. */
static void test_one_time_keys(void **state)
{
	uint8_t key[MAC_KEY_BYTES] = { 0 }, wanted[4][MAC_KEY_BYTES], found[4][MAC_KEY_BYTES];

	from_hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7", wanted[0]);
	from_hex("da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586", wanted[1]);
	from_hex("9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed", wanted[2]);
	from_hex("29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f", wanted[3]);
	for (uint32_t first = 0; first < 4; first++) {
		assert_int_equal(one_time_keys(key, first, 4 - first, found[first]), 0);
		assert_memory_equal(found[first], wanted[first], (4 - first) * MAC_KEY_BYTES);
	}
}

/* RFC 4231, test cases 1 and 2: HMAC itself pads shorter keys with zeroes. */
static void test_hmac(void **state)
{
	uint8_t key[MAC_KEY_BYTES] = { 0 }, tag[MAC_KEY_BYTES], found[MAC_KEY_BYTES];

	memset(key, 0x0b, 20);
	from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", tag);
	assert_int_equal(hmac_of(key, "Hi There", 8, found), 0);
	assert_memory_equal(found, tag, sizeof(tag));

	memset(key, 0, sizeof(key));
	memcpy(key, "Jefe", 4);
	from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", tag);
	assert_int_equal(hmac_of(key, "what do ya want for nothing?", 28, found), 0);
	assert_memory_equal(found, tag, sizeof(tag));
}

/* RFC 5869, test case 1. */
static void test_hkdf(void **state)
{
	uint8_t secret[22], salt[13], wanted[MAC_KEY_BYTES], found[MAC_KEY_BYTES];

	memset(secret, 0x0b, sizeof(secret));
	from_hex("000102030405060708090a0b0c", salt);
	from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf", wanted);
	assert_int_equal(hkdf_of(secret, sizeof(secret), salt, sizeof(salt),
				 "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", found),
			 0);
	assert_memory_equal(found, wanted, sizeof(wanted));
}

static struct key *make_key(char fill)
{
	char path[] = "/tmp/pmem-preserve-key-XXXXXX", bytes[KEY_FILE_MIN];
	int fd = mkstemp(path);
	struct key *key;

	assert_true(fd >= 0);
	memset(bytes, fill, sizeof(bytes));
	assert_int_equal(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
	assert_int_equal(key_read(path, &key), 0);
	assert_non_null(key);
	unlink(path);
	return key;
}

static struct image_digest seal_of(const struct key *key, uint8_t uuid_byte, uint64_t number)
{
	static const uint8_t block[IMAGE_BLOCK];
	uint8_t uuid[16] = { uuid_byte };
	struct image_digest digest;
	struct image_seal *seal;

	assert_int_equal(image_seal_new(key, uuid, &seal), 0);
	assert_int_equal(image_seal_blocks(seal, number, block, 1, &digest), 0);
	image_seal_free(seal);
	return digest;
}

/* One by one or all at once, a block has the same MAC: those that write and read take different runs. */
static void test_runs(void **state)
{
	static uint8_t blocks[200][IMAGE_BLOCK];
	struct image_digest together[200], single;
	struct key *key = make_key('k');
	struct image_seal *seal;

	assert_int_equal(image_seal_new(key, (const uint8_t *)"0123456789abcdef", &seal), 0);
	assert_int_equal(image_seal_blocks(seal, 7, blocks, 200, together), 0);
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(image_seal_blocks(seal, 7 + i, blocks[i], 1, &single), 0);
		assert_true(image_digest_same(&single, &together[i]));
		assert_true(i == 0 || !image_digest_same(&single, &together[i - 1]));
	}
	image_seal_free(seal);
	key_free(key);
}

/* The same bytes elsewhere in the image, in another image or with another key have another MAC. */
static void test_blocks_cannot_be_moved(void **state)
{
	struct key *key = make_key('k'), *other = make_key('o');
	struct image_digest first = seal_of(key, 1, 0), again = seal_of(key, 1, 0), changed;

	assert_true(image_digest_same(&first, &again));
	changed = seal_of(key, 1, 1);
	assert_false(image_digest_same(&first, &changed));
	changed = seal_of(key, 1, UINT32_MAX);
	assert_false(image_digest_same(&first, &changed));
	changed = seal_of(key, 2, 0);
	assert_false(image_digest_same(&first, &changed));
	changed = seal_of(other, 1, 0);
	assert_false(image_digest_same(&first, &changed));
	key_free(key);
	key_free(other);
}

/* A table of digests must not be accepted as a segment, nor the other way round. */
static void test_purposes_differ(void **state)
{
	struct key *key = make_key('k');
	uint8_t keys[3][MAC_KEY_BYTES];

	assert_int_equal(key_derive(key, "salt", 4, "one", keys[0]), 0);
	assert_int_equal(key_derive(key, "salt", 4, "other", keys[1]), 0);
	assert_int_equal(key_derive(key, "malt", 4, "one", keys[2]), 0);
	assert_memory_not_equal(keys[0], keys[1], MAC_KEY_BYTES);
	assert_memory_not_equal(keys[0], keys[2], MAC_KEY_BYTES);
	key_free(key);
}

/* Without a key they are what any other program can compute. */
static void test_plain(void **state)
{
	static const uint8_t block[IMAGE_BLOCK] = "bytes";
	struct image_digest plain = image_digest_of(block, sizeof(block)), sealed;
	struct image_seal *seal = (struct image_seal *)&plain;

	assert_int_equal(image_seal_new(NULL, (const uint8_t *)"0123456789abcdef", &seal), 0);
	assert_null(seal);
	assert_int_equal(image_seal_blocks(seal, 7, block, 1, &sealed), 0);
	assert_true(image_digest_same(&plain, &sealed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poly1305),
		cmocka_unit_test(test_one_time_keys),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hkdf),
		cmocka_unit_test(test_blocks_cannot_be_moved),
		cmocka_unit_test(test_purposes_differ),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
