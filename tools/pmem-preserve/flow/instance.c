// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/instance.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/report.h"
#include "reboot/notes.h"
#include "settings/options.h"

#include <errno.h>

#define LOCK_NAME "lock"

int instance_lock(const struct options *options, unsigned int wait_seconds, int *ret_lock)
{
	_cleanup_close_ int fd = -1;
	int r;

	*ret_lock = -1;
	if (options->image || options->dry_run)
		return 0;
	fd = run_file_open_lock(LOCK_NAME);
	if (fd < 0)
		return report_error(fd,
				    "%s/" LOCK_NAME
				    " cannot be opened (only root may change a region)",
				    RUN_DIRECTORY);
	r = lock_take(fd, wait_seconds * 1000);
	if (r == -EWOULDBLOCK)
		return report_error(-E_FAILED,
				    "%s is at work on the memory; try again when it is done",
				    lock_holder(fd).text);
	if (r < 0)
		return r == -EINTR ? r
				   : report_error(r, "%s/" LOCK_NAME " cannot be locked",
						  RUN_DIRECTORY);
	*ret_lock = take_fd(fd);
	return 0;
}
