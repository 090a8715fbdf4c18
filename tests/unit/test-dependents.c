// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The services that stop before the state is saved. Were this wrong, a service that cannot save its
 * data would keep the machine from going down, for ever, with its memory already taken away.
 */
#include "reboot/dependents.h"

#include "fake-systemd.h"
#include "fake-tree.h"
#include "reboot/systemd.h"

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

#define FOR_EVER "18446744073709551615"

static char *states[] = { (char *)"/var/state", (char *)"/srv/cache" };
static struct dependents dependents;
static char address[PATH_MAX];
static pid_t server;

static int teardown(void **state)
{
	dependents_clear(&dependents);
	systemd_set_address(NULL, 0);
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		server = 0;
	}
	return fake_tree_teardown(state);
}

static void look(const struct fake_property *properties)
{
	struct fake_systemd systemd = { .active_state = "active", .properties = properties };
	int fd;

	fake_write("run/systemd/system/unit", "%s", "");
	snprintf(address, sizeof(address), "unix:path=%s/socket", fake_tree_root());
	fd = fake_systemd_listen(strchr(address, '=') + 1);
	systemd.log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fake_systemd_serve(fd, &systemd);
	}
	close(fd);
	close(systemd.log);
	systemd_set_address(address, 60000);
	assert_int_equal(dependents_find(states, 2, &dependents), 0);
}

static void test_nothing_to_say(void **state)
{
	static const struct fake_property properties[] = {
		{ PRESERVE_UNIT, "RequiredBy", "as", "a.service b.service" },
		{ "b.service", "ProtectSystem", "s", "strict" },
		{ "b.service", "ReadWritePaths", "as", "-/var/state/b /srv/cache" },
		{ NULL, NULL, NULL, NULL },
	};

	(void)state;
	look(properties);
	assert_int_equal(dependents.count, 0);
}

/* Redis of Debian 12, hooked in by no more than Requires= and After=. */
static void test_hangs_for_ever(void **state)
{
	static const struct fake_property properties[] = {
		{ PRESERVE_UNIT, "RequiredBy", "as", "cold-start.service" },
		{ "cold-start.service", "RequiredBy", "as", "redis-server.service" },
		{ "redis-server.service", "TimeoutStopUSec", "t", FOR_EVER },
		{ "redis-server.service", "ReadOnlyPaths", "as", "/" },
		{ "redis-server.service", "ReadWritePaths", "as", "-/var/lib/redis /run/redis" },
		{ NULL, NULL, NULL, NULL },
	};
	struct dependent_text text;

	(void)state;
	look(properties);
	assert_int_equal(dependents.count, 1);
	assert_true(dependent_may_hang(&dependents.list[0]));
	text = dependent_text(&dependents.list[0]);
	assert_non_null(strstr(text.problem, "redis-server.service"));
	assert_non_null(strstr(text.problem, "TimeoutStopSec="));
	assert_non_null(strstr(text.problem, "/var/state (ReadOnlyPaths=)"));
	assert_non_null(strstr(text.fix, "TimeoutStopSec=90 and ReadWritePaths=/var/state"));
	assert_non_null(strstr(text.fix, "redis-server.service.d"));
}

static void test_slow_or_confined(void **state)
{
	static const struct fake_property properties[] = {
		{ PRESERVE_UNIT, "Requires", "as", "-.mount var-state.mount sysinit.target" },
		{ "-.mount", "RequiredBy", "as", "elsewhere.service" },
		{ "elsewhere.service", "TimeoutStopUSec", "t", FOR_EVER },
		{ "var-state.mount", "RequiredBy", "as", "slow.service confined.service" },
		{ "slow.service", "TimeoutStopUSec", "t", "600000000" },
		{ "slow.service", "RequiredBy", "as", "confined.service" },
		{ "confined.service", "ProtectSystem", "s", "strict" },
		{ "confined.service", "ReadWritePaths", "as", "/var/state" },
		{ NULL, NULL, NULL, NULL },
	};

	(void)state;
	look(properties);
	assert_int_equal(dependents.count, 2);
	assert_string_equal(dependents.list[0].unit, "slow.service");
	assert_non_null(strstr(dependent_text(&dependents.list[0]).problem, "600 s"));
	assert_false(dependent_may_hang(&dependents.list[0]));
	assert_string_equal(dependents.list[1].read_only, "/srv/cache");
	assert_non_null(strstr(dependent_text(&dependents.list[1]).problem,
			       "/srv/cache (ProtectSystem=strict)"));
	assert_false(dependent_may_hang(&dependents.list[1]));
}

/* Not under systemd: there is nothing to ask. */
static void test_no_systemd(void **state)
{
	(void)state;
	assert_int_equal(dependents_find(states, 2, &dependents), 0);
	assert_int_equal(dependents.count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fake_tree_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_to_say),
		TEST(test_hangs_for_ever),
		TEST(test_slow_or_confined),
		TEST(test_no_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
