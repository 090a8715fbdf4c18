// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/text.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
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

void text_printable(const char *text, char *line, size_t size)
{
	size_t used = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p && used + 5 <= size; p++) {
		if (*p < 0x20 || *p == 0x7f)
			used += (size_t)snprintf(line + used, size - used, "\\%03o", *p);
		else
			line[used++] = (char)*p;
	}
	line[used] = '\0';
}
