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

#define OUTCOME	   "PMEM_PRESERVE_OUTCOME"
#define REASON	   "PMEM_PRESERVE_REASON"
#define PLACE	   "PMEM_PRESERVE_PLACE"
#define UUID	   "PMEM_PRESERVE_UUID"
#define GENERATION "PMEM_PRESERVE_GENERATION"
#define NEXT	   "PMEM_PRESERVE_NEXT"
#define KERNEL	   "PMEM_PRESERVE_KERNEL"
#define STOP	   "PMEM_PRESERVE_STOP_NS"

struct line {
	const char *key;
	const char *value; /* a line with "" is left out */
};

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

static int write_file(const char *name, mode_t mode, const char *text, size_t length)
{
	_cleanup_close_ int directory = open_directory();
	int r;

	if (directory < 0)
		return report_error(directory, "%s: cannot create", RUN_DIRECTORY);
	r = replace_file_at(directory, name, mode, text, length);
	return r < 0 ? report_error(r, "%s/%s: cannot write", RUN_DIRECTORY, name) : 0;
}

static int write_note(const char *name, const struct line *lines, size_t count)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return report_error(-errno, "%s/%s: cannot write", RUN_DIRECTORY, name);
	for (size_t i = 0; i < count; i++) {
		if (!*lines[i].value)
			continue;
		fprintf(file, "%s=", lines[i].key);
		print_value(file, lines[i].value);
		fputc('\n', file);
	}
	if (fclose(file) != 0)
		return report_error(-errno, "%s/%s: cannot write", RUN_DIRECTORY, name);
	return write_file(name, 0644, text, length);
}

int notes_write_file(const char *name, const char *text, size_t length)
{
	return write_file(name, 0600, text, length);
}

char *notes_read_file(const char *name)
{
	char path[96], *text;

	snprintf(path, sizeof(path), RUN_DIRECTORY "/%s", name);
	return sysfs_read_text(-1, path, &text) < 0 ? NULL : text;
}

/* The value of @key, "" if there is no such line. What does not fit is cut off. */
static void find_value(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key), used = 0;
	const char *line;

	value[0] = '\0';
	for (line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, key, length) == 0 && strncmp(line + length, "=\"", 2) == 0)
			break;
	if (!line || !*line)
		return;
	for (const char *p = line + length + 2; *p && *p != '"' && *p != '\n'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (used + 1 < size)
			value[used++] = *p;
	}
	value[used] = '\0';
}

static void remove_note(const char *name)
{
	_cleanup_close_ int directory = sysfs_open(-1, RUN_DIRECTORY);

	if (directory >= 0)
		unlinkat(directory, name, 0);
}

int note_write_boot(const struct boot_note *note)
{
	char generation[24] = "";
	const struct line lines[] = {
		{ OUTCOME, note->outcome }, { REASON, note->reason },	{ PLACE, note->place },
		{ UUID, note->uuid },	    { GENERATION, generation },
	};

	if (note->generation)
		snprintf(generation, sizeof(generation), "%llu",
			 (unsigned long long)note->generation);
	return write_note("boot", lines, sizeof(lines) / sizeof(lines[0]));
}

bool note_read_boot(struct boot_note *ret_note)
{
	_cleanup_free_ char *text = notes_read_file("boot");
	char generation[24];

	if (!text)
		return false;
	find_value(text, OUTCOME, ret_note->outcome, sizeof(ret_note->outcome));
	find_value(text, REASON, ret_note->reason, sizeof(ret_note->reason));
	find_value(text, PLACE, ret_note->place, sizeof(ret_note->place));
	find_value(text, UUID, ret_note->uuid, sizeof(ret_note->uuid));
	find_value(text, GENERATION, generation, sizeof(generation));
	ret_note->generation = strtoull(generation, NULL, 10);
	return true;
}

int note_write_shutdown(const struct shutdown_note *note)
{
	const struct line lines[] = {
		{ NEXT, note->next },
		{ OUTCOME, note->saved ? "saved" : "failed" },
		{ REASON, note->reason },
		{ PLACE, note->place },
	};

	return write_note("shutdown", lines, sizeof(lines) / sizeof(lines[0]));
}

bool note_read_shutdown(struct shutdown_note *ret_note)
{
	_cleanup_free_ char *text = notes_read_file("shutdown");
	char outcome[16];

	if (!text)
		return false;
	find_value(text, OUTCOME, outcome, sizeof(outcome));
	ret_note->saved = strcmp(outcome, "saved") == 0;
	find_value(text, NEXT, ret_note->next, sizeof(ret_note->next));
	find_value(text, REASON, ret_note->reason, sizeof(ret_note->reason));
	find_value(text, PLACE, ret_note->place, sizeof(ret_note->place));
	return true;
}

void note_remove_shutdown(void)
{
	remove_note("shutdown");
}

int note_write_kernel(const struct kernel_note *note)
{
	char stop[24];
	const struct line lines[] = { { KERNEL, note->kernel }, { STOP, stop } };

	snprintf(stop, sizeof(stop), "%llu", (unsigned long long)note->stop_ns);
	return write_note("kernel", lines, sizeof(lines) / sizeof(lines[0]));
}

bool note_read_kernel(struct kernel_note *ret_note)
{
	_cleanup_free_ char *text = notes_read_file("kernel");
	char stop[24];

	if (!text)
		return false;
	find_value(text, KERNEL, ret_note->kernel, sizeof(ret_note->kernel));
	find_value(text, STOP, stop, sizeof(stop));
	ret_note->stop_ns = strtoull(stop, NULL, 10);
	return true;
}

void note_remove_kernel(void)
{
	remove_note("kernel");
}

int notes_open_lock(const char *name)
{
	_cleanup_close_ int directory = open_directory();
	int fd;

	if (directory < 0)
		return directory;
	fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}
