// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_beneath(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	/* EAGAIN: something was renamed meanwhile, and the kernel could not rule out an escape. */
	do {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

int open_directory_beneath(int root, const char *path, int flags)
{
	char piece[PATH_MAX];
	int at = root, next;

	if (!*path)
		path = ".";
	while (strlen(path) >= sizeof(piece)) {
		size_t length = sizeof(piece) - 1;

		while (length > 0 && path[length] != '/')
			length--;
		if (length == 0)
			next = -ENAMETOOLONG;
		else {
			memcpy(piece, path, length);
			piece[length] = '\0';
			next = open_beneath(at, piece, O_PATH | O_DIRECTORY, 0);
		}
		if (at != root)
			close(at);
		if (next < 0)
			return next;
		at = next;
		path += length + 1;
	}
	next = open_beneath(at, path, flags | O_DIRECTORY, 0);
	if (at != root)
		close(at);
	return next;
}
