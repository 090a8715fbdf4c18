// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include "base/cleanup.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value) < 0)
		json_object_put(value);
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (!array || json_object_array_add(array, value) < 0)
		json_object_put(value);
}

/* Length of the UTF-8 sequence at @p; 0 if there is no valid one. */
static size_t sequence(const unsigned char *p)
{
	size_t length = *p < 0x80		  ? 1
			: *p >= 0xc2 && *p < 0xe0 ? 2
			: *p >= 0xe0 && *p < 0xf0 ? 3
			: *p >= 0xf0 && *p < 0xf5 ? 4
						  : 0;

	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

struct json_object *json_text(const char *text)
{
	_cleanup_free_ char *utf8 = malloc(3 * strlen(text) + 1);
	char *at = utf8;

	if (!utf8)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t length = sequence(p);

		memcpy(at, length ? (const char *)p : "\xef\xbf\xbd", length ? length : 3);
		at += length ? length : 3;
		p += length ? length : 1;
	}
	*at = '\0';
	return json_object_new_string(utf8);
}

/* json-c escapes the controls of ASCII but for DEL; those in two bytes are U+0080 to U+009F. */
int json_print(struct json_object *object)
{
	const char *text =
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							       JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		return -ENOMEM;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == 0x7f)
			fputs("\\u007f", stdout);
		else if (*p == 0xc2 && p[1] < 0xa0)
			printf("\\u%04x", *++p);
		else
			putchar(*p);
	}
	putchar('\n');
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
