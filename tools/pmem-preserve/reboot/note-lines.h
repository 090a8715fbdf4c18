/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form of the notes: lines of NAME="value", as a shell and EnvironmentFile= of systemd read them. */
#ifndef PMEM_PRESERVE_NOTE_LINES_H
#define PMEM_PRESERVE_NOTE_LINES_H

#include <stddef.h>

struct note_line {
	const char *key;
	const char *value; /* a line with "" is left out */
};

/* The text of a note, to be freed by the caller; NULL when out of memory. */
char *note_lines_text(const struct note_line *lines, size_t count);

/* The value of @key, "" if there is no such line. What does not fit is cut off. */
void note_lines_find(const char *text, const char *key, char *value, size_t size);

#endif
