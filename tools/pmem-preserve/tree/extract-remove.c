// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-remove.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Directories in a directory at the top are moved up to the top instead of being descended into. So
 * a tree of any depth takes no more than two open directories, and no path is ever too long.
 */
struct removal {
	int top;
	unsigned long moved;
};

/* File systems may skip names of a listing in which others are removed. */
#define PASSES 16u

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int list(int directory, DIR **ret_list)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	*ret_list = fdopendir(fd);
	if (*ret_list)
		return 0;
	r = -errno;
	close(fd);
	return r;
}

/* Only root can empty, or move, a directory that it may not write to. */
static void make_writable(int directory, const char *name)
{
	struct stat stat;

	if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(stat.st_mode))
		fchmodat(directory, name, 0700, 0);
}

static int move_up(struct removal *removal, int directory, const char *name)
{
	char unique[40];

	make_writable(directory, name);
	do {
		snprintf(unique, sizeof(unique), ".pmem-preserve-%lu", removal->moved++);
		if (renameat(directory, name, removal->top, unique) == 0)
			return 0;
	} while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR);
	return -errno;
}

static bool remove_one(int directory, const char *name)
{
	return unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

static int empty(struct removal *removal, int directory)
{
	const struct dirent *entry;
	struct stat stat;
	DIR *names;
	int r = list(directory, &names);

	if (r < 0)
		return r;
	for (errno = 0; r == 0 && (entry = readdir(names)); errno = 0) {
		if (is_dots(entry->d_name) || remove_one(directory, entry->d_name))
			continue;
		r = -errno;
		if (fstatat(directory, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(stat.st_mode))
			r = move_up(removal, directory, entry->d_name);
	}
	if (r == 0)
		r = -errno;
	closedir(names);
	return r;
}

/* A directory at the top that is not empty. */
static int remove_directory(struct removal *removal, const char *name)
{
	_cleanup_close_ int fd = -1;
	unsigned int tries = PASSES;
	int r = 0;

	make_writable(removal->top, name);
	fd = openat(removal->top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		r = empty(removal, fd);
		if (r == 0 && unlinkat(removal->top, name, AT_REMOVEDIR) == 0)
			return 0;
	} while (r == 0 && (errno == ENOTEMPTY || errno == EEXIST) && --tries);
	return r < 0 ? r : -errno;
}

/* Sets *ret_found to whether there was anything to remove. */
static int remove_listed(struct removal *removal, const char *except, bool *ret_found)
{
	const struct dirent *entry;
	DIR *names;
	int r = list(removal->top, &names);

	*ret_found = false;
	if (r < 0)
		return r;
	for (errno = 0; r == 0 && (entry = readdir(names)); errno = 0) {
		if (is_dots(entry->d_name) || (except && strcmp(entry->d_name, except) == 0))
			continue;
		*ret_found = true;
		if (unlinkat(removal->top, entry->d_name, 0) < 0 && errno != ENOENT &&
		    unlinkat(removal->top, entry->d_name, AT_REMOVEDIR) < 0)
			r = remove_directory(removal, entry->d_name);
	}
	if (r == 0)
		r = -errno;
	closedir(names);
	return r;
}

int remove_all_in(int directory, const char *except)
{
	struct removal removal = { .top = directory };
	bool found = true;
	int r = 0;

	while (found && r == 0)
		r = remove_listed(&removal, except, &found);
	return r;
}
