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
	struct boot_note note = { .place = "region0", .uuid = "u", .generation = 12 };

	snprintf(note.outcome, sizeof(note.outcome), "%s", outcome);
	snprintf(note.reason, sizeof(note.reason), "%s", reason);
	assert_int_equal(note_write_boot(&note), 0);
}

static void test_boot_there_and_back(void **state)
{
	struct boot_note note;

	(void)state;
	assert_false(note_read_boot(&note));
	write_note(BOOT_DAMAGED, "a \"quoted\" $(reboot) `x` \\ line\nend");
	assert_true(note_read_boot(&note));
	assert_string_equal(note.outcome, BOOT_DAMAGED);
	assert_string_equal(note.reason, "a \"quoted\" $(reboot) `x` \\ line end");
	assert_string_equal(note.place, "region0");
	assert_string_equal(note.uuid, "u");
	assert_int_equal(note.generation, 12);
	write_note(BOOT_RESTORED, "");
	assert_true(note_read_boot(&note));
	assert_string_equal(note.reason, "");
	assert_null(strstr(fake_read("run/pmem-preserve/boot"), "REASON"));
}

/* systemd-shutdown's hook and the next step of a kexec rely on these. */
static void test_the_others_there_and_back(void **state)
{
	struct shutdown_note saved = { .saved = true, .next = "kexec", .place = "/var/lib/f" };
	struct kernel_note kernel = { .kernel = "/boot/vmlinuz-6.1" };
	struct shutdown_note down;

	(void)state;
	assert_false(note_read_shutdown(&down));
	assert_int_equal(note_write_shutdown(&saved), 0);
	assert_true(note_read_shutdown(&down));
	assert_true(down.saved);
	assert_string_equal(down.next, "kexec");
	assert_string_equal(down.place, "/var/lib/f");
	note_remove_shutdown();
	assert_false(note_read_shutdown(&down));
	assert_false(note_read_kernel(&kernel));
	assert_int_equal(note_write_kernel(&kernel), 0);
	kernel.kernel[0] = '\0';
	assert_true(note_read_kernel(&kernel));
	assert_string_equal(kernel.kernel, "/boot/vmlinuz-6.1");
	note_remove_kernel();
	assert_false(note_read_kernel(&kernel));
}

/* What a shell makes of it. */
static void test_shell(void **state)
{
	static const char wicked[] = "$(echo no) `echo no` \"; echo no; \\";
	char command[600];

	(void)state;
	write_note(BOOT_FAILED, wicked);
	snprintf(command, sizeof(command),
		 ". %s/run/pmem-preserve/boot && printf %%s \"$PMEM_PRESERVE_REASON\" >%s/out",
		 fake_tree_root(), fake_tree_root());
	assert_int_equal(system(command), 0);
	assert_string_equal(fake_read("out"), wicked);
}

static void test_everybody_may_read_it(void **state)
{
	char path[300];
	struct stat status;
	mode_t mask = umask(0077);

	(void)state;
	write_note(BOOT_NONE, "");
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
		cmocka_unit_test_setup_teardown(test_boot_there_and_back, setup,
						fake_tree_teardown),
		cmocka_unit_test_setup_teardown(test_the_others_there_and_back, setup,
						fake_tree_teardown),
		cmocka_unit_test_setup_teardown(test_shell, setup, fake_tree_teardown),
		cmocka_unit_test_setup_teardown(test_everybody_may_read_it, setup,
						fake_tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
