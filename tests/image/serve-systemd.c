// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * serve-systemd SOCKET [UNIT]: a systemd in which the start of UNIT is the only queued job. A UNIT that
 * is a service has no job: it depends on the state, cannot write to it, and has no limit for its stop.
 * Says "ready" on standard output when it can be asked.
 */
#include "../unit/fake-systemd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int serve(const char *socket, const char *unit)
{
	const struct fake_property properties[] = {
		{ "pmem-preserve.service", "RequiredBy", "as", unit },
		{ unit, "TimeoutStopUSec", "t", "18446744073709551615" },
		{ unit, "ReadOnlyPaths", "as", "/" },
		{ NULL, NULL, NULL, NULL },
	};
	struct fake_systemd systemd = { .job_type = "start", .active_state = "active" };
	int fd;

	if (unit && strstr(unit, ".service"))
		systemd.properties = properties;
	else
		systemd.job_unit = unit;
	systemd.log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fd = fake_systemd_listen(socket);
	if (write(STDOUT_FILENO, "ready\n", 6) < 0)
		return EXIT_FAILURE;
	fake_systemd_serve(fd, &systemd);
}

int main(int argc, char **argv)
{
	return argc > 1 ? serve(argv[1], argv[2]) : EXIT_FAILURE;
}
