// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attributes. Were this wrong, a number or a state would be misread, or a write into the kernel
 * that never returns would block a reboot.
 */
#include "base/child.h"
#include "base/clock.h"
#include "fake-tree.h"
#include "base/report.h"
#include "base/sysfs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_read_strips_the_end(void **state)
{
	char text[8];

	(void)state;
	fake_write("sys/a", "online \n");
	assert_int_equal(sysfs_read(-1, "/sys/a", text, sizeof(text)), -EOVERFLOW);
	fake_write("sys/a", "none\n\n");
	assert_int_equal(sysfs_read(-1, "/sys/a", text, sizeof(text)), 0);
	assert_string_equal(text, "none");
	fake_write("sys/a", "\n");
	assert_int_equal(sysfs_read(-1, "/sys/a", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(sysfs_read(-1, "/sys/none", text, sizeof(text)), -ENOENT);
}

static void test_read_from_a_directory(void **state)
{
	char text[8];
	int directory;

	(void)state;
	fake_write("sys/d/a", "1\n");
	directory = sysfs_open(-1, "/sys/d");
	assert_true(directory >= 0);
	assert_int_equal(sysfs_read(directory, "a", text, sizeof(text)), 0);
	assert_string_equal(text, "1");
	assert_true(sysfs_exists(directory, "a"));
	assert_false(sysfs_exists(directory, "b"));
	close(directory);
	assert_int_equal(sysfs_open(-1, "/sys/d/a"), -ENOTDIR);
}

static void test_numbers(void **state)
{
	uint64_t number = 7;

	(void)state;
	fake_write("sys/n", "8000000\n");
	assert_int_equal(sysfs_read_number(-1, "/sys/n", 16, &number), 0);
	assert_int_equal(number, 128 << 20);
	for (const char *const *bad = (const char *const[]){ "", "x", "1x", "-1", "1 2",
							     "99999999999999999999", NULL };
	     *bad; bad++) {
		fake_write("sys/n", "%s\n", *bad);
		assert_int_equal(sysfs_read_number(-1, "/sys/n", 10, &number), -EINVAL);
	}
	assert_int_equal(number, 128 << 20);
}

static void test_text_of_any_length(void **state)
{
	static char long_text[50001];
	char *text;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	fake_write("proc/zoneinfo", "%s", long_text);
	assert_int_equal(sysfs_read_text(-1, "/proc/zoneinfo", &text), 0);
	assert_string_equal(text, long_text);
	free(text);
	fake_write("proc/zoneinfo", "%s", "");
	assert_int_equal(sysfs_read_text(-1, "/proc/zoneinfo", &text), 0);
	assert_string_equal(text, "");
	free(text);
}

static void test_link_gives_the_driver(void **state)
{
	char path[256], name[8];

	(void)state;
	fake_write("sys/dev/x", "1");
	snprintf(path, sizeof(path), "%s/sys/dev/driver", fake_tree_root());
	assert_int_equal(symlink("../../bus/dax/drivers/kmem", path), 0);
	assert_int_equal(sysfs_read_link(-1, "/sys/dev/driver", name, sizeof(name)), 0);
	assert_string_equal(name, "kmem");
	assert_int_equal(sysfs_read_link(-1, "/sys/dev/driver", name, 4), -EOVERFLOW);
	assert_int_equal(sysfs_read_link(-1, "/sys/dev/none", name, sizeof(name)), -ENOENT);
}

static int writer_fails(int directory, const char *path, const char *value)
{
	(void)directory, (void)path, (void)value;
	return -EBUSY;
}

static int writer_hangs(int directory, const char *path, const char *value)
{
	(void)directory, (void)path, (void)value;
	pause();
	return 0;
}

static void test_write(void **state)
{
	(void)state;
	fake_write("sys/a", "longer than that\n");
	assert_int_equal(sysfs_write(-1, "/sys/a", "offline"), 0);
	assert_string_equal(fake_read("sys/a"), "offline");
	assert_int_equal(sysfs_write(-1, "/sys/none", "x"), -ENOENT);
}

static void test_write_within_passes_results_on(void **state)
{
	const struct child_limit wait = { .deadline_ns = now_ns() + 5000000000ull };

	(void)state;
	fake_write("sys/a", "online\n");
	assert_int_equal(sysfs_write_within(-1, "/sys/a", "offline", &wait), 0);
	assert_string_equal(fake_read("sys/a"), "offline");
	assert_int_equal(sysfs_write_within(-1, "/sys/none", "x", &wait), -ENOENT);
	sysfs_set_writer(writer_fails);
	assert_int_equal(sysfs_write_within(-1, "/sys/a", "x", &wait), -EBUSY);
}

static void test_write_within_ends_at_the_deadline(void **state)
{
	uint64_t start = now_ns();
	const struct child_limit wait = { .deadline_ns = start + 200000000 };

	(void)state;
	sysfs_set_writer(writer_hangs);
	assert_int_equal(sysfs_write_within(-1, "/sys/a", "x", &wait), -ETIMEDOUT);
	assert_in_range((now_ns() - start) / 1000000, 200, 4000);
}

static int third_tick(void *data)
{
	return ++*(int *)data == 3 ? -EINTR : 0;
}

static void test_write_within_ends_when_the_tick_says_so(void **state)
{
	int ticks = 0;
	const struct child_limit wait = { .deadline_ns = now_ns() + 20000000000ull,
					  .tick = third_tick,
					  .data = &ticks };

	(void)state;
	sysfs_set_writer(writer_hangs);
	assert_int_equal(sysfs_write_within(-1, "/sys/a", "x", &wait), -EINTR);
	assert_int_equal(ticks, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_tree_setup, fake_tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_read_strips_the_end),
		TEST(test_read_from_a_directory),
		TEST(test_numbers),
		TEST(test_text_of_any_length),
		TEST(test_link_gives_the_driver),
		TEST(test_write),
		TEST(test_write_within_passes_results_on),
		TEST(test_write_within_ends_at_the_deadline),
		TEST(test_write_within_ends_when_the_tick_says_so),
	};

	return cmocka_run_group_tests_name("sysfs", tests, NULL, NULL);
}
