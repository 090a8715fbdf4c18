// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values as text. A file can have any name: were it printed as it is, a user who may write in the
 * state could make root's terminal do things, or have one file taken for another.
 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *printable(const char *text, size_t size)
{
	static char line[64];

	text_printable(text, line, size);
	return line;
}

static void test_printable(void **state)
{
	(void)state;
	assert_string_equal(printable("plain \xc3\xa9", 64), "plain \xc3\xa9");
	assert_string_equal(printable("a\nb\033[2J\177", 64), "a\\012b\\033[2J\\177");
	/* A name that looks like an escaped one is another name. */
	assert_string_equal(printable("a\\012b", 64), "a\\\\012b");
	/* CSI as one character: a terminal takes it as ESC [. */
	assert_string_equal(printable("\xc2\x9b"
				      "2J",
				      64),
			    "\\302\\2332J");
	assert_string_equal(printable("\x9b"
				      "2J",
				      64),
			    "\\2332J");
	assert_string_equal(printable("\xc2", 64), "\\302");
	assert_string_equal(printable("\xe2\x82\xac \xe2\x82", 64), "\xe2\x82\xac \\342\\202");
	assert_string_equal(printable("\xf0\x9f\x98\x80", 64), "\xf0\x9f\x98\x80");
	assert_string_equal(printable("\xc2\xa0", 64), "\xc2\xa0");
}

/* Cut between characters, never within the digits of one. */
static void test_printable_is_cut(void **state)
{
	(void)state;
	assert_string_equal(printable("ab\n", 6), "ab");
	assert_string_equal(printable("ab\n", 7), "ab\\012");
	assert_string_equal(printable("abc", 3), "ab");
	assert_string_equal(printable("a\xc3\xa9", 3), "a");
	assert_string_equal(printable("", 5), "");
}

static void test_sizes(void **state)
{
	(void)state;
	assert_string_equal(size_text(0).text, "0 bytes");
	assert_string_equal(size_text(1023).text, "1023 bytes");
	assert_string_equal(size_text(2ull << 30).text, "2 GiB");
	assert_string_equal(size_text((3ull << 30) / 2).text, "1.5 GiB");
	assert_string_equal(size_exact(2048).text, "2 KiB (2048 bytes)");
	assert_string_equal(size_exact(7).text, "7 bytes");
}

static void test_modes(void **state)
{
	(void)state;
	assert_string_equal(mode_text(S_IFREG | 0644).text, "-rw-r--r--");
	assert_string_equal(mode_text(S_IFDIR | 01777).text, "drwxrwxrwt");
	assert_string_equal(mode_text(S_IFREG | 06711).text, "-rws--s--x");
	assert_string_equal(mode_text(S_IFREG | 07000).text, "---S--S--T");
}

static void test_uuid(void **state)
{
	static const uint8_t uuid[16] = { 0x4c, 0x12, 0xe4, 0xed, 0x59, 0x97, 0x4b, 0x64,
					  0x89, 0x93, 0xa1, 0xef, 0x6a, 0xca, 0x07, 0xe3 };

	(void)state;
	assert_string_equal(uuid_text(uuid).text, "4c12e4ed-5997-4b64-8993-a1ef6aca07e3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable), cmocka_unit_test(test_printable_is_cut),
		cmocka_unit_test(test_sizes),	  cmocka_unit_test(test_modes),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
