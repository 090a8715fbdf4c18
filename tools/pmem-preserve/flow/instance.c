// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/instance.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/report.h"
#include "reboot/notes.h"

#include <errno.h>

#define LOCK_NAME "lock"

int instance_lock(unsigned int wait_seconds, int *ret_lock)
{
	_cleanup_close_ int fd = notes_open_lock(LOCK_NAME);
	int r;

	if (fd == -EACCES || fd == -EPERM)
		return report_error(-E_FAILED,
				    "only root may change a region of memory: call it as root; checkpoint, restore, list, verify and discard also work on a file that is yours, with --image FILE");
	if (fd < 0)
		return report_error(fd, RUN_DIRECTORY "/" LOCK_NAME ": cannot open");
	r = lock_take(fd, wait_seconds * 1000);
	if (r == -EINTR)
		return r;
	if (r == -EWOULDBLOCK)
		return report_error(-E_FAILED,
				    "%s is changing the memory; try again when it is done",
				    lock_holder(fd).text);
	if (r < 0)
		return report_error(r, RUN_DIRECTORY "/" LOCK_NAME ": cannot lock");
	*ret_lock = take_fd(fd);
	return 0;
}
