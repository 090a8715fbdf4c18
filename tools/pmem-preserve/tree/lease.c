// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

int lease_take(int fd)
{
	return fcntl(fd, F_SETLEASE, F_RDLCK) < 0 ? -errno : 0;
}

int lease_give_back(int fd)
{
	return fcntl(fd, F_SETLEASE, F_UNLCK) < 0 ? -errno : 0;
}

void lease_ignore_signal(struct sigaction *ret_before)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGIO, &ignore, ret_before);
}

void lease_restore_signal(const struct sigaction *before)
{
	sigaction(SIGIO, before, NULL);
}
