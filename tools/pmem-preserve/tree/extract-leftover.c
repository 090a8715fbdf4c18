// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-leftover.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "tree/extract-remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/stat.h>

/*
 * Whoever owns the directory can give any name to anything in it, but only we can have made this
 * file in a directory that is ours and closed.
 */
static int open_lock(int staging)
{
	struct stat stat;

	if (fstat(staging, &stat) < 0 || stat.st_uid != getauxval(AT_EUID) ||
	    (stat.st_mode & 07777) != 0700)
		return -EACCES;
	return openat(staging, STAGING_LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static void remove_leftover(int directory, const char *path, const char *name)
{
	_cleanup_close_ int staging =
		openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int lock = staging < 0 ? -1 : open_lock(staging);
	int r;

	/* One that is being made is empty; whoever makes it begins again. */
	if (staging >= 0 && lock == -1 && errno == ENOENT)
		unlinkat(directory, name, AT_REMOVEDIR);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return;
	if (strncmp(name, STAGING_REPLACED, strlen(STAGING_REPLACED)) == 0) {
		warn("%s/%s/root: an interrupted \"restore --overwrite\" has left here what it had replaced, beside what it had not put in place yet; take out what you need, then remove %s/%s",
		     path, name, path, name);
		return;
	}
	r = remove_all_in(staging, STAGING_LOCK);
	if (r == 0 &&
	    (unlinkat(staging, STAGING_LOCK, 0) < 0 || unlinkat(directory, name, AT_REMOVEDIR) < 0))
		r = -errno;
	if (r < 0)
		warn("%s/%s: cannot remove what an interrupted restore has left: %s", path, name,
		     strerror(-r));
	else
		inform("Removed what an interrupted restore had left in %s", path);
}

void extract_remove_leftovers(int directory, const char *path)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!list) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(list)))
		if (strncmp(entry->d_name, STAGING_PREFIX, strlen(STAGING_PREFIX)) == 0)
			remove_leftover(directory, path, entry->d_name);
	closedir(list);
}
