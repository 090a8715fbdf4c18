// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/replace-file.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <stdbool.h>
#include <sys/stat.h>

#define PUBLISH_WAIT_MS 10000

int open_directory_of(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool has_name(int fd, int directory, const char *name)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 &&
	       fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Removes what a killed process left behind; a process at work still holds the lock. */
static int remove_stale(int directory, const char *name, unsigned int wait_ms)
{
	_cleanup_close_ int fd =
		openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = lock_take(fd, wait_ms);
	if (r < 0)
		return r;
	/* Its writer may have published it meanwhile, and the next one be at work under the name. */
	if (!has_name(fd, directory, name))
		return 0;
	return unlinkat(directory, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int create_named(struct new_file *file, const char *name)
{
	int r;

	file->fd = openat(file->directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return -errno;
	/* From here on nobody takes it for a stale one; until here somebody may have. */
	r = lock_take(file->fd, 0);
	if (r < 0)
		return r;
	return has_name(file->fd, file->directory, name) ? 0 : -EWOULDBLOCK;
}

/* A rename can replace what is there, a link cannot: so the link gets the temporary name. */
static int link_temporary(struct new_file *file, const char *name)
{
	char descriptor[40];

	snprintf(descriptor, sizeof(descriptor), "/proc/self/fd/%d", file->fd);
	return linkat(AT_FDCWD, descriptor, file->directory, name, AT_SYMLINK_FOLLOW) < 0 ? -errno
											  : 0;
}

/*
 * Makes it "NAME.new" by @put, which fails with -EEXIST where that is there already. Waits for another
 * process that has this name.
 */
static int take_temporary_name(struct new_file *file, unsigned int wait_ms,
			       int (*put)(struct new_file *file, const char *name))
{
	const uint64_t deadline_ns = now_ns() + wait_ms * NS_PER_MS;
	_cleanup_free_ char *name = NULL;
	int r;

	if (asprintf(&name, "%s.new", file->name) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	r = put(file, name);
	while (r == -EEXIST) {
		uint64_t now = now_ns();

		r = remove_stale(file->directory, name,
				 now < deadline_ns ? (deadline_ns - now) / NS_PER_MS : 0);
		if (r == 0)
			r = put(file, name);
		if (r == -EEXIST && now >= deadline_ns)
			r = -EWOULDBLOCK;
	}
	if (r == 0)
		file->temporary = take_pointer(name);
	return r;
}

int new_file_create(int directory, const char *name, mode_t mode, struct new_file *ret_file)
{
	_cleanup_new_file_ struct new_file file = { .fd = -1, .directory = -1 };
	int r = 0;

	file.name = strdup(name);
	file.directory = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	if (!file.name || file.directory < 0)
		return file.name ? -errno : -ENOMEM;
	file.fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file.fd < 0)
		r = take_temporary_name(&file, 0, create_named);
	else
		r = lock_take(file.fd, 0);
	if (r == 0 && fchmod(file.fd, mode) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*ret_file = file;
	file = (struct new_file){ .fd = -1, .directory = -1 };
	return 0;
}

/* The temporary name is what only one process can have. */
int new_file_publish(struct new_file *file, int (*check)(void *data), void *data)
{
	int r = file->temporary ? 0 : take_temporary_name(file, PUBLISH_WAIT_MS, link_temporary);

	if (r == 0 && check)
		r = check(data);
	if (r == 0)
		r = fault(FAULT_FILE_LINKED);
	if (r < 0)
		return r;
	if (renameat(file->directory, file->temporary, file->directory, file->name) < 0)
		return -errno;
	free(take_pointer(file->temporary));
	free(take_pointer(file->name));
	r = fault(FAULT_FILE_RENAMED);
	if (r == 0 && fsync(file->directory) < 0)
		r = -errno;
	return r < 0 ? r : fault(FAULT_FILE_PUBLISHED);
}

void new_file_clear(struct new_file *file)
{
	if (file->temporary)
		unlinkat(file->directory, file->temporary, 0);
	free(file->temporary);
	free(file->name);
	if (file->fd >= 0)
		close(file->fd);
	if (file->directory >= 0)
		close(file->directory);
	*file = (struct new_file){ .fd = -1, .directory = -1 };
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, data, length);

		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			data += put;
			length -= (size_t)put;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int replace_file_at(int directory, const char *name, mode_t mode, const void *data, size_t length)
{
	_cleanup_new_file_ struct new_file file = { .fd = -1, .directory = -1 };
	int r = new_file_create(directory, name, mode, &file);

	if (r == 0)
		r = write_all(file.fd, data, length);
	return r < 0 ? r : new_file_publish(&file, NULL, NULL);
}

int replace_file(const char *path, mode_t mode, const void *data, size_t length)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int directory = open_directory_of(path);

	if (!copy)
		return -ENOMEM;
	return directory < 0 ? directory
			     : replace_file_at(directory, basename(copy), mode, data, length);
}
