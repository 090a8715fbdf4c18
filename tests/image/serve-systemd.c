// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * serve-systemd SOCKET [UNIT]: a systemd in which the start of UNIT is the only queued job. Says
 * "ready" on standard output when it can be asked.
 */
#include "../unit/fake-systemd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct fake_systemd systemd = { .job_type = "start", .active_state = "active" };
	int fd;

	if (argc < 2)
		return EXIT_FAILURE;
	systemd.job_unit = argv[2];
	systemd.log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fd = fake_systemd_listen(argv[1]);
	if (write(STDOUT_FILENO, "ready\n", 6) < 0)
		return EXIT_FAILURE;
	fake_systemd_serve(fd, &systemd);
}
