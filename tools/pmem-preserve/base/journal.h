/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The systemd journal: lines with a priority, and the result of a command as fields. */
#ifndef PMEM_PRESERVE_JOURNAL_H
#define PMEM_PRESERVE_JOURNAL_H

#include <stdbool.h>

struct json_object;

/* MESSAGE_ID of results: "journalctl MESSAGE_ID=..." finds them all. */
#define JOURNAL_RESULT_ID "9b0d5fc2a8b94f0b8f3a6c07d2e1b4c5"

/* Whether standard error goes to the journal. */
bool journal_is_stderr(void);

/* @priority as in syslog(3). */
void journal_print(int priority, const char *line);

/*
 * What @command came to: PMEM_PRESERVE_COMMAND, _EXIT_STATUS, _ERROR, and each number or text of
 * the result, and of its "image", the timeline in that, and "region", by its upper-case name:
 * PMEM_PRESERVE_IMAGE_GENERATION, PMEM_PRESERVE_TIMELINE_BEGIN.
 */
void journal_result(const char *command, int exit_status, const char *error,
		    struct json_object *result);

#endif
