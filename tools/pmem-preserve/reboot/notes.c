// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/notes.h"

#include "base/cleanup.h"
#include "base/replace-file.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "reboot/note-lines.h"

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

static int write_note(const char *name, const struct note_line *lines, size_t count)
{
	_cleanup_free_ char *text = note_lines_text(lines, count);

	if (!text)
		return report_error(-ENOMEM, "%s/%s: cannot write", RUN_DIRECTORY, name);
	return write_file(name, 0644, text, strlen(text));
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

static void remove_note(const char *name)
{
	_cleanup_close_ int directory = sysfs_open(-1, RUN_DIRECTORY);

	if (directory >= 0)
		unlinkat(directory, name, 0);
}

int note_write_boot(const struct boot_note *note)
{
	char generation[24] = "";
	const struct note_line lines[] = {
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
	note_lines_find(text, OUTCOME, ret_note->outcome, sizeof(ret_note->outcome));
	note_lines_find(text, REASON, ret_note->reason, sizeof(ret_note->reason));
	note_lines_find(text, PLACE, ret_note->place, sizeof(ret_note->place));
	note_lines_find(text, UUID, ret_note->uuid, sizeof(ret_note->uuid));
	note_lines_find(text, GENERATION, generation, sizeof(generation));
	ret_note->generation = strtoull(generation, NULL, 10);
	return true;
}

int note_write_shutdown(const struct shutdown_note *note)
{
	const struct note_line lines[] = {
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
	note_lines_find(text, OUTCOME, outcome, sizeof(outcome));
	ret_note->saved = strcmp(outcome, "saved") == 0;
	note_lines_find(text, NEXT, ret_note->next, sizeof(ret_note->next));
	note_lines_find(text, REASON, ret_note->reason, sizeof(ret_note->reason));
	note_lines_find(text, PLACE, ret_note->place, sizeof(ret_note->place));
	return true;
}

void note_remove_shutdown(void)
{
	remove_note("shutdown");
}

int note_write_kernel(const struct kernel_note *note)
{
	char stop[24];
	const struct note_line lines[] = {
		{ KERNEL, note->kernel },
		{ UUID, note->uuid },
		{ STOP, stop },
	};

	snprintf(stop, sizeof(stop), "%llu", (unsigned long long)note->stop_ns);
	return write_note("kernel", lines, sizeof(lines) / sizeof(lines[0]));
}

bool note_read_kernel(struct kernel_note *ret_note)
{
	_cleanup_free_ char *text = notes_read_file("kernel");
	char stop[24];

	if (!text)
		return false;
	note_lines_find(text, KERNEL, ret_note->kernel, sizeof(ret_note->kernel));
	note_lines_find(text, UUID, ret_note->uuid, sizeof(ret_note->uuid));
	note_lines_find(text, STOP, stop, sizeof(stop));
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
