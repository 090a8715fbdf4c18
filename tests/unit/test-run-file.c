// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The notes in /run. A service that reads a wrong one starts with an empty state where it has one;
 * a shell that reads a wicked reason must not run it.
 */
#include "fake-tree.h"
#include "reboot/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int setup(void **state)
{
	(void)state;
	fake_tree_create();
	fake_write("run/other", "\n");
	return 0;
}

static void write_note(const char *outcome, const char *reason)
{
	const struct run_line lines[] = {
		{ "OUTCOME", outcome },
		{ "REASON", reason },
	};

	assert_int_equal(run_file_write("boot", lines, 2), 0);
}

static void test_there_and_back(void **state)
{
	char value[64];

	(void)state;
	assert_false(run_file_read("boot", "OUTCOME", value, sizeof(value)));
	write_note("damaged", "a \"quoted\" $(reboot) `x` \\ line\nend");
	assert_true(run_file_read("boot", "OUTCOME", value, sizeof(value)));
	assert_string_equal(value, "damaged");
	assert_true(run_file_read("boot", "REASON", value, sizeof(value)));
	assert_string_equal(value, "a \"quoted\" $(reboot) `x` \\ line end");
	assert_false(run_file_read("boot", "OUT", value, sizeof(value)));
	write_note("restored", NULL);
	assert_false(run_file_read("boot", "REASON", value, sizeof(value)));
	run_file_remove("boot");
	assert_false(run_file_read("boot", "OUTCOME", value, sizeof(value)));
}

/* What a shell makes of it. */
static void test_shell(void **state)
{
	static const char wicked[] = "$(echo no) `echo no` \"; echo no; \\";
	char command[600];

	(void)state;
	write_note("failed", wicked);
	snprintf(command, sizeof(command),
		 ". %s/run/pmem-preserve/boot && printf %%s \"$REASON\" >%s/out", fake_tree_root(),
		 fake_tree_root());
	assert_int_equal(system(command), 0);
	assert_string_equal(fake_read("out"), wicked);
}

static void test_everybody_may_read_it(void **state)
{
	char path[300];
	struct stat status;
	mode_t mask = umask(0077);

	(void)state;
	write_note("none", NULL);
	umask(mask);
	snprintf(path, sizeof(path), "%s/run/pmem-preserve/boot", fake_tree_root());
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, setup, fake_tree_teardown),
		cmocka_unit_test_setup_teardown(test_shell, setup, fake_tree_teardown),
		cmocka_unit_test_setup_teardown(test_everybody_may_read_it, setup,
						fake_tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
