// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/file-writer.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_open_for_writing(const char *pid, const char *fd)
{
	char path[600], line[256];
	unsigned int flags = O_RDONLY;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(file);
	return (flags & O_ACCMODE) != O_RDONLY;
}

static bool has_open(const char *pid, const struct stat *wanted)
{
	char path[280];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = opendir(path);
	if (!directory)
		return false;
	while (!found && (entry = readdir(directory))) {
		struct stat stat;

		found = fstatat(dirfd(directory), entry->d_name, &stat, 0) == 0 &&
			stat.st_dev == wanted->st_dev && stat.st_ino == wanted->st_ino &&
			is_open_for_writing(pid, entry->d_name);
	}
	closedir(directory);
	return found;
}

static bool has_mapped(const char *pid, const struct stat *wanted)
{
	char path[280], line[512];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		unsigned long long inode;
		unsigned int dev_major, dev_minor;
		char access[5];

		if (sscanf(line, "%*x-%*x %4s %*x %x:%x %llu", access, &dev_major, &dev_minor,
			   &inode) != 4)
			continue;
		found = access[1] == 'w' && access[3] == 's' && inode == wanted->st_ino &&
			makedev(dev_major, dev_minor) == wanted->st_dev;
	}
	fclose(file);
	return found;
}

static void read_name(const char *pid, char *name, size_t size)
{
	char path[280];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, (int)size, file))
		snprintf(name, size, "?");
	if (file)
		fclose(file);
	name[strcspn(name, "\n")] = '\0';
}

struct file_writer file_writer_find(int fd)
{
	struct file_writer writer = { 0 };
	const struct dirent *entry;
	struct stat wanted;
	DIR *proc;

	if (fstat(fd, &wanted) < 0)
		return writer;
	proc = opendir("/proc");
	while (proc && writer.pid == 0 && (entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (!has_open(entry->d_name, &wanted) && !has_mapped(entry->d_name, &wanted))
			continue;
		writer.pid = atoi(entry->d_name);
		read_name(entry->d_name, writer.name, sizeof(writer.name));
	}
	if (proc)
		closedir(proc);
	return writer;
}
