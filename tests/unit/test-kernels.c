// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which kernel is the next one. Were this wrong, an update would need a second reboot; or the machine
 * would start a kernel that cannot come up, or that cannot find the region with the state in it.
 */
#include "fake-kernel.h"
#include "fake-tree.h"
#include "base/report.h"
#include "reboot/kernel-choice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

static const char *const modules[] = {
	"nd_e820", "nd_pmem", "device_dax", "dax_pmem", "kmem", NULL
};

static struct kernel_choice choice;

static int teardown(void **state)
{
	kernel_choice_clear(&choice);
	return fake_tree_teardown(state);
}

static void choose(const char *kernel)
{
	const struct kernel_wish wish = { .kernel = kernel, .modules = modules };

	kernel_choice_clear(&choice);
	assert_int_equal(kernel_choose(&wish, &choice), 0);
}

static void assert_chosen(const char *wish, const char *file, const char *initrd)
{
	choose(wish);
	assert_string_equal(choice.problem, "");
	assert_string_equal(choice.kernel.file, file);
	assert_string_equal(choice.kernel.initrd ? choice.kernel.initrd : "", initrd);
}

/* The newest one is not fit for @reason, so that the older one is chosen. */
static void assert_left(const char *reason)
{
	assert_chosen(NULL, "/boot/vmlinuz-6.1.0-9-amd64", "/boot/initrd.img-6.1.0-9-amd64");
	assert_int_equal(choice.left, 1);
	assert_non_null(strstr(choice.installed.list[0].fault.text, reason));
	assert_string_equal(choice.why, "the newest that can be used");
}

static void test_newest_by_default(void **state)
{
	(void)state;
	fake_installed("6.1.0-9-amd64");
	fake_installed("6.1.0-10-amd64");
	fake_kernel("boot/vmlinuz-6.1.0-11-amd64.dpkg-new", "6.1.0-11-amd64");
	fake_kernel("boot/vmlinuz-6.9.0.old", "6.9.0");
	fake_kernel("boot/vmlinuz-0-rescue-0123456789abcdef", "9.9.9");
	assert_chosen(NULL, "/boot/vmlinuz-6.1.0-10-amd64", "/boot/initrd.img-6.1.0-10-amd64");
	assert_int_equal(choice.left, 0);
	assert_string_equal(choice.why, "the newest that is installed");
	assert_chosen("newest", "/boot/vmlinuz-6.1.0-10-amd64", "/boot/initrd.img-6.1.0-10-amd64");
}

static void test_half_installed(void **state)
{
	(void)state;
	fake_installed("6.1.0-9-amd64");
	fake_installed("6.1.0-10-amd64");
	fake_write("boot/vmlinuz-6.1.0-10-amd64", "%s", "");
	assert_left("it is empty");
	fake_write("boot/vmlinuz-6.1.0-10-amd64", "text");
	assert_left("not a kernel");
	fake_write("boot/vmlinuz-6.1.0-10-amd64", "MZ, and no more");
	assert_left("EFI");
	fake_installed("6.1.0-10-amd64");
	fake_write_bytes("boot/vmlinuz-6.1.0-10-amd64", "\xff\xff", 2, 0x1f4);
	assert_left("cut off");
	fake_installed("6.1.0-10-amd64");
	fake_remove("boot/initrd.img-6.1.0-10-amd64");
	assert_left("no initrd");
	fake_write("boot/initrd.img-6.1.0-10-amd64", "%s", "");
	assert_left("it is empty");
}

/* The memory with the state in it would be there, and nothing to reach it by. */
static void test_without_a_module(void **state)
{
	(void)state;
	fake_installed("6.1.0-9-amd64");
	fake_installed("6.1.0-10-amd64");
	fake_write("lib/modules/6.1.0-10-amd64/modules.builtin", "kernel/drivers/dax/dax.ko\n");
	assert_left("device_dax");
	fake_remove("lib/modules/6.1.0-10-amd64");
	assert_left("/lib/modules/6.1.0-10-amd64");
}

/* The next kernel could not give the memory back reliably; dkms needs its headers. */
static void test_without_our_driver(void **state)
{
	(void)state;
	fake_installed("6.1.0-9-amd64");
	fake_installed("6.1.0-10-amd64");
	fake_modules("6.1.0-9-amd64", "updates/dkms");
	fake_write("var/lib/dkms/dax-kmem/0.1/source", "%s", "");
	assert_left("dkms autoinstall -k 6.1.0-10-amd64");
	/* It has no driver of ours, and needs none. */
	fake_installed("7.3.4-amd64");
	assert_chosen(NULL, "/boot/vmlinuz-7.3.4-amd64", "/boot/initrd.img-7.3.4-amd64");
	fake_remove("var/lib/dkms/dax-kmem");
	fake_remove("boot/vmlinuz-7.3.4-amd64");
	assert_chosen(NULL, "/boot/vmlinuz-6.1.0-10-amd64", "/boot/initrd.img-6.1.0-10-amd64");
}

static void test_none(void **state)
{
	(void)state;
	choose(NULL);
	assert_int_equal(choice.error, -ENOENT);
	assert_null(choice.kernel.file);
	fake_write("boot/vmlinuz-6.1.0-9-amd64", "%s", "");
	choose("newest");
	assert_int_equal(choice.error, -E_REFUSED);
	assert_non_null(strstr(choice.problem, "/boot/vmlinuz-6.1.0-9-amd64: it is empty"));
}

