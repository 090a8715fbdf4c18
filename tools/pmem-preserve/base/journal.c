// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/journal.h"

#include <ctype.h>
#include <json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define PREFIX	    "PMEM_PRESERVE_"
#define FIELDS_MAX  64
#define FIELD_BYTES 512

bool journal_is_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void journal_print(int priority, const char *line)
{
	sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priority,
			"SYSLOG_IDENTIFIER=pmem-preserve", NULL);
}

struct record {
	struct iovec fields[FIELDS_MAX];
	char text[FIELDS_MAX][FIELD_BYTES];
	int count;
};

__attribute__((format(printf, 2, 3))) static void add(struct record *record, const char *format,
						      ...)
{
	va_list args;
	char *text;

	if (record->count == FIELDS_MAX)
		return;
	text = record->text[record->count];
	va_start(args, format);
	vsnprintf(text, FIELD_BYTES, format, args);
	va_end(args);
	record->fields[record->count++] = (struct iovec){ text, strlen(text) };
}

/* The object's own members, each as PMEM_PRESERVE_@group_KEY. */
static void add_members(struct record *record, const char *group, struct json_object *object)
{
	json_object_object_foreach(object, key, value)
	{
		char name[64];
		size_t i;

		if (!value || json_object_is_type(value, json_type_object) ||
		    json_object_is_type(value, json_type_array))
			continue;
		for (i = 0; key[i] && i + 1 < sizeof(name); i++)
			name[i] = (char)toupper((unsigned char)key[i]);
		name[i] = '\0';
		add(record, PREFIX "%s%s=%s", group, name, json_object_get_string(value));
	}
}

void journal_result(const char *command, int exit_status, const char *error,
		    struct json_object *result)
{
	struct record *record = calloc(1, sizeof(*record));
	struct json_object *part;

	if (!record)
		return;
	add(record, "MESSAGE=%s ended with status %d%s%s", command, exit_status, *error ? ": " : "",
	    error);
	add(record, "MESSAGE_ID=" JOURNAL_RESULT_ID);
	add(record, "PRIORITY=%d", LOG_DEBUG);
	add(record, "SYSLOG_IDENTIFIER=pmem-preserve");
	add(record, PREFIX "COMMAND=%s", command);
	add(record, PREFIX "EXIT_STATUS=%d", exit_status);
	if (*error)
		add(record, PREFIX "ERROR=%s", error);
	add_members(record, "", result);
	if (json_object_object_get_ex(result, "image", &part) && part) {
		add_members(record, "IMAGE_", part);
		if (json_object_object_get_ex(part, "timeline", &part) && part)
			add_members(record, "TIMELINE_", part);
	}
	if (json_object_object_get_ex(result, "region", &part) && part)
		add_members(record, "REGION_", part);
	sd_journal_sendv(record->fields, record->count);
	free(record);
}
