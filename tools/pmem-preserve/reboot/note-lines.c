// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/note-lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

char *note_lines_text(const struct note_line *lines, size_t count)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (!*lines[i].value)
			continue;
		fprintf(file, "%s=", lines[i].key);
		print_value(file, lines[i].value);
		fputc('\n', file);
	}
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

void note_lines_find(const char *text, const char *key, char *value, size_t size)
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
