// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot-remove by a driver with a timeout, on a fake sysfs. Were this wrong, the driver would not
 * know when to stop, its report would not reach the operator, or blocks that only the driver could
 * not bring online again would stay offline.
 */
#include "fake-signal.h"
#include "fake-tree.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"
#include "region/memory-failure.h"
#include "base/report.h"
#include "base/sysfs.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST	    32
#define COUNT	    5
#define BLOCK_BYTES (128ull << 20)
#define MEMORY	    "sys/devices/system/memory/memory"
#define DEVICE	    "sys/bus/dax/devices/dax0.0/"
#define TODAY	    "could not be taken offline: pages in it cannot be moved"
#define ALL_BACK    "everything is online again as before"

/* What the driver does; read by the child that writes. */
static struct {
	int error;	       /* it fails with; 0: it removes the memory */
	const char *report;    /* last_failure afterwards; NULL: does not change */
	unsigned int leaves;   /* number of blocks that it leaves offline */
	unsigned int stays;    /* the block that cannot be brought online again */
	bool hangs;	       /* it does all that, and never returns */
	bool shows_progress;   /* and waits until it was seen */
	bool refuses_deadline; /* unplug_timeout_ms cannot be written */
} driver;

static int unplug(void)
{
	if (driver.report)
		fake_write(DEVICE "last_failure", "%s", driver.report);
	fake_memory_blocks(FIRST, driver.leaves, "");
	while (driver.hangs)
		pause();
	if (driver.shows_progress) {
		fake_write(DEVICE "progress", "2 5\n");
		while (!fake_exists("seen"))
			poll(NULL, 0, 10);
	}
	if (driver.error)
		return driver.error;
	fake_memory_blocks_gone(FIRST, COUNT);
	fake_write(DEVICE "state", "unplugged\n");
	return 0;
}

static int fake_kernel(int directory, const char *path, const char *value)
{
	unsigned int number;

	(void)directory;
	fake_append("log", "%s %s\n", strrchr(path, '/') + 1, value);
	if (strcmp(path, DEVICE "state") == 0)
		return strcmp(value, "unplugged") == 0 ? unplug() : -EINVAL;
	if (driver.refuses_deadline && strcmp(path, DEVICE "unplug_timeout_ms") == 0)
		return -EINVAL;
	if (sscanf(path, MEMORY "%u/state", &number) == 1) {
		if (number == driver.stays)
			return -EIO;
		fake_memory_blocks(number, 1, strcmp(value, "online_movable") ? "" : "Movable");
		return 0;
	}
	fake_write(path, "%s", value);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&driver, 0, sizeof(driver));
	fake_tree_create();
	fake_memory_blocks(FIRST, COUNT, "Movable");
	fake_write(DEVICE "state", "online_movable\n");
	fake_write(DEVICE "unplug_timeout_ms", "30000\n");
	fake_write(DEVICE "progress", "0 5\n");
	fake_write(DEVICE "last_failure", "none\n");
	sysfs_set_writer(fake_kernel);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_tree_destroy();
	return 0;
}

static int remove_within(struct hot_remove_limits limits)
{
	const struct memory_range range = { .start = FIRST * BLOCK_BYTES,
					    .bytes = COUNT * BLOCK_BYTES };
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};

	assert_int_equal(memory_blocks_read(&range, 1, &blocks), 0);
	return hot_remove_by_state("dax0.0", &blocks, &limits);
}

/* The removal fails; returns the reported failure. */
static struct memory_failure expect_failure(uint64_t deadline_ms)
{
	struct memory_failure failure = {};
	const struct hot_remove_limits limits = { .deadline_ms = deadline_ms, .failure = &failure };

	assert_int_equal(remove_within(limits), -E_MEMORY);
	assert_true(failure.error < 0);
	return failure;
}

static void assert_says(const char *text)
{
	if (!strstr(report_last_error(), text))
		fail_msg("\"%s\" is not in \"%s\"", text, report_last_error());
}

static void assert_does_not_say(const char *text)
{
	if (strstr(report_last_error(), text))
		fail_msg("\"%s\" is in \"%s\"", text, report_last_error());
}

static void assert_all_back(void)
{
	char path[96];

	for (unsigned int i = FIRST; i < FIRST + COUNT; i++) {
		snprintf(path, sizeof(path), MEMORY "%u/valid_zones", i);
		assert_string_equal(fake_read(path), "Movable\n");
	}
}

