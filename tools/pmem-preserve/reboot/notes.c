// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/notes.h"

#include "base/cleanup.h"
#include "base/replace-file.h"
#include "base/report.h"
#include "base/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* In double quotes a shell and systemd agree on what a backslash keeps. */
static void print_value(FILE *file, const char *value)
{
	fputc('"', file);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			fputc(' ', file);
			continue;
		}
		if (strchr("\"\\$`", *p))
			fputc('\\', file);
		fputc(*p, file);
	}
	fputc('"', file);
}

static int open_directory(void)
{
	int fd = sysfs_open(-1, RUN_DIRECTORY);

	if (fd != -ENOENT)
		return fd;
	fd = sysfs_open(-1, "/run");
	if (fd < 0)
		return fd;
	/* Everybody may read it, whatever our umask is. */
	if ((mkdirat(fd, "pmem-preserve", 0755) < 0 && errno != EEXIST) ||
	    fchmodat(fd, "pmem-preserve", 0755, 0) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	close(fd);
	return sysfs_open(-1, RUN_DIRECTORY);
}

int run_file_write(const char *name, const struct run_line *lines, size_t count)
{
	_cleanup_close_ int directory = open_directory();
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *file;
	int r;

	if (directory < 0)
		return report_error(directory, "%s cannot be made", RUN_DIRECTORY);
	file = open_memstream(&text, &length);
	if (!file)
		return report_error(-errno, "%s/%s cannot be written", RUN_DIRECTORY, name);
	for (size_t i = 0; i < count; i++) {
		if (!lines[i].value)
			continue;
		fprintf(file, "%s=", lines[i].key);
		print_value(file, lines[i].value);
		fputc('\n', file);
	}
	r = fclose(file) == 0 ? replace_file_at(directory, name, 0644, text, length) : -errno;
	return r < 0 ? report_error(r, "%s/%s cannot be written", RUN_DIRECTORY, name) : 0;
}

bool run_file_read(const char *name, const char *key, char *value, size_t size)
{
	_cleanup_free_ char *text = NULL;
	char path[96];
	size_t length = strlen(key), used = 0;
	const char *line;

	snprintf(path, sizeof(path), "%s/%s", RUN_DIRECTORY, name);
	if (sysfs_read_text(-1, path, &text) < 0)
		return false;
	for (line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, key, length) == 0 && strncmp(line + length, "=\"", 2) == 0)
			break;
	if (!line || !*line)
		return false;
	for (const char *p = line + length + 2; *p && *p != '"' && *p != '\n'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (used + 1 < size)
			value[used++] = *p;
	}
	value[used] = '\0';
	return true;
}

void run_file_remove(const char *name)
{
	_cleanup_close_ int directory = sysfs_open(-1, RUN_DIRECTORY);

	if (directory >= 0)
		unlinkat(directory, name, 0);
}

int run_file_open_lock(const char *name)
{
	_cleanup_close_ int directory = open_directory();
	int fd;

	if (directory < 0)
		return directory;
	fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}
