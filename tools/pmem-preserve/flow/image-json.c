// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/image-json.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "image/image.h"

#include <json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Length of the UTF-8 sequence at @p, 0 when it is none. */
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

struct json_object *path_to_json(const char *path)
{
	_cleanup_free_ char *text = malloc(3 * strlen(path) + 1);
	char *at = text;

	if (!text)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)path; *p;) {
		size_t length = sequence(p);

		memcpy(at, length ? (const char *)p : "\xef\xbf\xbd", length ? length : 3);
		at += length ? length : 3;
		p += length ? length : 1;
	}
	*at = '\0';
	return json_object_new_string(text);
}

struct json_object *image_to_json(const struct image_header *header)
{
	static const char *const events[TIMELINE_EVENTS] = {
		[TIMELINE_BEGIN] = "begin",	[TIMELINE_MEMORY_REMOVED] = "memory_removed",
		[TIMELINE_WRITE] = "write",	[TIMELINE_COMMITTED] = "committed",
		[TIMELINE_RESTORE] = "restore", [TIMELINE_RESTORED] = "restored",
	};
	struct json_object *object = json_object_new_object(), *timeline = json_object_new_object();

	json_add(object, "phase", json_object_new_string(image_phase_name(header->phase)));
	json_add(object, "uuid", json_object_new_string(uuid_text(header->uuid).text));
	json_add(object, "generation", json_object_new_uint64(header->generation));
	json_add(object, "sealed", json_object_new_boolean(header->seal == IMAGE_SEAL_KEYED));
	json_add(object, "image_bytes", json_object_new_uint64(header->image_bytes));
	json_add(object, "files", json_object_new_uint64(header->files));
	json_add(object, "file_bytes", json_object_new_uint64(header->file_bytes));
	json_add(object, "created", json_object_new_uint64(header->created_ns / 1000000000));
	json_add(object, "hostname", path_to_json((const char *)header->hostname));
	json_add(object, "kernel", path_to_json((const char *)header->kernel));
	for (int i = 0; i < TIMELINE_EVENTS; i++)
		if (events[i] && header->timeline.at[i])
			json_add(timeline, events[i],
				 json_object_new_double((double)header->timeline.at[i] / 1e9));
	json_add(object, "timeline", timeline);
	return object;
}
