// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot-remove on a fake sysfs with a kernel that fails on purpose. Were this wrong, a reboot would
 * hang on pages that cannot be migrated, or a failed attempt would leave the machine with less
 * memory or with memory in a zone from which it can never be removed.
 */
#include "base/clock.h"
#include "fake-signal.h"
#include "fake-tree.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"
#include "base/report.h"
#include "base/sysfs.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
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
#define LAST	    (FIRST + COUNT - 1)
#define BLOCK_BYTES (128ull << 20)
#define MEMORY	    "sys/devices/system/memory/memory"
#define DEVICE	    "sys/bus/dax/devices/dax0.0/"

/* How the kernel fails; read by the child that writes. */
static struct {
	unsigned int fails;	   /* the block that cannot go offline */
	int error;		   /* of that */
	unsigned int failures;	   /* how often it fails before it works; 0: always */
	unsigned int hangs;	   /* the block that never goes offline */
	unsigned int stays;	   /* the block that cannot be brought online again */
	unsigned int wrong_zone;   /* the block that always comes online in ZONE_NORMAL */
	bool state_hangs;	   /* the state attribute never returns */
	bool state_fails_half_way; /* the state attribute fails and leaves blocks offline */
} faults;

static void set_block(unsigned int number, const char *state, const char *zones)
{
	char path[96];

	snprintf(path, sizeof(path), MEMORY "%u/state", number);
	fake_write(path, "%s\n", state);
	snprintf(path, sizeof(path), MEMORY "%u/valid_zones", number);
	fake_write(path, "%s\n", zones);
}

static int write_block(unsigned int number, const char *value)
{
	const char *zone = "Normal";

	fake_append("log", "%u %s\n", number, value);
	if (strcmp(value, "offline") == 0) {
		if (number == faults.hangs)
			for (;;)
				pause();
		if (number == faults.fails) {
			fake_append("tries", "x");
			if (!faults.failures || strlen(fake_read("tries")) <= faults.failures)
				return -faults.error;
		}
		set_block(number, "offline", "Normal Movable");
		return 0;
	}
	if (number == faults.stays)
		return -EPERM;
	if (strcmp(value, "online_movable") == 0 && number != faults.wrong_zone)
		zone = "Movable";
	set_block(number, "online", zone);
	return 0;
}

static int write_state(const char *value)
{
	assert_string_equal(value, "unplugged");
	if (faults.state_hangs) {
		set_block(FIRST, "offline", "Normal Movable");
		for (;;)
			pause();
	}
	if (faults.state_fails_half_way) {
		set_block(FIRST, "offline", "Normal Movable");
		set_block(LAST, "offline", "Normal Movable");
		return -EBUSY;
	}
	fake_memory_blocks_gone(FIRST, COUNT);
	fake_write(DEVICE "state", "unplugged\n");
	return 0;
}

static int fake_kernel(int directory, const char *path, const char *value)
{
	unsigned int number;

	(void)directory;
	if (sscanf(path, MEMORY "%u/state", &number) == 1)
		return write_block(number, value);
	if (strcmp(path, DEVICE "state") == 0)
		return write_state(value);
	fake_write(path, "%s", value);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&faults, 0, sizeof(faults));
	fake_tree_create();
	fake_memory_blocks(FIRST, COUNT, "Movable");
	sysfs_set_writer(fake_kernel);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_tree_destroy();
	return 0;
}

static struct memory_blocks read_blocks(void)
{
	/* Like that of a namespace: not aligned at either end. */
	struct memory_range range = { .start = FIRST * BLOCK_BYTES - 4096,
				      .bytes = COUNT * BLOCK_BYTES + 8192 };
	struct memory_blocks blocks;

	assert_int_equal(memory_blocks_read(&range, 1, &blocks), 0);
	return blocks;
}

static void assert_block(unsigned int number, const char *state, const char *zone)
{
	char path[96], wanted[64];

	snprintf(path, sizeof(path), MEMORY "%u/state", number);
	snprintf(wanted, sizeof(wanted), "%s\n", state);
	assert_string_equal(fake_read(path), wanted);
	snprintf(path, sizeof(path), MEMORY "%u/valid_zones", number);
	snprintf(wanted, sizeof(wanted), "%s\n", zone);
	assert_string_equal(fake_read(path), wanted);
}

