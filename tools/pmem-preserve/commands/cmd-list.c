// SPDX-License-Identifier: GPL-2.0-or-later
/* list: the files in a checkpoint. */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/incomplete.h"
#include "flow/place.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "settings/options.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

static void print_long(const struct tree *tree, uint32_t index, const char *path)
{
	const struct entry *entry = &tree->entries[index];
	time_t seconds = (time_t)entry->mtime;
	char size[32], when[40] = "?";
	dev_t device = device_decode(entry->device);
	struct tm tm;

	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		snprintf(size, sizeof(size), "%u, %u", major(device), minor(device));
	else
		snprintf(size, sizeof(size), "%llu", (unsigned long long)entry->size);
	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	printf("%s%c %3u %7u %7u %12s %s ", mode_text(entry->mode).text, entry->xattrs ? '+' : ' ',
	       tree->entries[entry->inode_entry].links, entry->uid, entry->gid, size, when);
	text_print(stdout, path);
	if (S_ISLNK(entry->mode)) {
		fputs(" -> ", stdout);
		text_print(stdout, tree_target(tree, index));
	}
	putchar('\n');
}

static int list(struct context *context, const struct image *image, bool long_list)
{
	const struct tree *tree = image->tree;
	struct json_object *entries = json_object_new_array();

	json_add(context->result, "image", image_to_json(&image->header));
	json_add(context->result, "entries", entries);
	for (uint32_t i = 0; i < tree->count; i++) {
		_cleanup_free_ char *path = NULL;

		/* Directories that only lead to the state are not part of it. */
		if (tree->entries[i].flags & ENTRY_ANCESTOR)
			continue;
		path = tree_path(tree, i);
		if (!path)
			return report_error(-ENOMEM, "%s: cannot list", image->store->path);
		if (context->json) {
			json_append(entries, entry_to_json(tree, i, path));
		} else if (long_list) {
			print_long(tree, i, path);
		} else {
			text_print(stdout, path);
			putchar('\n');
		}
	}
	incomplete_add_to_json(context->result, image->tree);
	incomplete_warn_each(image->tree);
	return 0;
}

int cmd_list(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_KEY_FILE | OPTION_LONG, NULL,
			  &options);
	if (r < 0 || options.help)
		return r;
	r = command_open_checkpoint(&options, STORE_READ, &place, &store);
	if (r == 0)
		r = image_open(store, options.trust.key, IMAGE_ALLOW_RESTORED, &image);
	return r < 0 ? r : list(context, image, options.long_list);
}
