/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes beneath /run/pmem-preserve: what this boot's restore and shutdown came to, for services,
 * scripts, and our own later steps. NAME="value" lines, as a shell and systemd's EnvironmentFile=
 * read them. A note tells; what counts is always on the media. It must not know what notes say.
 */
#ifndef PMEM_PRESERVE_NOTES_H
#define PMEM_PRESERVE_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_DIRECTORY "/run/pmem-preserve"

struct run_line {
	const char *key;
	const char *value; /* NULL: the line is left out */
};

/* Writes the note @name, in place of one that is there, in one step. Reported. */
int run_file_write(const char *name, const struct run_line *lines, size_t count);

/* The value of @key; false when there is no such note or line. */
bool run_file_read(const char *name, const char *key, char *value, size_t size);

void run_file_remove(const char *name);

/* Opens a file there that is locked, not read: for its owner alone. An fd or -errno, not reported.
 */
int run_file_open_lock(const char *name);

#endif