static void assert_all_back(void)
{
	for (unsigned int i = FIRST; i <= LAST; i++)
		assert_block(i, "online", "Movable");
}

static int remove_blocks(uint64_t deadline_ms)
{
	const struct hot_remove_limits limits = { .deadline_ms = deadline_ms };
	_cleanup_memory_blocks_ struct memory_blocks blocks = read_blocks();

	return hot_remove_by_block("dax0.0", &blocks, &limits);
}

static void count_progress(void *data, unsigned int offline, unsigned int blocks)
{
	unsigned int *last = data;

	assert_int_equal(blocks, COUNT);
	assert_true(offline > *last);
	*last = offline;
}

static void test_all_blocks_go_offline(void **state)
{
	unsigned int last = 0;
	const struct hot_remove_limits limits = { .deadline_ms = 10000,
						  .progress = count_progress,
						  .data = &last };
	_cleanup_memory_blocks_ struct memory_blocks blocks = read_blocks();

	(void)state;
	assert_int_equal(blocks.count, COUNT);
	assert_int_equal(hot_remove_by_block("dax0.0", &blocks, &limits), 0);
	assert_int_equal(last, COUNT);
	assert_int_equal(memory_blocks_online(&blocks), 0);
	for (unsigned int i = FIRST; i <= LAST; i++)
		assert_block(i, "offline", "Normal Movable");
}

static void assert_rolls_back_from(unsigned int number)
{
	char name[32];

	faults.fails = number;
	faults.error = EBUSY;
	assert_int_equal(remove_blocks(10000), -E_MEMORY);
	assert_all_back();
	snprintf(name, sizeof(name), "memory%u ", number);
	assert_non_null(strstr(report_last_error(), name));
	assert_non_null(strstr(report_last_error(), "everything is online again"));
}

static void test_roll_back_from_first_block(void **state)
{
	(void)state;
	assert_rolls_back_from(FIRST);
}

static void test_roll_back_from_middle_block(void **state)
{
	(void)state;
	assert_rolls_back_from(FIRST + COUNT / 2);
}

static void test_roll_back_from_last_block(void **state)
{
	(void)state;
	assert_rolls_back_from(LAST);
}

static void test_roll_back_keeps_zones_and_offline_blocks(void **state)
{
	(void)state;
	set_block(FIRST, "online", "Normal");
	set_block(FIRST + 1, "offline", "Normal Movable");
	faults.fails = LAST;
	faults.error = ENOMEM;
	assert_int_equal(remove_blocks(10000), -E_MEMORY);
	assert_block(FIRST, "online", "Normal");
	assert_block(FIRST + 1, "offline", "Normal Movable");
	assert_block(FIRST + 2, "online", "Movable");
	assert_block(LAST, "online", "Movable");
}

static void test_roll_back_that_is_not_whole_says_so(void **state)
{
	(void)state;
	faults.fails = LAST;
	faults.error = EBUSY;
	faults.stays = FIRST + 1;
	assert_int_equal(remove_blocks(10000), -E_MEMORY);
	assert_block(FIRST, "online", "Movable");
	assert_block(FIRST + 2, "online", "Movable");
	assert_non_null(strstr(report_last_error(), "1 of 5 blocks could not be brought back"));
}

static void test_roll_back_into_wrong_zone_says_so(void **state)
{
	(void)state;
	faults.fails = LAST;
	faults.error = EBUSY;
	faults.wrong_zone = FIRST;
	assert_int_equal(remove_blocks(10000), -E_MEMORY);
	assert_non_null(strstr(report_last_error(), "1 of 5 blocks could not be brought back"));
}

static void test_busy_block_is_tried_again(void **state)
{
	(void)state;
	faults.fails = FIRST + 2;
	faults.error = EBUSY;
	faults.failures = 2;
	assert_int_equal(remove_blocks(10000), 0);
	assert_int_equal(strlen(fake_read("tries")), 3);
}

