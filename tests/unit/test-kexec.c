// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading the next kernel. Were this wrong, it would start without the memmap= that keeps the
 * region out of its RAM, or be loaded into the region: the reboot would overwrite the state.
 */
#include "fake-kernel.h"
#include "fake-tree.h"
#include "reboot/kexec-cmdline.h"
#include "reboot/kexec.h"
#include "base/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cmocka.h>

#define RUNNING "BOOT_IMAGE=/vmlinuz-6.1 root=/dev/vda1 ro memmap=2G!4G quiet"

static struct utsname running;

static void fake_program(const char *script)
{
	char path[256];

	fake_write("bin/kexec", "#!/bin/sh\nroot=%s\n%s\n", fake_tree_root(), script);
	snprintf(path, sizeof(path), "%s/bin/kexec", fake_tree_root());
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/bin:/usr/bin:/bin", fake_tree_root());
	setenv("PATH", path, 1);
}

static int setup(void **state)
{
	(void)state;
	uname(&running);
	fake_tree_create();
	fake_write("proc/cmdline", RUNNING "\n");
	fake_write("sys/kernel/kexec_loaded", "0\n");
	/* Logs its arguments, and behaves like the program and the kernel together. */
	fake_program(
		"for a; do printf '[%s]' \"$a\" >>$root/log; done; echo >>$root/log\n"
		"case \"$*\" in *-u*) echo 0;; *) echo 1;; esac >$root/sys/kernel/kexec_loaded");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_tree_destroy();
	return 0;
}

