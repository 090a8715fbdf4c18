/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building JSON objects without memory: any of them may be NULL, and a member that there is no
 * memory for is missing, since nothing that matters more may fail because of it. json-c itself would
 * abort.
 */
#ifndef PMEM_PRESERVE_JSON_H
#define PMEM_PRESERVE_JSON_H

struct json_object;

/* Both take ownership of @value. */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

/* UTF-8 as it is; any other byte as U+FFFD, since JSON has no way to hold it. */
struct json_object *json_text(const char *text);

/*
 * Prints it on standard output, and a newline. Characters that control a terminal appear as \uXXXX, the
 * same string for whoever parses it. 0, or -errno.
 */
int json_print(struct json_object *object);

#endif
