// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/expected.h"

#include "base/cleanup.h"
#include "base/replace-file.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "reboot/kexec-cmdline.h"
#include "reboot/note-lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

#define NAME	   "expected"
#define PATH	   EXPECTED_DIRECTORY "/" NAME
#define UUID	   "PMEM_PRESERVE_UUID"
#define GENERATION "PMEM_PRESERVE_GENERATION"
#define PLACE	   "PMEM_PRESERVE_PLACE"
#define REASON	   "PMEM_PRESERVE_REASON"
#define BY_KEXEC   "PMEM_PRESERVE_BY_KEXEC"
#define SETTLED	   "PMEM_PRESERVE_SETTLED"

#define UUID_DIGITS 28	 /* of EXPECTED_UUID_BYTES as text, with hyphens */
#define CMDLINE_MAX 2047 /* COMMAND_LINE_SIZE of x86, less the NUL */

static bool same_uuid(const char *a, const char *b)
{
	return strncmp(a, b, UUID_DIGITS) == 0;
}

bool expected_is(const struct expected *expected, const uint8_t uuid[16])
{
	return same_uuid(expected->uuid, uuid_text(uuid).text);
}

bool expected_same(const struct expected *a, const struct expected *b)
{
	return same_uuid(a->uuid, b->uuid);
}

void expected_choose_uuid(struct expected *expected)
{
	uint8_t uuid[16];

	uuid_generate_random(uuid);
	memset(uuid + EXPECTED_UUID_BYTES, 0, sizeof(uuid) - EXPECTED_UUID_BYTES);
	snprintf(expected->uuid, sizeof(expected->uuid), "%s", uuid_text(uuid).text);
}

