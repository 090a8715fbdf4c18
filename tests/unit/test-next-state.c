// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where systemd takes the machine. Were this wrong, the state would not be saved on the way down,
 * or a mere "systemctl stop" would take the memory away from a machine that goes on.
 */
#include "reboot/next-state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_jobs(void **state)
{
	(void)state;
	assert_int_equal(next_state_parse(""), NEXT_STAYS);
	assert_int_equal(next_state_parse("No jobs running.\n"), NEXT_STAYS);
	assert_int_equal(next_state_parse("412 kexec.target start waiting\n"), NEXT_KEXEC);
	assert_int_equal(next_state_parse(" 412 reboot.target  start waiting"), NEXT_REBOOT);
	assert_int_equal(next_state_parse("1 poweroff.target start waiting\n"), NEXT_POWEROFF);
	assert_int_equal(next_state_parse("1 halt.target start waiting\n"), NEXT_POWEROFF);
	assert_int_equal(next_state_parse("1 soft-reboot.target start running\n"),
			 NEXT_SOFT_REBOOT);
}

static void test_other_jobs(void **state)
{
	(void)state;
	/* Not the unit, or not its start. */
	assert_int_equal(next_state_parse("7 kexec.target stop waiting\n"), NEXT_STAYS);
	assert_int_equal(next_state_parse("7 kexec.target.d start waiting\n"), NEXT_STAYS);
	assert_int_equal(next_state_parse("7 my-kexec.target start waiting\n"), NEXT_STAYS);
	assert_int_equal(next_state_parse("7 kexec.targ"), NEXT_STAYS);
	assert_int_equal(next_state_parse("7 a.service start running\n\n"
					  "8 kexec.target start waiting\n9 b.service stop waiting"),
			 NEXT_KEXEC);
}

static void test_verbs(void **state)
{
	enum next_state next;

	(void)state;
	assert_int_equal(next_state_of_verb("halt", &next), 0);
	assert_int_equal(next, NEXT_POWEROFF);
	assert_int_equal(next_state_of_verb("kexec", &next), 0);
	assert_int_equal(next, NEXT_KEXEC);
	assert_int_equal(next_state_of_verb("sleep", &next), -EINVAL);
	assert_string_equal(next_state_name(NEXT_POWEROFF), "poweroff");
	assert_string_equal(next_state_name(NEXT_STAYS), "stay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_other_jobs),
		cmocka_unit_test(test_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