static void test_driver_is_told_the_deadline_and_does_it_all(void **state)
{
	const uint64_t flags = 0;
	unsigned int timeout_ms = 0;

	(void)state;
	/* No page is free: the program does not offline blocks itself even then. */
	fake_write_bytes("proc/kpageflags", &flags, sizeof(flags),
			 (long)((FIRST + COUNT) * BLOCK_BYTES / 4096 * sizeof(flags)));
	assert_true(hot_remove_has_deadline("dax0.0"));
	assert_int_equal(remove_within((struct hot_remove_limits){ .deadline_ms = 5000 }), 0);
	assert_int_equal(sscanf(fake_read("log"), "unplug_timeout_ms %u\nstate unplugged\n",
				&timeout_ms),
			 1);
	assert_in_range(timeout_ms, 4000, 5000);
	assert_string_equal(strchr(fake_read("log"), '\n'), "\nstate unplugged\n");
	assert_false(fake_exists(MEMORY "32/state"));
}

static void test_deadline_is_one_that_the_driver_takes(void **state)
{
	(void)state;
	driver.error = -EBUSY;
	expect_failure(86400000);
	assert_non_null(strstr(fake_read("log"), "unplug_timeout_ms 3600000\n"));
	fake_write("log", "%s", "");
	expect_failure(0);
	assert_non_null(strstr(fake_read("log"), "unplug_timeout_ms 1\n"));
}

static void test_deadline_that_was_set_before_comes_back(void **state)
{
	(void)state;
	driver.error = -EBUSY;
	expect_failure(5000);
	assert_string_equal(fake_read(DEVICE "unplug_timeout_ms"), "30000");
}

static void test_driver_that_takes_no_deadline_is_asked_all_the_same(void **state)
{
	(void)state;
	driver.refuses_deadline = true;
	assert_int_equal(remove_within((struct hot_remove_limits){ .deadline_ms = 5000 }), 0);
}

static void see_progress(void *data, unsigned int offline, unsigned int blocks)
{
	unsigned int *last = data;

	assert_int_equal(blocks, COUNT);
	*last = *last * 10 + offline;
	if (offline == 2)
		fake_write("seen", "x");
}

static void test_progress_is_the_driver_s(void **state)
{
	unsigned int seen = 0;
	const struct hot_remove_limits limits = { .deadline_ms = 20000,
						  .progress = see_progress,
						  .data = &seen };

	(void)state;
	driver.shows_progress = true;
	assert_int_equal(remove_within(limits), 0);
	assert_int_equal(seen, 25); /* 2, then 5 */
}

static void test_every_class_has_its_words(void **state)
{
	static const struct {
		const char *class, *why, *advice;
	} classes[] = {
		{ "kernel-zone", "not in ZONE_MOVABLE", "only a reboot" },
		{ "pinned", "pinned by a device", "stop what pins it" },
		{ "hugetlb", "huge page", "nr_hugepages" },
		{ "reserved", "belongs to the kernel or to a driver", "only a reboot" },
		{ "poisoned", "memory error", "dmesg" },
		{ "no-memory", "no free memory elsewhere", "add swap" },
		{ "notifier", "refused (Device or resource busy)", "dmesg" },
		{ "slow", "too many for the time", "longer --deadline" },
		{ "unknown", "pages in it cannot be moved", "longer --deadline" },
		{ "not-yet-known", "pages in it cannot be moved", "longer --deadline" },
	};
	char report[200];

	(void)state;
	driver.report = report;
	driver.error = -EBUSY;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct memory_failure failure;

		snprintf(report, sizeof(report),
			 "operation=unplug\nerrno=-16\nblock=memory33\npfn=0x108001\nclass=%s\n"
			 "rollback=complete\n",
			 classes[i].class);
		failure = expect_failure(5000);
		assert_says(
			"dax0.0: memory33 (0x108000000-0x10fffffff) could not be taken offline: ");
		assert_says(classes[i].why);
		assert_says(classes[i].advice);
		assert_says(ALL_BACK);
		assert_int_equal(failure.block, 33);
		assert_int_equal(failure.error, -EBUSY);
		assert_int_equal(failure.rollback, ROLLBACK_COMPLETE);
	}
}

static void test_page_to_blame_is_named(void **state)
{
	struct memory_failure failure;

	(void)state;
	driver.error = -EBUSY;
	driver.report = "operation=unplug\nerrno=-16\nblock=memory33\npfn=0x108001\nclass=pinned\n"
			"rollback=none\n";
	failure = expect_failure(5000);
	assert_says("(page frame 0x108001)");
	assert_int_equal(failure.pfn, 0x108001);
	assert_int_equal(failure.rollback, ROLLBACK_NONE);
}

static void test_driver_s_deadline_says_why(void **state)
{
	(void)state;
	driver.error = -ETIMEDOUT;
	driver.report = "operation=unplug\nerrno=-110\nblock=memory34\npfn=0x110000\nclass=pinned\n"
			"rollback=complete\n";
	expect_failure(5000);
	assert_says("could not be taken offline in time: a page in it is pinned");
}

