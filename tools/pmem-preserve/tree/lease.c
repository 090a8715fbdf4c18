// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/lease.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define BREAK_SECONDS 45u

void leases_begin(struct leases *leases)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	FILE *file = fopen("/proc/sys/fs/lease-break-time", "re");
	unsigned int seconds;

	if (!file || fscanf(file, "%u", &seconds) != 1)
		seconds = BREAK_SECONDS;
	if (file)
		fclose(file);
	leases->break_ns = seconds * NS_PER_SECOND;
	sigaction(SIGIO, &ignore, &leases->signal_before);
}

void leases_end(const struct leases *leases)
{
	sigaction(SIGIO, &leases->signal_before, NULL);
}

/* Exact to some milliseconds, and much cheaper than now_ns(). */
static uint64_t coarse_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

int lease_take(int fd, uint64_t *ret_taken_ns)
{
	/* Before it is taken, so that it is never younger than it seems. */
	*ret_taken_ns = coarse_ns();
	return fcntl(fd, F_SETLEASE, F_RDLCK) < 0 ? -errno : 0;
}

bool lease_is_held(const struct leases *leases, int fd, uint64_t taken_ns)
{
	/* For most files nobody can have waited long enough, and no system call is needed. */
	if (coarse_ns() - taken_ns < leases->break_ns / 2)
		return true;
	/* F_GETLEASE would not tell somebody who only waits from a lease that was lost. */
	return fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}
