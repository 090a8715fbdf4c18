// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/sysfs.h"

#include "base/child.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_STEP 16384

static int root = -1;
static sysfs_writer *test_writer;

int sysfs_set_root(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (root >= 0)
		close(root);
	root = fd;
	return 0;
}

void sysfs_set_writer(sysfs_writer *writer)
{
	test_writer = writer;
}

/* Turns a path from the root into one that is relative to the root's descriptor. */
static int resolve(int *directory, const char **path)
{
	if (**path != '/')
		return 0;
	if (root < 0) {
		int r = sysfs_set_root("/");

		if (r < 0)
			return r;
	}
	while (**path == '/')
		(*path)++;
	if (!**path)
		*path = ".";
	*directory = root;
	return 0;
}

static int open_at(int directory, const char *path, int flags)
{
	int fd = resolve(&directory, &path);

	if (fd < 0)
		return fd;
	fd = openat(directory, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysfs_open(int directory, const char *path)
{
	return open_at(directory, path, O_RDONLY | O_DIRECTORY);
}

int sysfs_open_file(int directory, const char *path)
{
	return open_at(directory, path, O_RDONLY);
}

bool sysfs_exists(int directory, const char *path)
{
	return resolve(&directory, &path) == 0 && faccessat(directory, path, F_OK, 0) == 0;
}

static void strip_end(char *text, size_t length)
{
	while (length && strchr(" \t\n", text[length - 1]))
		length--;
	text[length] = '\0';
}

int sysfs_read(int directory, const char *path, char *buffer, size_t size)
{
	_cleanup_close_ int fd = open_at(directory, path, O_RDONLY);
	size_t used = 0;

	if (fd < 0)
		return fd;
	while (used < size) {
		ssize_t got = read(fd, buffer + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	if (used == size)
		return -EOVERFLOW;
	strip_end(buffer, used);
	return 0;
}

int sysfs_read_number(int directory, const char *path, int base, uint64_t *ret_number)
{
	unsigned long long number;
	char text[32], *end;
	int r = sysfs_read(directory, path, text, sizeof(text));

	if (r < 0)
		return r;
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno || end == text || *end || *text == '-')
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int sysfs_read_text(int directory, const char *path, char **ret_text)
{
	_cleanup_close_ int fd = open_at(directory, path, O_RDONLY);
	_cleanup_free_ char *text = NULL;
	size_t used = 0, size = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t got;

		if (size - used < 2) {
			char *larger = realloc(text, size + TEXT_STEP);

			if (!larger)
				return -ENOMEM;
			text = larger;
			size += TEXT_STEP;
		}
		got = read(fd, text + used, size - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
	*ret_text = take_pointer(text);
	return 0;
}

int sysfs_read_link(int directory, const char *path, char *buffer, size_t size)
{
	char target[PATH_MAX];
	const char *name;
	ssize_t length;
	int r = resolve(&directory, &path);

	if (r < 0)
		return r;
	length = readlinkat(directory, path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -EOVERFLOW;
	strcpy(buffer, name);
	return 0;
}

static int write_now(int directory, const char *path, const char *value)
{
	_cleanup_close_ int fd = -1;
	size_t length = strlen(value);
	ssize_t written;

	if (test_writer)
		return test_writer(directory, path, value);
	fd = openat(directory, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The kernel takes an attribute in one piece or not at all. */
	written = write(fd, value, length);
	if (written < 0)
		return -errno;
	return (size_t)written == length ? 0 : -EIO;
}

int sysfs_write(int directory, const char *path, const char *value)
{
	int r = resolve(&directory, &path);

	return r < 0 ? r : write_now(directory, path, value);
}

struct one_write {
	int directory;
	const char *path, *value;
};

static int do_one_write(void *data)
{
	const struct one_write *one = data;

	return write_now(one->directory, one->path, one->value);
}

int sysfs_write_within(int directory, const char *path, const char *value,
		       const struct child_limit *limit)
{
	struct one_write one = { .value = value };
	int r = resolve(&directory, &path);

	if (r < 0)
		return r;
	one.directory = directory;
	one.path = path;
	return child_work(do_one_write, &one, limit);
}
