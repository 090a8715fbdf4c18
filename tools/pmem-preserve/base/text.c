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

#define ESCAPED_BYTES 9 /* two escaped bytes, and the NUL */

/* The bytes of a UTF-8 sequence that begins like this; 0 if none does. */
static size_t sequence_bytes(unsigned char first)
{
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/*
 * One character, as its bytes or escaped; *ret_used: its bytes in @text. Terminals act upon the
 * control characters of ASCII, and of Latin-1 as UTF-8 (U+0080 to U+009F) or as single bytes.
 */
static const char *escape(const unsigned char *text, char buffer[ESCAPED_BYTES], size_t *ret_used)
{
	size_t length = sequence_bytes(*text);

	*ret_used = 1;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			length = 0;
	if (length == 2 && text[0] == 0xc2 && text[1] < 0xa0) {
		*ret_used = 2;
		snprintf(buffer, ESCAPED_BYTES, "\\%03o\\%03o", text[0], text[1]);
	} else if (length) {
		*ret_used = length;
		snprintf(buffer, ESCAPED_BYTES, "%.*s", (int)length, (const char *)text);
	} else if (*text < 0x20 || *text >= 0x7f) {
		snprintf(buffer, ESCAPED_BYTES, "\\%03o", *text);
	} else {
		snprintf(buffer, ESCAPED_BYTES, *text == '\\' ? "\\%c" : "%c", *text);
	}
	return buffer;
}

void text_printable(const char *text, char *line, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	char buffer[ESCAPED_BYTES], *at = line;
	size_t used;

	for (; *p; p += used) {
		escape(p, buffer, &used);
		if ((size_t)(at - line) + strlen(buffer) >= size)
			break;
		at = stpcpy(at, buffer);
	}
	*at = '\0';
}

void text_print(FILE *file, const char *text)
{
	char buffer[ESCAPED_BYTES];
	size_t used;

	for (const unsigned char *p = (const unsigned char *)text; *p; p += used)
		fputs(escape(p, buffer, &used), file);
}
