// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/incomplete.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "image/image.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct incomplete_text incomplete_text(const struct image_header *header)
{
	unsigned long long marked = header->marked, unsaved = header->unsaved;
	struct incomplete_text text = { "" };
	int length = 0;

	if (marked)
		length = snprintf(text.text, sizeof(text.text), "%llu %s while %s saved", marked,
				  marked == 1 ? "file changed" : "files changed",
				  marked == 1 ? "it was" : "they were");
	if (unsaved)
		snprintf(text.text + length, sizeof(text.text) - (size_t)length,
			 "%s%llu %s could not be saved", marked ? ", " : "", unsaved,
			 unsaved == 1 ? "path" : "paths");
	return text;
}

void incomplete_warn(const struct image_header *header)
{
	const struct incomplete_text text = incomplete_text(header);

	if (*text.text)
		warn("%s: \"pmem-preserve list\" shows them", text.text);
}

/* Calls @tell for each name of a marked file; without memory for a path it is left out. */
static void for_marked(const struct tree *tree, void (*tell)(void *data, const char *path),
		       void *data)
{
	for (uint32_t i = 0; i < tree->count; i++) {
		_cleanup_free_ char *path = NULL;

		if (tree->entries[i].flags & ENTRY_CHANGED)
			path = tree_path(tree, i);
		if (path)
			tell(data, path);
	}
}

static void warn_marked(void *data, const char *path)
{
	warn("changed while it was saved: %s", path);
}

void incomplete_warn_each(const struct tree *tree)
{
	for_marked(tree, warn_marked, NULL);
	for (uint32_t i = 0; i < tree->unsaved_count; i++)
		warn("could not be saved: %s: %s", tree->unsaved[i].path,
		     strerror(-tree->unsaved[i].error));
}

static void add_marked(void *data, const char *path)
{
	json_append(data, json_text(path));
}

void incomplete_add_to_json(struct json_object *result, const struct tree *tree)
{
	struct json_object *marked = json_object_new_array(), *unsaved = json_object_new_array();

	for_marked(tree, add_marked, marked);
	for (uint32_t i = 0; i < tree->unsaved_count; i++) {
		struct json_object *object = json_object_new_object();

		json_add(object, "path", json_text(tree->unsaved[i].path));
		json_add(object, "reason", json_text(strerror(-tree->unsaved[i].error)));
		json_append(unsaved, object);
	}
	json_add(result, "marked", marked);
	json_add(result, "unsaved", unsaved);
}
