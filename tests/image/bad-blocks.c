// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file or device with bad blocks, for the program that this is preloaded into: access to them
 * fails with EIO, as on such a medium. Like the kernel, a call that reaches them only later reads or
 * writes what comes before.
 *
 *	BAD_FILE=PATTERN [BAD_READ=START-END,...] [BAD_WRITE=START-END,...] [BAD_FLUSH=N]
 *	[BAD_ERROR=ERRNO]
 *
 * PATTERN: of glob(3), as what is made may have a name that is not known before. BAD_FLUSH: the Nth
 * fsync() fails, and each after it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_bad_file(int fd)
{
	const char *pattern = getenv("BAD_FILE");
	struct stat bad, status;
	glob_t found;
	bool is;

	if (!pattern || glob(pattern, 0, NULL, &found) != 0)
		return false;
	is = stat(found.gl_pathv[0], &bad) == 0 && fstat(fd, &status) == 0 &&
	     (S_ISBLK(bad.st_mode) ? bad.st_rdev == status.st_rdev
				   : bad.st_ino == status.st_ino && bad.st_dev == status.st_dev);
	globfree(&found);
	return is;
}

/* The bytes of the call that come before the first bad block; -1 if there are none. */
static ssize_t good_bytes(int fd, const char *list, size_t length, off_t offset)
{
	const char *ranges = getenv(list);
	off_t end = offset + (off_t)length;

	if (!ranges || !is_bad_file(fd))
		return (ssize_t)length;
	while (ranges) {
		long long from, to;

		if (sscanf(ranges, "%lld-%lld", &from, &to) == 2 && from < end && to > offset)
			end = from > offset ? from : offset;
		ranges = strchr(ranges, ',');
		ranges = ranges ? ranges + 1 : NULL;
	}
	if (end > offset || length == 0)
		return end - offset;
	errno = getenv("BAD_ERROR") ? atoi(getenv("BAD_ERROR")) : EIO;
	return -1;
}

#define READS(name)                                                                    \
	ssize_t name(int fd, void *buffer, size_t length, off_t offset);               \
	ssize_t name(int fd, void *buffer, size_t length, off_t offset)                \
	{                                                                              \
		ssize_t (*next)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, #name); \
		ssize_t good = good_bytes(fd, "BAD_READ", length, offset);             \
                                                                                       \
		return good < 0 ? good : next(fd, buffer, (size_t)good, offset);       \
	}

#define WRITES(name)                                                                         \
	ssize_t name(int fd, const void *buffer, size_t length, off_t offset);               \
	ssize_t name(int fd, const void *buffer, size_t length, off_t offset)                \
	{                                                                                    \
		ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, #name); \
		ssize_t good = good_bytes(fd, "BAD_WRITE", length, offset);                  \
                                                                                             \
		return good < 0 ? good : next(fd, buffer, (size_t)good, offset);             \
	}

READS(pread)
READS(pread64)
WRITES(pwrite)
WRITES(pwrite64)

int fsync(int fd)
{
	static int flushes;
	int (*next)(int) = dlsym(RTLD_NEXT, "fsync");

	if (getenv("BAD_FLUSH") && is_bad_file(fd) && ++flushes >= atoi(getenv("BAD_FLUSH"))) {
		errno = EIO;
		return -1;
	}
	return next(fd);
}
