// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Children with a deadline. Were this wrong, a program that hangs would hold up a reboot, or its
 * message would be lost.
 */
#include "base/child.h"
#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int run(const char *script, unsigned int deadline_ms, struct program_result *ret_result)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };

	return child_program(argv, deadline_ms, ret_result);
}

static void test_status_and_both_outputs(void **state)
{
	struct program_result result;

	(void)state;
	assert_int_equal(run("echo one; echo two >&2; exit 3", 20000, &result), 0);
	assert_int_equal(result.status, 3);
	assert_string_equal(result.output, "one\ntwo");
	program_one_line(&result);
	assert_string_equal(result.output, "one two");
}

static void test_more_output_than_a_pipe_holds(void **state)
{
	struct program_result result;

	(void)state;
	assert_int_equal(run("head -c 300000 /dev/zero | tr '\\0' x", 20000, &result), 0);
	assert_int_equal(result.status, 0);
	assert_int_equal(strlen(result.output), sizeof(result.output) - 1);
}

static void test_no_such_program(void **state)
{
	char *const argv[] = { (char *)"no-such-program", NULL };
	struct program_result result;

	(void)state;
	assert_int_equal(child_program(argv, 1000, &result), -ENOENT);
}

static void test_a_program_that_hangs_is_killed(void **state)
{
	struct program_result result;
	uint64_t start = now_ns();

	(void)state;
	assert_int_equal(run("echo here; exec tail -f /dev/null", 200, &result), -ETIMEDOUT);
	assert_in_range((now_ns() - start) / NS_PER_MS, 200, 10000);
}

/* Several writers, so that the pipe is never empty. They end by SIGPIPE. */
static void test_output_without_end(void **state)
{
	struct program_result result;

	(void)state;
	assert_int_equal(run("yes & yes & yes & exec yes", 200, &result), -ETIMEDOUT);
}

/* A daemon keeps the descriptors that it inherits: waiting for their end would be for ever. */
static void test_what_it_leaves_running_is_not_waited_for(void **state)
{
	struct program_result result;

	(void)state;
	assert_int_equal(run("tail -f /dev/null & echo $!", 20000, &result), 0);
	assert_int_equal(result.status, 0);
	kill((pid_t)strtol(result.output, NULL, 10), SIGKILL);
}

static int ends_by_signal(void *data)
{
	(void)data;
	raise(SIGKILL);
	return 0;
}

static int fails(void *data)
{
	return *(int *)data;
}

static void test_work(void **state)
{
	const struct child_limit limit = { .deadline_ns = now_ns() + 20 * NS_PER_SECOND };
	int error = -EBUSY;

	(void)state;
	assert_int_equal(child_work(fails, &error, &limit), -EBUSY);
	assert_int_equal(child_work(ends_by_signal, NULL, &limit), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_both_outputs),
		cmocka_unit_test(test_more_output_than_a_pipe_holds),
		cmocka_unit_test(test_no_such_program),
		cmocka_unit_test(test_a_program_that_hangs_is_killed),
		cmocka_unit_test(test_output_without_end),
		cmocka_unit_test(test_what_it_leaves_running_is_not_waited_for),
		cmocka_unit_test(test_work),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
