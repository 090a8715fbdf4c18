// SPDX-License-Identifier: GPL-2.0-or-later
/* The counter: if it were lost, torn or lowered, an old image could be restored again. */
#include "auth/counter.h"
#include "base/report.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/pmem-preserve-counter-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	strcpy(strrchr(directory, '-'), "-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/generation", directory);
	return 0;
}

static int remove_directory(void **state)
{
	char lock[sizeof(path) + 5];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	chmod(path, 0600);
	unlink(path);
	unlink(lock);
	return rmdir(directory);
}

static void write_text(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, 0600);
}

static void expect(uint64_t wanted)
{
	uint64_t value = 0;

	assert_int_equal(counter_read(path, &value), 0);
	assert_int_equal(value, wanted);
}

static void test_up_only(void **state)
{
	struct stat status;

	expect(0);
	assert_int_equal(counter_raise(path, 5), 0);
	expect(5);
	assert_int_equal(counter_raise(path, 4), 0);
	expect(5);
	assert_int_equal(counter_raise(path, 1ull << 40), 0);
	expect(1ull << 40);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_no_number(void **state)
{
	static const char *const texts[] = { "",
					     "\n",
					     "12",
					     "-1\n",
					     " 1\n",
					     "1 \n",
					     "0x10\n",
					     "1\n2\n",
					     "9223372036854775808\n",
					     "99999999999999999999999999999999999999\n" };
	uint64_t value;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_text(texts[i]);
		assert_int_equal(counter_read(path, &value), -E_REFUSED);
		assert_int_equal(counter_raise(path, 5), -E_REFUSED);
	}
}

static void test_written_by_others(void **state)
{
	uint64_t value;

	write_text("5\n");
	chmod(path, 0620);
	assert_int_equal(counter_read(path, &value), -E_REFUSED);
	chmod(path, 0602);
	assert_int_equal(counter_read(path, &value), -E_REFUSED);
	chmod(path, 0644);
	expect(5);
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_true(counter_read(path, &value) < 0);
	assert_true(counter_raise(path, 9) < 0);
}

/* Whoever can read the directory can lock it; that must not keep a checkpoint from its commit. */
static void test_locked_by_others(void **state)
{
	int held = open(directory, O_RDONLY | O_DIRECTORY);
	char lock[sizeof(path) + 5];
	struct stat status;

	assert_int_equal(flock(held, LOCK_EX), 0);
	alarm(5);
	assert_int_equal(counter_raise(path, 5), 0);
	alarm(0);
	expect(5);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	assert_int_equal(stat(lock, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	close(held);
}

/* The directory is created, but not its parents: the path may be a typing error. */
static void test_directory(void **state)
{
	char deeper[sizeof(path) + 32], text[sizeof(path)];
	uint64_t value;

	snprintf(text, sizeof(text), "%s", path);
	snprintf(deeper, sizeof(deeper), "%s/generation", text);
	assert_int_equal(counter_is_writable(deeper), 0);
	assert_int_equal(counter_raise(deeper, 3), 0);
	assert_int_equal(counter_read(deeper, &value), 0);
	assert_int_equal(value, 3);
	unlink(deeper);
	strcat(deeper, ".lock");
	unlink(deeper);
	rmdir(text);
	snprintf(deeper, sizeof(deeper), "%s/none/generation", text);
	assert_true(counter_is_writable(deeper) < 0);
	assert_true(counter_raise(deeper, 3) < 0);
}

static void test_none(void **state)
{
	uint64_t value = 7;

	assert_int_equal(counter_read(NULL, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(counter_is_writable(NULL), 0);
	assert_int_equal(counter_raise(NULL, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_up_only, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_no_number, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_written_by_others, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_locked_by_others, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_directory, make_directory, remove_directory),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
