// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is asked of systemd and what its answers mean. Were this wrong, the state would not be saved
 * at shutdown, or "setup" would call it protected although no unit runs.
 */
#include "reboot/systemd.h"

#include "base/report.h"
#include "fake-systemd.h"
#include "fake-tree.h"
#include "reboot/next-state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS	 60000
#define SHORT_MS 200

static pid_t server;
static char address[PATH_MAX];

/* The socket alone, which accepts no client. */
static int start_listening(unsigned int deadline_ms)
{
	int fd;

	fake_write("run/systemd/system/unit", "%s", "");
	snprintf(address, sizeof(address), "unix:path=%s/socket", fake_tree_root());
	fd = fake_systemd_listen(strchr(address, '=') + 1);
	systemd_set_address(address, deadline_ms);
	return fd;
}

static void start_server(struct fake_systemd systemd, unsigned int deadline_ms)
{
	char path[PATH_MAX];
	int fd = start_listening(deadline_ms);

	snprintf(path, sizeof(path), "%s/calls", fake_tree_root());
	systemd.log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fake_systemd_serve(fd, &systemd);
	}
	close(systemd.log);
	close(fd);
}

static int teardown(void **state)
{
	systemd_set_address(NULL, 0);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		server = 0;
	}
	return fake_tree_teardown(state);
}

static void test_next_state(void **state)
{
	const struct fake_systemd systemd = { .job_unit = "kexec.target", .job_type = "start" };
	enum next_state next;

	start_server(systemd, LONG_MS);
	assert_int_equal(next_state_find(&next), 0);
	assert_int_equal(next, NEXT_KEXEC);
	assert_string_equal(fake_read("calls"), "ListJobs\n");
}

static void test_no_jobs(void **state)
{
	enum next_state next;

	start_server((struct fake_systemd){}, LONG_MS);
	assert_int_equal(next_state_find(&next), 0);
	assert_int_equal(next, NEXT_STAYS);
}

/* A machine that goes down must not be taken for one that stays. */
static void test_no_systemd(void **state)
{
	enum next_state next = NEXT_POWEROFF;

	systemd_set_address("unix:path=/nonexistent", LONG_MS);
	assert_int_equal(next_state_find(&next), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "systemd"));
	assert_int_equal(next, NEXT_POWEROFF);
}

static void test_error(void **state)
{
	const char *const units[] = { "a.service", NULL };
	enum next_state next;

	start_server((struct fake_systemd){ .error = "Access denied" }, LONG_MS);
	assert_int_equal(next_state_find(&next), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "Access denied"));
	assert_int_equal(systemd_start_kexec(), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "kexec.target: Access denied"));
	assert_int_equal(systemd_enable_now(units), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "a.service: Access denied"));
}

/* Nothing of shutdown may hang on a manager that does. */
static void test_deadline(void **state)
{
	enum next_state next;
	int fd = start_listening(SHORT_MS);

	assert_int_equal(next_state_find(&next), -E_FAILED);
	close(fd);
}

static void test_kexec(void **state)
{
	start_server((struct fake_systemd){}, LONG_MS);
	assert_int_equal(systemd_start_kexec(), 0);
	assert_string_equal(fake_read("calls"), "StartUnit kexec.target replace-irreversibly\n");
}

static void test_enable_now(void **state)
{
	const char *const units[] = { "a.service", "b.service", NULL };

	start_server((struct fake_systemd){ .start_result = "done" }, LONG_MS);
	assert_int_equal(systemd_enable_now(units), 0);
	assert_string_equal(fake_read("calls"), "EnableUnitFiles a.service b.service\n"
						"Reload\n"
						"StartUnit a.service replace\n"
						"StartUnit b.service replace\n");
}

static void test_start_fails(void **state)
{
	const char *const units[] = { "a.service", "b.service", NULL };

	start_server((struct fake_systemd){ .start_result = "timeout" }, LONG_MS);
	assert_int_equal(systemd_enable_now(units), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "b.service"));
	assert_non_null(strstr(report_last_error(), "timeout"));
}

static void test_start_hangs(void **state)
{
	const char *const units[] = { "a.service", NULL };

	start_server((struct fake_systemd){}, SHORT_MS);
	assert_int_equal(systemd_enable_now(units), -E_FAILED);
	assert_non_null(strstr(report_last_error(), "a.service"));
}

static void test_unit_state(void **state)
{
	char text[16];

	start_server((struct fake_systemd){ .active_state = "failed" }, LONG_MS);
	systemd_unit_state("a.service", text, sizeof(text));
	assert_string_equal(text, "failed");
	fake_remove("run/systemd/system");
	systemd_unit_state("a.service", text, sizeof(text));
	assert_string_equal(text, "not known");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_tree_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_next_state), TEST(test_no_jobs),     TEST(test_no_systemd),
		TEST(test_error),      TEST(test_deadline),    TEST(test_kexec),
		TEST(test_enable_now), TEST(test_start_fails), TEST(test_start_hangs),
		TEST(test_unit_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
