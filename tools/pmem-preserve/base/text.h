/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as text for people: sizes, times, uuids, and names that may hold any byte. Each *_text is
 * returned by value, so that a message can say size_text(bytes).text.
 */
#ifndef PMEM_PRESERVE_TEXT_H
#define PMEM_PRESERVE_TEXT_H

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "1.5 GiB" is for most messages, "1.5 GiB (1610612736 bytes)" for refusals. */
struct size_text {
	char text[48];
};
struct size_text size_text(uint64_t bytes);
struct size_text size_exact(uint64_t bytes);

/* "2026-01-02 03:04:05" in local time. @unix_ns: nanoseconds since the epoch. */
struct time_text {
	char text[32];
};
struct time_text time_text(uint64_t unix_ns);

/* "2f1c...": 36 characters in lower case. */
struct uuid_text {
	char text[37];
};
struct uuid_text uuid_text(const uint8_t uuid[16]);

/* "-rwxr-xr-x", as in ls(1); @mode as in struct stat. */
struct mode_text {
	char text[11];
};
struct mode_text mode_text(uint32_t mode);

/*
 * Text without what a terminal would act upon: control characters, those of Latin-1 too, and bytes
 * that are not UTF-8 become \ooo, and a backslash two, so that no two texts look the same. What does not fit into the @size bytes at @line is left out.
 */
void text_printable(const char *text, char *line, size_t size);
void text_print(FILE *file, const char *text);

#endif