static void test_running(void **state)
{
	struct utsname running;
	char file[256], initrd[256];

	(void)state;
	assert_int_equal(uname(&running), 0);
	fake_installed("999.0");
	choose("running");
	assert_int_equal(choice.error, -ENOENT);
	fake_installed(running.release);
	snprintf(file, sizeof(file), "/boot/vmlinuz-%s", running.release);
	snprintf(initrd, sizeof(initrd), "/boot/initrd.img-%s", running.release);
	assert_chosen("running", file, initrd);
	assert_chosen(running.release, file, initrd);
	assert_chosen(NULL, "/boot/vmlinuz-999.0", "/boot/initrd.img-999.0");
}

/* What was named is taken as it is, unless it cannot be a kernel at all. */
static void test_named(void **state)
{
	(void)state;
	fake_kernel("srv/test", "5.5.5");
	assert_chosen("/srv/test", "/srv/test", "");
	assert_non_null(strstr(choice.kernel.fault.text, "no initrd"));
	fake_write("boot/initramfs-5.5.5.img", "initrd");
	assert_chosen("/srv/test", "/srv/test", "/boot/initramfs-5.5.5.img");
	assert_non_null(strstr(choice.kernel.fault.text, "/lib/modules/5.5.5"));
	fake_write("srv/empty", "%s", "");
	choose("/srv/empty");
	assert_int_equal(choice.error, -E_FAILED);
	choose("/srv/none");
	assert_int_equal(choice.error, -E_FAILED);
	choose("6.6.6");
	assert_int_equal(choice.error, -ENOENT);
	assert_non_null(strstr(choice.problem, "6.6.6"));
}

/* A machine without initrds must not be told to make one. */
static void test_no_initrds_here(void **state)
{
	struct utsname running;
	char path[256];

	(void)state;
	assert_int_equal(uname(&running), 0);
	fake_installed(running.release);
	snprintf(path, sizeof(path), "boot/initrd.img-%s", running.release);
	fake_remove(path);
	fake_installed("999.0");
	fake_remove("boot/initrd.img-999.0");
	assert_chosen(NULL, "/boot/vmlinuz-999.0", "");
	fake_remove("lib/modules/999.0");
	snprintf(path, sizeof(path), "/boot/vmlinuz-%s", running.release);
	assert_chosen(NULL, path, "");
}

static void test_other_layouts(void **state)
{
	(void)state;
	/* Fedora: the package's own file, and an entry that knows the initrd. */
	fake_kernel("usr/lib/modules/6.5.6-300.fc39.x86_64/vmlinuz", "6.5.6-300.fc39.x86_64");
	fake_modules("6.5.6-300.fc39.x86_64", "kernel/drivers/dax");
	fake_write("boot/initramfs-6.5.6-300.fc39.x86_64.img", "initrd");
	assert_chosen(NULL, "/usr/lib/modules/6.5.6-300.fc39.x86_64/vmlinuz",
		      "/boot/initramfs-6.5.6-300.fc39.x86_64.img");
	/* systemd-boot: everything on the EFI partition, by names that say nothing. */
	fake_kernel("boot/efi/0123/6.6.0/linux", "6.6.0");
	fake_write("boot/efi/0123/6.6.0/initrd", "initrd");
	fake_modules("6.6.0", "kernel/drivers/dax");
	fake_write("boot/efi/loader/entries/0123-6.6.0.conf",
		   "title Test\nversion 6.6.0\nlinux  /0123/6.6.0/linux\n"
		   "initrd\t/0123/6.6.0/initrd\noptions quiet\n");
	fake_write("boot/efi/loader/entries/gone.conf", "linux /gone\n");
	assert_chosen(NULL, "/boot/efi/0123/6.6.0/linux", "/boot/efi/0123/6.6.0/initrd");
	/* Arch: the release is only in the kernel itself. */
	fake_kernel("boot/vmlinuz-linux", "6.7.0-arch1-1");
	fake_write("boot/initramfs-linux.img", "initrd");
	fake_modules("6.7.0-arch1-1", "kernel/drivers/dax");
	assert_chosen(NULL, "/boot/vmlinuz-linux", "/boot/initramfs-linux.img");
}

static void assert_older(const char *a, const char *b)
{
	assert_true(version_compare(a, b) < 0);
	assert_true(version_compare(b, a) > 0);
}

static void test_versions(void **state)
{
	(void)state;
	assert_older("6.1.0-9-amd64", "6.1.0-10-amd64");
	assert_older("6.1.0-56-amd64", "6.12.95+deb12-amd64");
	assert_older("6.12.0-rc3", "6.12.0");
	assert_older("6.12.0-rc3-amd64", "6.12.0-amd64");
	assert_older("6.12~rc1-amd64", "6.12-amd64");
	assert_older("6.12", "6.12.1");
	assert_older("6.5.6-300.fc39.x86_64", "6.5.10-100.fc39.x86_64");
	assert_older("", "1");
	assert_int_equal(version_compare("6.1.0-56-amd64", "6.1.0-56-amd64"), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_tree_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_newest_by_default),
		TEST(test_half_installed),
		TEST(test_without_a_module),
		TEST(test_without_our_driver),
		TEST(test_none),
		TEST(test_running),
		TEST(test_named),
		TEST(test_no_initrds_here),
		TEST(test_other_layouts),
		TEST(test_versions),
	};

	return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
