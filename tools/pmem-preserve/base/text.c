// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/text.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

struct size_text size_text(uint64_t bytes)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	struct size_text size;
	double value = (double)bytes;
	unsigned int i = 0;

	while (value >= 1024 && i < 6) {
		value /= 1024;
		i++;
	}
	if (i == 0 || value == (double)(uint64_t)value)
		snprintf(size.text, sizeof(size.text), "%.0f %s", value, unit[i]);
	else
		snprintf(size.text, sizeof(size.text), "%.1f %s", value, unit[i]);
	return size;
}

struct size_text size_exact(uint64_t bytes)
{
	struct size_text size = size_text(bytes);
	size_t used = strlen(size.text);

	if (bytes >= 1024)
		snprintf(size.text + used, sizeof(size.text) - used, " (%llu bytes)",
			 (unsigned long long)bytes);
	return size;
}

struct time_text time_text(uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / NS_PER_SECOND);
	struct time_text text = { "?" };
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text.text, sizeof(text.text), "%F %T", &tm);
	return text;
}

struct uuid_text uuid_text(const uint8_t uuid[16])
{
	struct uuid_text text;

	uuid_unparse_lower(uuid, text.text);
	return text;
}

struct mode_text mode_text(uint32_t mode)
{
	static const char types[16] = {
		[S_IFREG >> 12] = '-',	[S_IFDIR >> 12] = 'd', [S_IFLNK >> 12] = 'l',
		[S_IFCHR >> 12] = 'c',	[S_IFBLK >> 12] = 'b', [S_IFIFO >> 12] = 'p',
		[S_IFSOCK >> 12] = 's',
	};
	struct mode_text text = { "" };

	text.text[0] = types[(mode & S_IFMT) >> 12];
	for (int i = 0; i < 9; i++)
		text.text[1 + i] = mode & (0400u >> i) ? "rwxrwxrwx"[i] : '-';
	if (mode & S_ISUID)
		text.text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text.text[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text.text[9] = mode & S_IXOTH ? 't' : 'T';
	return text;
}

/* One character, as at most four. */
static const char *escape(unsigned char c, char buffer[5])
{
	if (c < 0x20 || c == 0x7f)
		snprintf(buffer, 5, "\\%03o", c);
	else
		snprintf(buffer, 5, c == '\\' ? "\\%c" : "%c", c);
	return buffer;
}

void text_printable(const char *text, char *line, size_t size)
{
	char buffer[5], *at = line;

	for (const char *p = text; *p && (size_t)(at - line) + sizeof(buffer) <= size; p++)
		at = stpcpy(at, escape((unsigned char)*p, buffer));
	*at = '\0';
}

void text_print(FILE *file, const char *text)
{
	char buffer[5];

	for (const char *p = text; *p; p++)
		fputs(escape((unsigned char)*p, buffer), file);
}
