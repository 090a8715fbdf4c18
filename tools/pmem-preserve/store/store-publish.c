// SPDX-License-Identifier: GPL-2.0-or-later
/* Giving a file its name once it is complete, and removing it. */
#include "store/store.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int store_publish(struct store *store)
{
	int r;

	if (!store->is_new)
		return 0;
	r = new_file_publish(&store->file, store->may_replace, store->replace_data);
	store->is_new = store->file.name != NULL;
	if (r == 0 || r <= -E_STATUS_BASE)
		return r;
	if (r == -EWOULDBLOCK)
		return report_error(-E_FAILED, "%s.new: in use by another pmem-preserve",
				    store->path);
	if (store->is_new)
		return report_error(r, "%s: cannot rename the new file", store->path);
	return report_error(-E_NOT_DURABLE,
			    "%s: the new file is there, but its directory cannot be flushed (%s): after a power cut it may be gone, and the file of before be back",
			    store->path, strerror(-r));
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
