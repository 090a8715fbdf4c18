// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which memory blocks there are, and how full memory is. Were this wrong, blocks of other memory
 * would be taken offline, or state that does not fit would seem to.
 */
#include "fake-tree.h"
#include "region/memory-blocks.h"
#include "region/memory-usage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MIB 1048576ull

static void test_whole_blocks_of_a_range(void **state)
{
	const uint64_t block = 128 * MIB;
	struct memory_range range;

	(void)state;
	/* A namespace of 2 GiB at 4 GiB, as devdax: 2 MiB later, 2046 MiB. */
	range = memory_range_whole_blocks((struct memory_range){ .start = 4098 * MIB,
								 .bytes = 2046 * MIB },
					  block);
	assert_int_equal(range.start, 4224 * MIB);
	assert_int_equal(range.bytes, 1920 * MIB);
	/* With blocks of 2 GiB nothing is left. */
	range = memory_range_whole_blocks((struct memory_range){ .start = 4098 * MIB,
								 .bytes = 2046 * MIB },
					  2048 * MIB);
	assert_int_equal(range.bytes, 0);
	range = memory_range_whole_blocks((struct memory_range){ .start = 4096 * MIB,
								 .bytes = 256 * MIB },
					  block);
	assert_int_equal(range.start, 4096 * MIB);
	assert_int_equal(range.bytes, 256 * MIB);
}

static void test_blocks_of_several_ranges(void **state)
{
	const struct memory_range ranges[] = {
		{ .start = 32 * 128 * MIB, .bytes = 2 * 128 * MIB },
		{ .start = 40 * 128 * MIB + 4096, .bytes = 3 * 128 * MIB },
	};
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};

	(void)state;
	fake_memory_blocks(30, 4, "Movable"); /* 30, 31 are before the first range */
	fake_memory_blocks(40, 1, "Movable"); /* begins before the second range */
	fake_memory_blocks(41, 1, "Normal");
	fake_memory_blocks(42, 1, "");
	fake_memory_blocks(43, 1, "Movable"); /* ends after it */
	assert_int_equal(memory_blocks_read(ranges, 2, &blocks), 0);
	assert_int_equal(blocks.count, 4);
	assert_int_equal(blocks.block[0].number, 32);
	assert_int_equal(blocks.block[1].number, 33);
	assert_int_equal(blocks.block[2].number, 41);
	assert_string_equal(blocks.block[2].zone, "Normal");
	assert_int_equal(blocks.block[3].number, 42);
	assert_false(blocks.block[3].online);
	assert_int_equal(memory_blocks_online(&blocks), 3);
	assert_int_equal(memory_blocks_movable(&blocks), 2);
}

static void test_no_memory_hotplug(void **state)
{
	const struct memory_range range = { .start = 0, .bytes = 128 * MIB };
	struct memory_blocks blocks;

	(void)state;
	assert_int_equal(memory_blocks_read(&range, 1, &blocks), -ENOENT);
}

/* As the kernel's, shortened. */
static const char zoneinfo[] = "Node 0, zone      DMA\n"
			       "  per-node stats\n"
			       "      nr_inactive_anon 100\n"
			       "      nr_inactive_file 200\n"
			       "  pages free     1000\n"
			       "        boost    0\n"
			       "        min      10\n"
			       "        managed  3840\n"
			       "        protection: (0, 1, 2, 3, 4)\n"
			       "      nr_free_pages 1000\n"
			       "Node 0, zone  Movable\n"
			       "  pages free     300000\n"
			       "        boost    0\n"
			       "        spanned  491520\n"
			       "        present  491520\n"
			       "        managed  491000\n"
			       "        cma      0\n"
			       "        protection: (0, 0, 0, 0, 0)\n"
			       "      nr_free_pages 300000\n"
			       "      nr_zone_inactive_anon 5\n"
			       "      nr_zone_inactive_file 700\n"
			       "      nr_zone_active_file 300\n"
			       "  pagesets\n"
			       "    cpu: 0\n"
			       "              count: 12\n"
			       "Node 1, zone  Movable\n"
			       "  pages free     11\n"
			       "        managed  22\n";

static void test_zone_usage(void **state)
{
	struct zone_usage usage;

	(void)state;
	fake_write("proc/zoneinfo", "%s", zoneinfo);
	assert_int_equal(zone_usage_read(0, ZONE_MOVABLE, &usage), 0);
	assert_int_equal(usage.managed, 491000ull * 4096);
	assert_int_equal(usage.free, 300000ull * 4096);
	assert_int_equal(usage.file_cache, 1000ull * 4096);
	assert_int_equal(zone_usage_read(1, ZONE_MOVABLE, &usage), 0);
	assert_int_equal(usage.managed, 22 * 4096);
	assert_int_equal(usage.file_cache, 0);
	assert_int_equal(zone_usage_read(1, "DMA", &usage), -ENOENT);
	assert_int_equal(zone_usage_read(2, ZONE_MOVABLE, &usage), -ENOENT);
}

static void test_memory_available(void **state)
{
	uint64_t bytes;

	(void)state;
	fake_write("proc/meminfo", "MemTotal:  8000000 kB\nMemFree:  1 kB\n"
				   "MemAvailable:    2048 kB\nBuffers: 3 kB\n");
	assert_int_equal(memory_available(&bytes), 0);
	assert_int_equal(bytes, 2 * MIB);
	fake_write("proc/meminfo", "MemTotal:  8000000 kB\n");
	assert_int_equal(memory_available(&bytes), -ENODATA);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_tree_setup, fake_tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_whole_blocks_of_a_range), TEST(test_blocks_of_several_ranges),
		TEST(test_no_memory_hotplug),	    TEST(test_zone_usage),
		TEST(test_memory_available),
	};

	return cmocka_run_group_tests_name("memory-blocks", tests, NULL, NULL);
}
