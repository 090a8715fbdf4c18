// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a driver reports about memory that it could not remove. If it was misread, the operator
 * would look for the wrong block or page, or for none, or a newer driver would break the program.
 */
#include "fake-tree.h"
#include "region/memory-blocks.h"
#include "region/memory-failure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK_BYTES  (128ull << 20)
#define LAST_FAILURE "sys/bus/dax/devices/dax0.0/last_failure"

static int parse(const char *text, struct memory_failure *ret_failure)
{
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", text);
	return memory_failure_parse(copy, BLOCK_BYTES, ret_failure);
}

static struct memory_failure parsed(const char *text)
{
	struct memory_failure failure;

	assert_int_equal(parse(text, &failure), 0);
	return failure;
}

static void test_all_members(void **state)
{
	struct memory_failure failure;

	(void)state;
	fake_write(LAST_FAILURE, "operation=unplug\nerrno=-110\nblock=memory34\npfn=0x110a0f\n"
				 "class=pinned\nrollback=complete\n");
	assert_int_equal(memory_failure_read("dax0.0", BLOCK_BYTES, &failure), 0);
	assert_string_equal(failure.operation, "unplug");
	assert_int_equal(failure.error, -110);
	assert_true(failure.has_block);
	assert_int_equal(failure.block, 34);
	assert_int_equal(failure.block_bytes, BLOCK_BYTES);
	assert_true(failure.has_pfn);
	assert_int_equal(failure.pfn, 0x110a0f);
	assert_string_equal(failure.class, "pinned");
	assert_int_equal(failure.rollback, ROLLBACK_COMPLETE);
	assert_string_equal(memory_failure_block(&failure).text,
			    "memory34 (0x110000000-0x117ffffff)");
}

static void test_nothing_to_blame(void **state)
{
	struct memory_failure failure = parsed("operation=online\nerrno=-12\nblock=-\npfn=-\n"
					       "class=unknown\nrollback=none\n");

	(void)state;
	assert_string_equal(failure.operation, "online");
	assert_false(failure.has_block);
	assert_false(failure.has_pfn);
	assert_string_equal(failure.class, "unknown");
	assert_int_equal(failure.rollback, ROLLBACK_NONE);
	assert_string_equal(memory_failure_block(&failure).text, "its memory");
}

static void test_incomplete_rollback(void **state)
{
	(void)state;
	assert_int_equal(parsed("operation=unplug\nerrno=-16\n"
				"rollback=incomplete: 2 of 5 blocks are not online\n")
				 .rollback,
			 ROLLBACK_INCOMPLETE);
	assert_int_equal(parsed("operation=unplug\nerrno=-16\nrollback=completely lost\n").rollback,
			 ROLLBACK_UNKNOWN);
	assert_int_equal(parsed("operation=unplug\nerrno=-16\nrollback=comp\n").rollback,
			 ROLLBACK_UNKNOWN);
	assert_int_equal(parsed("operation=unplug\nerrno=-16\n").rollback, ROLLBACK_UNKNOWN);
}

static void test_a_newer_driver_may_say_more(void **state)
{
	struct memory_failure failure = parsed("who=7 of 9\n\nno key\noperation=unplug\nerrno=-16\n"
					       "=\nclass=of-a-kind-that-nobody-knows-yet\n"
					       "block=memory7\nzone==\n");

	(void)state;
	assert_int_equal(failure.error, -16);
	assert_int_equal(failure.block, 7);
	assert_string_equal(failure.class, "unknown");
}

static void test_not_a_failure(void **state)
{
	static const char *const texts[] = {
		"",
		"none\n",
		"\n\n=\n",
		"garbage \377\376 = \001",
		"operation=unplug\n",
		"errno=-16\n",
		"operation=unplug\nerrno=0\n",
		"operation=unplug\nerrno=16\n",
		"operation=unplug\nerrno=-\n",
		"operation=unplug\nerrno=--16\n",
		"operation=unplug\nerrno=-16x\n",
		"operation=unplug\nerrno=-10006\n", /* would be taken for one of the program's own
						     */
		"operation=unplug\nerrno=-99999999999999999999\n",
		"operation=unplug-and-more\nerrno=-16\n",
	};
	struct memory_failure failure;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i], &failure), -ENODATA);
	assert_int_equal(memory_failure_read("dax0.0", BLOCK_BYTES, &failure), -ENOENT);
}

static void test_blocks_and_pages_that_are_none(void **state)
{
	static const char *const texts[] = {
		"block=34",	 "block=memory",      "block=memory-34",
		"block=memory ", "block=memory34/..", "block=memory99999999999999999999",
	};
	static const char *const pages[] = { "pfn=110", "pfn=0xg", "pfn=-1", "pfn=" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(text, sizeof(text), "operation=unplug\nerrno=-16\n%s\npfn=0x1\n",
			 texts[i]);
		assert_false(parsed(text).has_block);
		/* A page without its block is useless. */
		assert_false(parsed(text).has_pfn);
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		snprintf(text, sizeof(text), "operation=unplug\nerrno=-16\nblock=memory1\n%s\n",
			 pages[i]);
		assert_false(parsed(text).has_pfn);
	}
}

static void test_too_long_is_no_failure(void **state)
{
	struct memory_failure failure;

	(void)state;
	fake_write(LAST_FAILURE, "operation=unplug\nerrno=-16\n%05000d", 0);
	assert_true(memory_failure_read("dax0.0", BLOCK_BYTES, &failure) < 0);
}

static void test_what_the_error_alone_tells(void **state)
{
	const struct memory_block movable = { .number = 3, .online = true, .zone = ZONE_MOVABLE };
	const struct memory_block kernel = { .number = 4, .online = true, .zone = "Normal" };

	(void)state;
	assert_string_equal(memory_failure_guess(-EBUSY, &movable, BLOCK_BYTES).class, "unknown");
	assert_string_equal(memory_failure_guess(-EBUSY, &kernel, BLOCK_BYTES).class,
			    "kernel-zone");
	assert_string_equal(memory_failure_guess(-EAGAIN, &kernel, BLOCK_BYTES).class,
			    "kernel-zone");
	assert_string_equal(memory_failure_guess(-ETIMEDOUT, &kernel, BLOCK_BYTES).class,
			    "unknown");
	assert_string_equal(memory_failure_guess(-ENOMEM, &kernel, BLOCK_BYTES).class, "no-memory");
	assert_string_equal(memory_failure_guess(-EINTR, NULL, BLOCK_BYTES).class, "interrupted");
	assert_int_equal(memory_failure_guess(-EBUSY, &kernel, BLOCK_BYTES).block, 4);
	assert_false(memory_failure_guess(-EBUSY, NULL, BLOCK_BYTES).has_block);
}

static void test_other_parts_of_the_kernel_are_quoted(void **state)
{
	struct memory_failure failure =
		parsed("operation=unplug\nerrno=-1\nblock=memory7\nclass=notifier\n");

	(void)state;
	assert_non_null(strstr(memory_failure_reason(&failure).text, "Operation not permitted"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_tree_setup, fake_tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_members),
		TEST(test_nothing_to_blame),
		TEST(test_incomplete_rollback),
		TEST(test_a_newer_driver_may_say_more),
		TEST(test_not_a_failure),
		TEST(test_blocks_and_pages_that_are_none),
		TEST(test_too_long_is_no_failure),
		TEST(test_what_the_error_alone_tells),
		TEST(test_other_parts_of_the_kernel_are_quoted),
	};

	return cmocka_run_group_tests_name("memory-failure", tests, NULL, NULL);
}