static void test_deadline_ends_a_block_that_never_goes(void **state)
{
	uint64_t start = now_ns(), took_ms;

	(void)state;
	faults.hangs = FIRST + 3;
	assert_int_equal(remove_blocks(300), -E_MEMORY);
	took_ms = (now_ns() - start) / 1000000;
	assert_in_range(took_ms, 290, 5000);
	assert_all_back();
	assert_non_null(strstr(report_last_error(), "in time"));
}

static void test_signal_rolls_back_before_it_is_delivered(void **state)
{
	(void)state;
	faults.hangs = LAST;
	/* Not before it has reached the last block. */
	fake_signal_when_logged(SIGTERM, "36 offline");
	assert_int_equal(remove_blocks(20000), -E_MEMORY);
	assert_int_equal(fake_signal_end(), 1);
	assert_all_back();
	assert_non_null(strstr(report_last_error(), "interrupted"));
}

/* Of block FIRST + i, (i + 2) % 5 eighths are in use. */
static void fill_blocks(void)
{
	const uint64_t pages = BLOCK_BYTES / 4096;
	static uint64_t flags[BLOCK_BYTES / 4096];

	for (unsigned int i = 0; i < COUNT; i++) {
		for (uint64_t page = 0; page < pages; page++)
			flags[page] =
				page % 512 < 64 * ((i + 2) % 5) ? 1 << KPF_LRU : 1 << KPF_BUDDY;
		fake_write_bytes("proc/kpageflags", flags, sizeof(flags),
				 (long)((FIRST + i) * sizeof(flags)));
	}
}

static void test_emptiest_block_goes_first(void **state)
{
	(void)state;
	fill_blocks();
	assert_int_equal(remove_blocks(10000), 0);
	assert_string_equal(fake_read("log"),
			    "35 offline\n36 offline\n32 offline\n33 offline\n34 offline\n");
}

static int remove_by_state(uint64_t deadline_ms)
{
	const struct hot_remove_limits limits = { .deadline_ms = deadline_ms };
	_cleanup_memory_blocks_ struct memory_blocks blocks = read_blocks();

	fake_write(DEVICE "state", "online_movable\n");
	assert_true(hot_remove_has_state("dax0.0"));
	return hot_remove_by_state("dax0.0", &blocks, &limits);
}

static void test_state_attribute_removes_all(void **state)
{
	(void)state;
	fake_write(DEVICE "unplug_timeout_ms", "0");
	assert_int_equal(remove_by_state(1234), 0);
	assert_in_range(atoi(fake_read(DEVICE "unplug_timeout_ms")), 1000, 1234);
	assert_false(fake_exists(MEMORY "32/state"));
}

static void test_state_attribute_comes_after_the_better_order(void **state)
{
	(void)state;
	fill_blocks();
	assert_int_equal(remove_by_state(10000), 0);
	assert_string_equal(fake_read("log"),
			    "35 offline\n36 offline\n32 offline\n33 offline\n34 offline\n");
	assert_false(fake_exists(MEMORY "32/state"));
}

static void test_state_attribute_that_fails_half_way_is_mended(void **state)
{
	(void)state;
	faults.state_fails_half_way = true;
	assert_int_equal(remove_by_state(1000), -E_MEMORY);
	assert_all_back();
}

static void test_state_attribute_that_hangs_is_ended(void **state)
{
	(void)state;
	faults.state_hangs = true;
	assert_int_equal(remove_by_state(100), -E_MEMORY);
	assert_all_back();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_blocks_go_offline),
		TEST(test_roll_back_from_first_block),
		TEST(test_roll_back_from_middle_block),
		TEST(test_roll_back_from_last_block),
		TEST(test_roll_back_keeps_zones_and_offline_blocks),
		TEST(test_roll_back_that_is_not_whole_says_so),
		TEST(test_roll_back_into_wrong_zone_says_so),
		TEST(test_busy_block_is_tried_again),
		TEST(test_deadline_ends_a_block_that_never_goes),
		TEST(test_signal_rolls_back_before_it_is_delivered),
		TEST(test_emptiest_block_goes_first),
		TEST(test_state_attribute_removes_all),
		TEST(test_state_attribute_comes_after_the_better_order),
		TEST(test_state_attribute_that_fails_half_way_is_mended),
		TEST(test_state_attribute_that_hangs_is_ended),
	};

	return cmocka_run_group_tests_name("hotremove", tests, NULL, NULL);
}
