// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that take another one's place: the configuration, the counter, the notes and images. Were
 * this wrong, a crash would leave half a file, or what a killed process left would be in the way.
 */
#include "fake-tree.h"
#include "base/lock.h"
#include "base/replace-file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[300];

static int setup(void **state)
{
	(void)state;
	fake_tree_create();
	fake_write("d/file", "old");
	snprintf(path, sizeof(path), "%s/d/file", fake_tree_root());
	return 0;
}

static void test_replaces_content_and_mode(void **state)
{
	mode_t mask = umask(0077);
	struct stat status;

	(void)state;
	assert_int_equal(replace_file(path, 0644, "new one", 7), 0);
	umask(mask);
	assert_string_equal(fake_read("d/file"), "new one");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_false(fake_exists("d/file.new"));
}

static void test_an_open_reader_keeps_the_old_one(void **state)
{
	int fd = open(path, O_RDONLY);
	char text[8] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(replace_file(path, 0600, "new", 3), 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 3);
	assert_string_equal(text, "old");
	close(fd);
}

static void test_what_is_not_published_leaves_nothing(void **state)
{
	struct new_file file;
	int directory = open_directory_of(path);

	(void)state;
	assert_true(directory >= 0);
	assert_int_equal(new_file_create(directory, "file", 0600, &file), 0);
	assert_int_equal(write(file.fd, "half", 4), 4);
	new_file_clear(&file);
	assert_string_equal(fake_read("d/file"), "old");
	assert_false(fake_exists("d/file.new"));
	close(directory);
}

static void test_a_stale_file_is_not_in_the_way(void **state)
{
	(void)state;
	fake_write("d/file.new", "of a killed process");
	assert_int_equal(replace_file(path, 0600, "new", 3), 0);
	assert_string_equal(fake_read("d/file"), "new");
	assert_false(fake_exists("d/file.new"));
}

static void test_a_file_that_is_being_written_is_left_alone(void **state)
{
	char other[310];
	int fd;

	(void)state;
	fake_write("d/file.new", "half");
	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(lock_take(fd, 0), 0);
	assert_int_equal(replace_file(path, 0600, "new", 3), -EWOULDBLOCK);
	assert_string_equal(fake_read("d/file"), "old");
	assert_string_equal(fake_read("d/file.new"), "half");
	close(fd);
}

static void test_a_link_in_its_place_is_replaced_not_followed(void **state)
{
	char link[310];

	(void)state;
	snprintf(link, sizeof(link), "%s/d/link", fake_tree_root());
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(replace_file(link, 0600, "new", 3), 0);
	assert_string_equal(fake_read("d/file"), "old");
	assert_string_equal(fake_read("d/link"), "new");
}

static void test_no_directory(void **state)
{
	(void)state;
	assert_int_equal(replace_file("/nonexistent/file", 0600, "x", 1), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_replaces_content_and_mode),
		TEST(test_an_open_reader_keeps_the_old_one),
		TEST(test_what_is_not_published_leaves_nothing),
		TEST(test_a_stale_file_is_not_in_the_way),
		TEST(test_a_file_that_is_being_written_is_left_alone),
		TEST(test_a_link_in_its_place_is_replaced_not_followed),
		TEST(test_no_directory),
	};

	return cmocka_run_group_tests_name("replace-file", tests, NULL, NULL);
}
