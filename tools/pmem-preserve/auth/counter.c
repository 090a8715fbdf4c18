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
			    "%s: the generation counter %s; write the generation of the last good checkpoint into it (see \"status\"), or remove it to start over",
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

/* -ENOENT, not reported: the file does not exist. */
static int read_file(const char *path, uint64_t *ret_generation)
{
	_cleanup_close_ int fd = -1;
	char text[TEXT_BYTES];
	struct stat status;
	ssize_t length;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == EACCES)
		return report_error(-E_REFUSED,
				    "%s: the generation counter can be read only by root, and without it an old checkpoint cannot be told from the last one",
				    path);
	if (fd < 0 || fstat(fd, &status) < 0)
		return report_error(-errno, "%s: cannot read the generation counter", path);
	if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH)) ||
	    (status.st_uid != 0 && status.st_uid != geteuid()))
		return refuse(path, "may have been modified by another user");
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return report_error(-errno, "%s: cannot read the generation counter", path);
	text[length] = '\0';
	if (parse(text, ret_generation) < 0)
		return refuse(path, "does not contain a number");
	return 0;
}

int counter_read(const char *path, uint64_t *ret_generation)
{
	int r = path ? read_file(path, ret_generation) : -ENOENT;

	if (r != -ENOENT)
		return r;
	*ret_generation = 0;
	if (path)
		inform("%s does not exist yet: the first authentic checkpoint is accepted, whatever its generation",
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
	/* counter_raise() creates the directory itself if need be, but not its parents. */
	if (directory == -ENOENT && copy)
		directory = open_directory_of(dirname(copy));
	if (directory < 0 || faccessat(directory, ".", W_OK, AT_EACCESS) < 0)
		return report_error(directory < 0 ? directory : -errno,
				    "%s: the generation counter is not writable; nothing was changed: create its directory, or name another file with \"counter-file =\"",
				    path);
	return 0;
}

/* Opens the directory of @path, and creates it if it does not exist. An fd, or -errno. */
static int make_directory_of(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd = open_directory_of(path);

	if (fd != -ENOENT || !copy)
		return fd;
	return mkdir(dirname(copy), 0700) < 0 ? -errno : open_directory_of(path);
}

/*
 * When two raise it at the same time, the lower value must not be the last one written. The lock is
 * that of a file which nobody else can open: of the directory, any user could hold it.
 */
static int take_lock(const char *path)
{
	_cleanup_close_ int directory = make_directory_of(path), fd = -1;
	_cleanup_free_ char *name = NULL;
	int r;

	if (directory < 0)
		return directory;
	if (asprintf(&name, "%s.lock", path) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = lock_take(fd, LOCK_WAIT_MS);
	return r < 0 ? r : take_fd(fd);
}

int counter_raise(const char *path, uint64_t generation)
{
	_cleanup_close_ int lock = -1;
	uint64_t present = 0;
	char text[TEXT_BYTES];
	int r, length;

	if (!path)
		return 0;
	lock = take_lock(path);
	if (lock == -EINTR)
		return lock;
	if (lock < 0)
		return report_error(lock, "%s: cannot write the generation counter", path);
	r = read_file(path, &present);
	if (r < 0 && r != -ENOENT)
		return r;
	if (generation <= present)
		return 0;
	length = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)generation);
	r = replace_file(path, 0600, text, (size_t)length);
	if (r < 0)
		return report_error(r, "%s: cannot write the generation counter", path);
	return 0;
}