static int hex_digit(char digit)
{
	const char *digits = "0123456789abcdef", *at = digit ? strchr(digits, digit) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What a command line could not hold is there as %XX. */
static void decode(const char *text, char *place, size_t size)
{
	size_t used = 0;

	for (; *text && used + 1 < size; text++) {
		if (*text == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
			place[used++] = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
			text += 2;
		} else {
			place[used++] = *text;
		}
	}
	place[used] = '\0';
}

/* UUID:GENERATION@PLACE */
static bool parse(const char *text, struct expected *ret_expected)
{
	struct expected expected = { .by_kexec = true, .is_cmdline = true };
	char place[PATH_MAX];

	if (sscanf(text, "%36[0-9a-f-]:%llu@%4095s", expected.uuid,
		   (unsigned long long *)&expected.generation, place) != 3 ||
	    strlen(expected.uuid) != 36)
		return false;
	decode(place, expected.place, sizeof(expected.place));
	*ret_expected = expected;
	return true;
}

static bool read_cmdline(struct expected *ret_expected)
{
	_cleanup_free_ char *running = NULL, *value = NULL;

	if (sysfs_read_text(-1, "/proc/cmdline", &running) < 0)
		return false;
	value = cmdline_expected(running);
	return value && parse(value, ret_expected);
}

/* False if the file says nothing. @settled: the uuid of a command line, or "". */
static bool read_file(struct expected *ret_expected, char settled[40])
{
	_cleanup_free_ char *text = NULL;
	char number[24], by_kexec[8];

	*ret_expected = (struct expected){ 0 };
	settled[0] = '\0';
	if (sysfs_read_text(-1, PATH, &text) < 0)
		return false;
	note_lines_find(text, SETTLED, settled, 40);
	note_lines_find(text, UUID, ret_expected->uuid, sizeof(ret_expected->uuid));
	note_lines_find(text, PLACE, ret_expected->place, sizeof(ret_expected->place));
	note_lines_find(text, REASON, ret_expected->reason, sizeof(ret_expected->reason));
	note_lines_find(text, GENERATION, number, sizeof(number));
	note_lines_find(text, BY_KEXEC, by_kexec, sizeof(by_kexec));
	ret_expected->generation = strtoull(number, NULL, 10);
	ret_expected->by_kexec = *by_kexec != '\0';
	return *ret_expected->uuid || *ret_expected->reason;
}

bool expected_read(struct expected *ret_expected)
{
	struct expected file, cmdline;
	char settled[40];
	bool in_file = read_file(&file, settled);
	bool on_cmdline = read_cmdline(&cmdline) && !same_uuid(cmdline.uuid, settled);

	if (!in_file && !on_cmdline)
		return false;
	*ret_expected = in_file ? file : cmdline;
	/* The file knows more of the same: where the state went in the end, or why it did not. */
	if (in_file && on_cmdline && !same_uuid(file.uuid, cmdline.uuid))
		*ret_expected = cmdline;
	ret_expected->is_cmdline = on_cmdline;
	return true;
}

static int open_directory(void)
{
	_cleanup_close_ int parent = -1;
	int fd = sysfs_open(-1, EXPECTED_DIRECTORY);

	if (fd != -ENOENT)
		return fd;
	parent = sysfs_open(-1, "/var/lib");
	if (parent < 0)
		return parent;
	if (mkdirat(parent, "pmem-preserve", 0700) < 0 && errno != EEXIST)
		return -errno;
	return sysfs_open(-1, EXPECTED_DIRECTORY);
}

static int write_file(const char *text)
{
	_cleanup_close_ int directory = open_directory();

	return directory < 0 ? directory
			     : replace_file_at(directory, NAME, 0600, text, strlen(text));
}

static int remove_file(void)
{
	_cleanup_close_ int directory = sysfs_open(-1, EXPECTED_DIRECTORY);

	if (directory == -ENOENT)
		return 0;
	if (directory < 0)
		return directory;
	if (unlinkat(directory, NAME, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(directory) < 0 ? -errno : 0;
}

/* Whatever the running kernel was told to expect is settled by it. */
static int replace(const struct expected *expected)
{
	_cleanup_free_ char *text = NULL;
	struct expected cmdline = { 0 };
	char generation[24] = "";
	const struct note_line lines[] = {
		{ UUID, expected->uuid },
		{ GENERATION, generation },
		{ PLACE, expected->place },
		{ REASON, expected->reason },
		{ BY_KEXEC, expected->by_kexec ? "yes" : "" },
		{ SETTLED, cmdline.uuid },
	};

	read_cmdline(&cmdline);
	if (expected->generation)
		snprintf(generation, sizeof(generation), "%llu",
			 (unsigned long long)expected->generation);
	text = note_lines_text(lines, sizeof(lines) / sizeof(lines[0]));
	if (!text)
		return -ENOMEM;
	return *text ? write_file(text) : remove_file();
}

void expected_write(const struct expected *expected)
{
	int r = replace(expected);

	if (r < 0)
		warn(PATH
		     ": cannot write: %s; if the next boot finds no checkpoint, it cannot tell whether there was one",
		     strerror(-r));
}

void expected_settle(void)
{
	const struct expected nothing = { 0 };
	struct expected before;
	int r = expected_read(&before) ? replace(&nothing) : 0;

	if (r < 0)
		warn(PATH
		     ": cannot write: %s; a later boot may take the checkpoint that is settled now for a lost one",
		     strerror(-r));
}

bool expected_on_cmdline(const struct expected *expected, char **cmdline)
{
	_cleanup_free_ char *value = NULL, *next = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&value, &length);

	if (!file)
		return false;
	fprintf(file, "%s:%llu@", expected->uuid, (unsigned long long)expected->generation);
	for (const unsigned char *p = (const unsigned char *)expected->place; *p; p++)
		fprintf(file, *p <= ' ' || *p >= 0x7f || strchr("%\"", *p) ? "%%%02x" : "%c", *p);
	if (fclose(file) != 0)
		return false;
	next = cmdline_expect(*cmdline, value);
	if (!next || strlen(next) > CMDLINE_MAX)
		return false;
	free(*cmdline);
	*cmdline = take_pointer(next);
	return true;
}
