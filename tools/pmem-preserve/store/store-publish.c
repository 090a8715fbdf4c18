// SPDX-License-Identifier: GPL-2.0-or-later
/* Giving a file its name once it is complete, and removing it. */
#include "store/store.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/report.h"

#include <errno.h>
#include <unistd.h>

int store_publish(struct store *store)
{
	int r;

	if (!store->is_new)
		return 0;
	r = new_file_publish(&store->file);
	store->is_new = store->file.name != NULL;
	if (r == 0)
		return 0;
	return report_error(r,
			    store->is_new ? "%s: cannot rename the new file"
					  : "%s: cannot flush its directory",
			    store->path);
}

int store_remove(const struct store *store)
{
	_cleanup_close_ int directory = open_directory_of(store->path);
	int r;

	if (directory < 0)
		return report_error(directory, "%s: cannot open its directory", store->path);
	if (unlink(store->path) < 0)
		return report_error(-errno, "%s: cannot remove", store->path);
	r = fault(FAULT_FILE_REMOVED);
	if (r < 0)
		return r;
	if (fsync(directory) < 0)
		return report_error(-errno,
				    "%s: removed, but its directory cannot be flushed: it may reappear after a power cut",
				    store->path);
	return 0;
}
