// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memmap= that setup proposes. If it named other than RAM, or all RAM, the machine would not
 * boot.
 */
#include "region/memmap-proposal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MIB   (1ull << 20)
#define GIB   (1ull << 30)
#define BLOCK (128 * MIB)

static const char usual[] = "00000000-00000fff : Reserved\n"
			    "00001000-0009fbff : System RAM\n"
			    "00100000-7ffdbfff : System RAM\n"
			    "  01000000-01ffffff : Kernel code\n"
			    "fec00000-fec003ff : IOAPIC 0\n"
			    "100000000-27fffffff : System RAM\n"
			    "280000000-2ffffffff : Persistent Memory\n"
			    "  280000000-2ffffffff : System RAM (kmem)\n";

static void assert_proposal(const char *iomem, uint64_t wanted, const char *text)
{
	struct memmap_proposal proposal;

	assert_int_equal(memmap_propose(iomem, wanted, BLOCK, &proposal), 0);
	assert_string_equal(memmap_text(&proposal).text, text);
}

/* Behind the last RAM of a machine without an SRAT the kernel refuses to use it as RAM. */
static void test_near_the_end_of_the_high_range(void **state)
{
	(void)state;
	assert_proposal(usual, 2 * GIB, "2G!8064M");
	/* Whole blocks. */
	assert_proposal(usual, 2 * GIB + 1, "2176M!7936M");
	assert_proposal(usual, 1, "128M!9984M");
	/* All of a range, where there is no room for a block after it. */
	assert_proposal("00100000-bfffffff : System RAM\n100000000-17fffffff : System RAM\n",
			2 * GIB - 1, "2G!4G");
}

static void test_low_memory_where_there_is_no_other(void **state)
{
	(void)state;
	/* Neither the partial block at the end of the range nor the one at its start. */
	assert_proposal("00100000-bffdbfff : System RAM\n", GIB, "1G!1792M");
}

static void test_no_room(void **state)
{
	struct memmap_proposal proposal;

	(void)state;
	/* Half of the RAM stays RAM. */
	assert_int_equal(memmap_propose(usual, 5 * GIB, BLOCK, &proposal), -ENOSPC);
	assert_int_equal(memmap_propose("", GIB, BLOCK, &proposal), -ENOSPC);
	assert_int_equal(memmap_propose(usual, 0, BLOCK, &proposal), -ENOSPC);
	/* Not hot-added memory. */
	assert_int_equal(memmap_propose("140000000-1bfffffff : System RAM (kmem)\n", GIB, BLOCK,
					&proposal),
			 -ENOSPC);
}

static void test_addresses_are_hidden(void **state)
{
	struct memmap_proposal proposal;

	(void)state;
	assert_int_equal(memmap_propose("00000000-00000000 : System RAM\n", GIB, BLOCK, &proposal),
			 -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_the_end_of_the_high_range),
		cmocka_unit_test(test_low_memory_where_there_is_no_other),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_addresses_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
