// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake-tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sysfs.h"

static char root[64];

static void must(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(99);
}

void fake_tree_create(void)
{
	strcpy(root, "/tmp/pmem-preserve-test-XXXXXX");
	must(mkdtemp(root) != NULL, "mkdtemp");
	must(sysfs_set_root(root) == 0, root);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)status, (void)type, (void)position;
	return remove(path);
}

void fake_tree_destroy(void)
{
	sysfs_set_writer(NULL);
	sysfs_set_root("/");
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fake_tree_root(void)
{
	return root;
}

static void full_path(char *full, const char *path)
{
	snprintf(full, PATH_MAX, "%s/%s", root, path);
}

static FILE *open_file(const char *path, const char *mode)
{
	char full[PATH_MAX];
	FILE *file;

	full_path(full, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, mode);
	must(file != NULL, full);
	return file;
}

static void print_file(const char *path, const char *mode, const char *format, va_list args)
{
	FILE *file = open_file(path, mode);

	vfprintf(file, format, args);
	must(fclose(file) == 0, path);
}

void fake_write(const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_file(path, "w", format, args);
	va_end(args);
}

void fake_append(const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_file(path, "a", format, args);
	va_end(args);
}

int fake_tree_setup(void **state)
{
	fake_tree_create();
	return 0;
}

int fake_tree_teardown(void **state)
{
	fake_tree_destroy();
	return 0;
}

void fake_write_bytes(const char *path, const void *bytes, size_t size, long offset)
{
	FILE *file = open_file(path, fake_exists(path) ? "r+" : "w");

	must(fseek(file, offset, SEEK_SET) == 0 && fwrite(bytes, 1, size, file) == size, path);
	must(fclose(file) == 0, path);
}

const char *fake_read(const char *path)
{
	static char text[4096];
	char full[PATH_MAX];
	FILE *file;
	size_t got = 0;

	full_path(full, path);
	file = fopen(full, "r");
	if (file) {
		got = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[got] = '\0';
	return text;
}

bool fake_exists(const char *path)
{
	char full[PATH_MAX];

	full_path(full, path);
	return access(full, F_OK) == 0;
}

void fake_remove(const char *path)
{
	char full[PATH_MAX];

	full_path(full, path);
	nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fake_memory_blocks(unsigned int first, unsigned int count, const char *zone)
{
	char path[96];

	fake_write("sys/devices/system/memory/block_size_bytes", "8000000\n");
	for (unsigned int i = first; i < first + count; i++) {
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%u/state", i);
		fake_write(path, "%s\n", *zone ? "online" : "offline");
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%u/valid_zones", i);
		fake_write(path, "%s\n", *zone ? zone : "Normal Movable");
	}
}

void fake_memory_blocks_gone(unsigned int first, unsigned int count)
{
	char path[96];

	for (unsigned int i = first; i < first + count; i++) {
		snprintf(path, sizeof(path), "sys/devices/system/memory/memory%u", i);
		fake_remove(path);
	}
}
