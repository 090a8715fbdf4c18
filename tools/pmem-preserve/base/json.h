/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The --json output is put together where any object may be NULL: when there is no memory for it a
 * member is missing, and nothing that matters more goes wrong by it. json-c itself would abort.
 * Must not know what is told.
 */
#ifndef PMEM_PRESERVE_JSON_H
#define PMEM_PRESERVE_JSON_H

struct json_object;

/* Both take @value over. */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

#endif