/* A boot that is told of no checkpoint, or of an old one, does not know that it has lost one. */
static void test_expected(void **state)
{
	static const struct {
		const char *before, *after, *found;
	} lines[] = {
		{ "quiet", "quiet pmem_preserve.expect=u:1@region0", NULL },
		{ "a -- b", "a pmem_preserve.expect=u:1@region0 -- b", NULL },
		{ "", "pmem_preserve.expect=u:1@region0", NULL },
		{ "pmem_preserve.expect=old a pmem_preserve.expect=older",
		  "a pmem_preserve.expect=u:1@region0", "older" },
		{ "a -- pmem_preserve.expect=init",
		  "a pmem_preserve.expect=u:1@region0 -- pmem_preserve.expect=init", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *next = cmdline_expect(lines[i].before, "u:1@region0");
		char *found = cmdline_expected(lines[i].before);

		assert_string_equal(next, lines[i].after);
		if (lines[i].found)
			assert_string_equal(found, lines[i].found);
		else
			assert_null(found);
		free(next);
		free(found);
	}
}

static void assert_next(const char *now, const char *next)
{
	char *text = cmdline_for_next(now);

	assert_string_equal(text, next);
	free(text);
}

static void test_command_line_for_the_next_kernel(void **state)
{
	(void)state;
	assert_next(RUNNING, "root=/dev/vda1 ro memmap=2G!4G quiet");
	assert_next("  a\t b  \n", "a b");
	assert_next("", "");
	assert_next("BOOT_IMAGE=x", "");
	assert_next("dyndbg=\"file a.c +p\" BOOT_IMAGE=\"a b\" c", "dyndbg=\"file a.c +p\" c");
	/* After -- it is for init. */
	assert_next("a -- BOOT_IMAGE=x", "a -- BOOT_IMAGE=x");
	assert_next("NO_BOOT_IMAGE=x", "NO_BOOT_IMAGE=x");
}

static void assert_lacks(const char *now, const char *next, const char *lacks)
{
	char missing[64] = "";

	assert_int_equal(cmdline_lacks_memmap(now, next, missing, sizeof(missing)), lacks != NULL);
	assert_string_equal(missing, lacks ? lacks : "");
}

static void test_memmap_must_be_kept(void **state)
{
	(void)state;
	assert_lacks("a memmap=2G!4G b", "memmap=2G!4G", NULL);
	assert_lacks("memmap=2G!4G", "quiet", "2G!4G");
	assert_lacks("memmap=2G!4G", "", "2G!4G");
	assert_lacks("quiet", "memmap=2G!4G", NULL);
	/* By value. */
	assert_lacks("memmap=2G!4G", "memmap=2048M!0x100000000", NULL);
	assert_lacks("memmap=2g!4294967296", "memmap=2097152K!4G", NULL);
	assert_lacks("memmap=2G!4G", "memmap=2G!5G", "2G!4G");
	assert_lacks("memmap=2G!4G", "memmap=1G!4G", "2G!4G");
	/* Reserved ($) is not persistent memory (!). */
	assert_lacks("memmap=2G!4G", "memmap=2G$4G", "2G!4G");
	/* Lists, and several parameters. */
	assert_lacks("memmap=1G!4G,1G!5G", "memmap=1G!5G memmap=1G!4G", NULL);
	assert_lacks("memmap=1G!4G memmap=64K$0x18690000", "memmap=64K$0x18690000,1G!4G", NULL);
	assert_lacks("memmap=1G!4G,1G!5G", "memmap=1G!4G", "1G!5G");
	assert_lacks("memmap=exactmap,640K@0", "memmap=640K@0", "exactmap");
	/* Not what is quoted in another parameter, or is for init. */
	assert_lacks("memmap=2G!4G", "x=\"y memmap=2G!4G\"", "2G!4G");
	assert_lacks("memmap=2G!4G", "quiet -- memmap=2G!4G", "2G!4G");
	assert_lacks("quiet -- memmap=2G!4G", "quiet", NULL);
	assert_lacks("memmap=", "quiet", NULL);
}

static int plan_of(const char *kernel, const char *initrd, const char *cmdline,
		   struct kexec_plan *ret_plan)
{
	const struct kernel_wish wish = { .kernel = kernel, .initrd = initrd, .cmdline = cmdline };

	return kexec_plan(&wish, ret_plan);
}

static void test_plan(void **state)
{
	struct kexec_plan plan;

	(void)state;
	fake_installed("6.1.0-10-amd64");
	fake_installed("6.1.0-9-amd64");
	assert_int_equal(plan_of(NULL, NULL, NULL, &plan), 0);
	assert_string_equal(plan.kernel, "/boot/vmlinuz-6.1.0-10-amd64");
	assert_string_equal(plan.initrd, "/boot/initrd.img-6.1.0-10-amd64");
	assert_string_equal(plan.cmdline, "root=/dev/vda1 ro memmap=2G!4G quiet");
	kexec_plan_clear(&plan);
	assert_int_equal(plan_of("6.1.0-9-amd64", "", NULL, &plan), 0);
	assert_string_equal(plan.kernel, "/boot/vmlinuz-6.1.0-9-amd64");
	assert_null(plan.initrd);
	kexec_plan_clear(&plan);
	fake_write("boot/other", "initrd");
	assert_int_equal(plan_of("running", "/boot/other", NULL, &plan), -E_FAILED);
	fake_installed(running.release);
	assert_int_equal(plan_of("running", "/boot/other", NULL, &plan), 0);
	assert_string_equal(plan.initrd, "/boot/other");
	kexec_plan_clear(&plan);
}

static void test_plan_refuses(void **state)
{
	struct kexec_plan plan = {};

	(void)state;
	assert_int_equal(plan_of(NULL, NULL, NULL, &plan), -E_FAILED);
	assert_int_equal(plan_of("/boot/none", NULL, NULL, &plan), -E_FAILED);
	/* It would not come up, and the machine with it. */
	fake_write("boot/vmlinuz-6.1.0-9-amd64", "%s", "");
	assert_int_equal(plan_of("newest", NULL, NULL, &plan), -E_REFUSED);
	assert_int_equal(plan_of("newest", "", NULL, &plan), -E_REFUSED);
	assert_non_null(strstr(report_last_error(), "/boot/vmlinuz-6.1.0-9-amd64: it is empty"));
	fake_kernel("boot/k", "5.5.5");
	assert_int_equal(plan_of("/boot/k", "/boot/none", NULL, &plan), -E_FAILED);
	fake_write("boot/initrd.img-5.5.5", "%s", "");
	assert_int_equal(plan_of("/boot/k", NULL, NULL, &plan), -E_FAILED);
	assert_int_equal(plan_of("/boot/k", "", "root=/dev/vda1", &plan), -E_REFUSED);
	assert_non_null(strstr(report_last_error(), "memmap=2G!4G"));
	assert_null(plan.kernel);
	assert_int_equal(plan_of("/boot/k", "", "root=/dev/vda1 memmap=2048M!4G", &plan), 0);
	kexec_plan_clear(&plan);
}

static struct kexec_plan plan = { .kernel = (char *)"/boot/k",
				  .initrd = (char *)"/boot/i",
				  .cmdline = (char *)"root=/dev/vda1 memmap=2G!4G" };

static void test_load_by_file_only(void **state)
{
	(void)state;
	assert_int_equal(kexec_load(&plan), 0);
	assert_string_equal(fake_read("log"), "[-s][-l][/boot/k][--command-line=root=/dev/vda1 "
					      "memmap=2G!4G][--initrd=/boot/i]\n");
}

static void test_load_takes_the_place_of_another(void **state)
{
	(void)state;
	fake_write("sys/kernel/kexec_loaded", "1\n");
	assert_int_equal(kexec_load(&plan), 0);
	assert_string_equal(fake_read("log"), "[-s][-u]\n"
					      "[-s][-l][/boot/k][--command-line=root=/dev/vda1 "
					      "memmap=2G!4G][--initrd=/boot/i]\n");
}

static void test_errors_carry_what_kexec_says(void **state)
{
	(void)state;
	fake_program("echo 'kexec_file_load failed: Key was rejected by service' >&2; exit 255");
	assert_int_equal(kexec_load(&plan), -EIO);
	assert_non_null(strstr(report_last_error(), "/boot/k"));
	assert_non_null(strstr(report_last_error(), "Key was rejected by service"));
	/* It succeeds, but nothing is loaded. */
	fake_program("exit 0");
	assert_int_equal(kexec_load(&plan), -EIO);
}

/* The memory would be taken back first, and the load be refused then; a dry run would promise it. */
static void test_kexec_is_disabled(void **state)
{
	struct kexec_plan chosen;

	(void)state;
	fake_installed("6.1.0-10-amd64");
	fake_write("proc/sys/kernel/kexec_load_disabled", "1\n");
	assert_int_equal(plan_of(NULL, NULL, NULL, &chosen), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "kernel.kexec_load_disabled"));
	fake_write("proc/sys/kernel/kexec_load_disabled", "0\n");
	assert_int_equal(plan_of(NULL, NULL, NULL, &chosen), 0);
	kexec_plan_clear(&chosen);
}

static void test_kernel_without_kexec(void **state)
{
	bool loaded;

	(void)state;
	fake_remove("sys/kernel/kexec_loaded");
	assert_int_equal(kexec_is_loaded(&loaded), -ENOSYS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected),
		TEST(test_command_line_for_the_next_kernel),
		TEST(test_memmap_must_be_kept),
		TEST(test_plan),
		TEST(test_plan_refuses),
		TEST(test_load_by_file_only),
		TEST(test_load_takes_the_place_of_another),
		TEST(test_errors_carry_what_kexec_says),
		TEST(test_kexec_is_disabled),
		TEST(test_kernel_without_kexec),
	};

	return cmocka_run_group_tests_name("kexec", tests, NULL, NULL);
}
