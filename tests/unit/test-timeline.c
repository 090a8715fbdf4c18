// SPDX-License-Identifier: GPL-2.0-or-later
/* What a restore says of the time. Were this wrong, operators would plan with wrong figures. */
#include "flow/timeline.h"

#include "base/clock.h"
#include "image/image-format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define AT(seconds) ((uint64_t)((seconds)*10) * (NS_PER_SECOND / 10))

static const struct image_timeline timeline = { .at = { [TIMELINE_BEGIN] = AT(1000),
							[TIMELINE_COMMITTED] = AT(1002),
							[TIMELINE_RESTORE] = AT(1010.5) } };

static void assert_says(const struct image_timeline *times, uint64_t boot_ns, const char *text)
{
	assert_string_equal(timeline_text(times, AT(1012), boot_ns).text, text);
}

static void test_over_a_boot(void **state)
{
	(void)state;
	assert_says(&timeline, AT(1003),
		    "The state was away for 12.0 s: 2.0 to save, 8.5 to boot, 1.5 to restore");
	/* The clock of the next kernel is a little behind. */
	assert_says(&timeline, AT(1001),
		    "The state was away for 12.0 s: 2.0 to save, 8.5 to boot, 1.5 to restore");
}

/* Nothing was booted: it would be minutes that somebody spent on other things. */
static void test_in_one_boot(void **state)
{
	(void)state;
	assert_says(&timeline, AT(100),
		    "The state was saved earlier in this boot, 8.5 s before; it took 2.0 s to save and 1.5 to restore");
}

static void test_with_the_services(void **state)
{
	struct image_timeline times = timeline;

	(void)state;
	times.at[TIMELINE_STOP] = AT(990);
	assert_says(&times, AT(1003),
		    "The state was away for 22.0 s: 10.0 to stop the services, 2.0 to save, 8.5 to boot, 1.5 to restore");
}

static void test_a_clock_that_was_set(void **state)
{
	struct image_timeline times = timeline;

	(void)state;
	times.at[TIMELINE_RESTORE] = AT(900);
	assert_says(&times, AT(890), "");
	times.at[TIMELINE_BEGIN] = 0;
	assert_says(&times, AT(890), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_over_a_boot),
		cmocka_unit_test(test_in_one_boot),
		cmocka_unit_test(test_with_the_services),
		cmocka_unit_test(test_a_clock_that_was_set),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
