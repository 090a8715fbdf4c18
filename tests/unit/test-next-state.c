// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What systemd's jobs lead to. Were this wrong, the state would not be saved at shutdown, or a mere
 * "systemctl stop" would remove memory from a machine that keeps running.
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
	assert_int_equal(next_state_of_job("kexec.target", "start"), NEXT_KEXEC);
	assert_int_equal(next_state_of_job("reboot.target", "start"), NEXT_REBOOT);
	assert_int_equal(next_state_of_job("poweroff.target", "start"), NEXT_POWEROFF);
	assert_int_equal(next_state_of_job("halt.target", "start"), NEXT_POWEROFF);
	assert_int_equal(next_state_of_job("soft-reboot.target", "start"), NEXT_SOFT_REBOOT);
}

static void test_other_jobs(void **state)
{
	/* Not the unit, or not its start. */
	assert_int_equal(next_state_of_job("kexec.target", "stop"), NEXT_STAYS);
	assert_int_equal(next_state_of_job("kexec.target", "verify-active"), NEXT_STAYS);
	assert_int_equal(next_state_of_job("kexec.target.d", "start"), NEXT_STAYS);
	assert_int_equal(next_state_of_job("my-kexec.target", "start"), NEXT_STAYS);
	assert_int_equal(next_state_of_job("kexec.service", "start"), NEXT_STAYS);
	assert_int_equal(next_state_of_job("kexec", "start"), NEXT_STAYS);
	assert_int_equal(next_state_of_job("", ""), NEXT_STAYS);
}

static void test_verbs(void **state)
{
	enum next_state next;

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