static void test_what_the_driver_left_is_brought_back(void **state)
{
	static const char *const rollbacks[] = { "incomplete: 2 of 5 blocks are not online",
						 "complete", "none" };
	char report[200];

	(void)state;
	driver.error = -EBUSY;
	driver.leaves = 2;
	driver.report = report;
	for (size_t i = 0; i < sizeof(rollbacks) / sizeof(rollbacks[0]); i++) {
		snprintf(report, sizeof(report),
			 "operation=unplug\nerrno=-16\nblock=memory34\npfn=-\nclass=pinned\n"
			 "rollback=%s\n",
			 rollbacks[i]);
		assert_int_equal(expect_failure(5000).rollback == ROLLBACK_INCOMPLETE, false);
		assert_all_back();
		assert_says(ALL_BACK);
	}
}

static void test_what_cannot_be_brought_back_is_said(void **state)
{
	(void)state;
	driver.error = -EBUSY;
	driver.leaves = 2;
	driver.stays = FIRST + 1;
	driver.report = "operation=unplug\nerrno=-16\nblock=memory34\npfn=-\nclass=pinned\n"
			"rollback=complete\n";
	assert_int_equal(expect_failure(5000).rollback, ROLLBACK_INCOMPLETE);
	assert_says("memory34 (");
	assert_says("1 of 5 blocks could not be brought back");
	assert_does_not_say(ALL_BACK);
}

static void test_last_failure_of_no_use(void **state)
{
	static const char *const texts[] = {
		"none\n",
		"\001\002\003\n=\n\n",
		/* of something else: another operation, another error, a block of another device */
		"operation=online\nerrno=-16\nblock=memory33\npfn=-\nclass=notifier\n",
		"operation=unplug\nerrno=-12\nblock=memory33\npfn=-\nclass=no-memory\n",
		"operation=unplug\nerrno=-16\nblock=memory7\npfn=-\nclass=notifier\n",
		"operation=unplug\nerrno=-125\nblock=memory33\npfn=-\nclass=interrupted\n",
	};

	(void)state;
	driver.error = -EBUSY;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		driver.report = texts[i];
		assert_string_equal(expect_failure(5000).class, "unknown");
		assert_says("its memory " TODAY);
		assert_says(ALL_BACK);
	}
	driver.report = NULL;
	fake_remove(DEVICE "last_failure");
	assert_false(expect_failure(5000).has_block);
	assert_says("its memory " TODAY);
}

static void test_driver_that_misses_its_deadline_is_ended(void **state)
{
	struct memory_failure failure;

	(void)state;
	driver.hangs = true;
	driver.leaves = 3;
	driver.report = "operation=unplug\nerrno=-125\nblock=memory35\npfn=-\nclass=interrupted\n"
			"rollback=complete\n";
	failure = expect_failure(50);
	assert_all_back();
	assert_says("memory35 (0x118000000-0x11fffffff) could not be taken offline in time");
	assert_int_equal(failure.error, -ETIMEDOUT);
	assert_string_equal(failure.class, "unknown");
}

/* The removal never ends by itself; a signal arrives while it runs. */
static struct memory_failure interrupt(void)
{
	struct memory_failure failure;

	driver.hangs = true;
	fake_remove("log");
	fake_signal_when_logged(SIGINT, "state unplugged");
	failure = expect_failure(60000);
	assert_int_equal(fake_signal_end(), 1);
	assert_all_back();
	return failure;
}

static void test_signal_ends_it(void **state)
{
	(void)state;
	driver.leaves = 2;
	driver.report = "operation=unplug\nerrno=-125\nblock=memory35\npfn=-\nclass=interrupted\n"
			"rollback=complete\n";
	assert_string_equal(interrupt().class, "interrupted");
	assert_says("memory35 (0x118000000-0x11fffffff) could not be taken offline: "
		    "interrupted; " ALL_BACK);
}

static void test_signal_is_not_blamed_on_an_older_failure(void **state)
{
	(void)state;
	fake_write(DEVICE "last_failure",
		   "operation=unplug\nerrno=-16\nblock=memory35\npfn=0x118000\nclass=pinned\n"
		   "rollback=complete\n");
	assert_false(interrupt().has_block);
	assert_says("its memory could not be taken offline: interrupted");
	assert_does_not_say("pinned");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_driver_is_told_the_deadline_and_does_it_all),
		TEST(test_deadline_is_one_that_the_driver_takes),
		TEST(test_deadline_that_was_set_before_comes_back),
		TEST(test_driver_that_takes_no_deadline_is_asked_all_the_same),
		TEST(test_progress_is_the_driver_s),
		TEST(test_every_class_has_its_words),
		TEST(test_page_to_blame_is_named),
		TEST(test_driver_s_deadline_says_why),
		TEST(test_what_the_driver_left_is_brought_back),
		TEST(test_what_cannot_be_brought_back_is_said),
		TEST(test_last_failure_of_no_use),
		TEST(test_driver_that_misses_its_deadline_is_ended),
		TEST(test_signal_ends_it),
		TEST(test_signal_is_not_blamed_on_an_older_failure),
	};

	return cmocka_run_group_tests_name("hotremove-driver", tests, NULL, NULL);
}
