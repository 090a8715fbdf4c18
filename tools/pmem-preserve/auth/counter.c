// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth/counter.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/replace-file.h"
#include "base/report.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_BYTES   32
#define LOCK_WAIT_MS 10000

static int refuse(const char *path, const char *why)
{
	return report_error(-E_REFUSED,
			    "%s: the counter of generations %s; write the generation of the last good checkpoint into it (\"status\" says it), or remove it to begin anew",
			    path, why);
}

/* One decimal number and the end of the line. */
static int parse(const char *text, uint64_t *ret_generation)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || strcmp(end, "\n") != 0 || value > COUNTER_MAX)
		return -EINVAL;
	*ret_generation = value;
	return 0;
}

/* -ENOENT: there is none (not reported). */
static int read_file(const char *path, uint64_t *ret_generation)
{
	_cleanup_close_ int fd = -1;
	char text[TEXT_BYTES];
	struct stat status;
	ssize_t length;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &status) < 0)
		return report_error(-errno, "%s: the counter of generations cannot be read", path);
	if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH)) ||
	    (status.st_uid != 0 && status.st_uid != geteuid()))
		return refuse(path, "may have been written by others");
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return report_error(-errno, "%s: the counter of generations cannot be read", path);
	text[length] = '\0';
	return parse(text, ret_generation) < 0 ? refuse(path, "holds no number") : 0;
}

int counter_read(const char *path, uint64_t *ret_generation)
{
	int r = path ? read_file(path, ret_generation) : -ENOENT;

	if (r != -ENOENT)
		return r;
	*ret_generation = 0;
	if (path)
		inform("%s is not there yet: the first authentic checkpoint counts, whatever its generation",
		       path);
	return 0;
}

int counter_is_writable(const char *path)
{
	_cleanup_free_ char *copy = path ? strdup(path) : NULL;
	_cleanup_close_ int directory = -1;

	if (!path)
		return 0;
	directory = open_directory_of(path);
	/* The one that it lies in is made when it is needed. */
	if (directory == -ENOENT && copy)
		directory = open_directory_of(dirname(copy));
	if (directory < 0 || faccessat(directory, ".", W_OK, AT_EACCESS) < 0)
		return report_error(directory < 0 ? directory : -errno,
				    "%s: the counter of generations could not be written afterwards; nothing was changed",
				    path);
	return 0;
}

/* The directory that it lies in, made when it is not there. */
static int make_directory_of(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd = open_directory_of(path);

	if (fd != -ENOENT || !copy)
		return fd;
	return mkdir(dirname(copy), 0700) < 0 ? -errno : open_directory_of(path);
}

int counter_raise(const char *path, uint64_t generation)
{
	_cleanup_close_ int directory = -1;
	uint64_t present = 0;
	char text[TEXT_BYTES];
	int r, length;

	if (!path)
		return 0;
	directory = make_directory_of(path);
	r = directory < 0 ? directory : 0;
	/* Of two who raise it at once, the lower one must not come last. */
	if (r == 0)
		r = lock_take(directory, LOCK_WAIT_MS);
	if (r < 0)
		return report_error(r, "%s: the counter of generations cannot be written", path);
	r = read_file(path, &present);
	if (r < 0 && r != -ENOENT)
		return r;
	if (generation <= present)
		return 0;
	length = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)generation);
	r = replace_file(path, 0600, text, (size_t)length);
	return r < 0 ? report_error(r, "%s: the counter of generations cannot be written", path)
		     : 0;
}
