// SPDX-License-Identifier: GPL-2.0-or-later
/* list: what a checkpoint holds. */
#include "auth/key.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "commands/command.h"
#include "flow/image-json.h"
#include "flow/place.h"
#include "image/image.h"
#include "settings/options.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

/* As ls does in the C locale: what a terminal could take for a command becomes \ooo. */
static void print_name(const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			printf("\\%03o", *p);
		else if (*p == '\\')
			fputs("\\\\", stdout);
		else
			putchar(*p);
	}
}

static void mode_text(uint32_t mode, char text[11])
{
	static const char types[16] = {
		[S_IFREG >> 12] = '-',	[S_IFDIR >> 12] = 'd', [S_IFLNK >> 12] = 'l',
		[S_IFCHR >> 12] = 'c',	[S_IFBLK >> 12] = 'b', [S_IFIFO >> 12] = 'p',
		[S_IFSOCK >> 12] = 's',
	};

	text[0] = types[(mode & S_IFMT) >> 12];
	for (int i = 0; i < 9; i++)
		text[1 + i] = mode & (0400u >> i) ? "rwxrwxrwx"[i] : '-';
	if (mode & S_ISUID)
		text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & S_IXOTH ? 't' : 'T';
	text[10] = '\0';
}

static void print_long(const struct tree *tree, uint32_t index, const char *path)
{
	const struct entry *entry = &tree->entries[index];
	time_t seconds = (time_t)entry->mtime;
	char mode[11], size[32], when[40] = "?";
	dev_t device = device_decode(entry->device);
	struct tm tm;

	mode_text(entry->mode, mode);
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		snprintf(size, sizeof(size), "%u, %u", major(device), minor(device));
	else
		snprintf(size, sizeof(size), "%llu", (unsigned long long)entry->size);
	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	printf("%s%c %3u %7u %7u %12s %s ", mode, entry->xattrs ? '+' : ' ',
	       tree->entries[entry->inode_entry].links, entry->uid, entry->gid, size, when);
	print_name(path);
	if (S_ISLNK(entry->mode)) {
		fputs(" -> ", stdout);
		print_name(tree_target(tree, index));
	}
	putchar('\n');
}

static struct json_object *entry_to_json(const struct tree *tree, uint32_t index, const char *path)
{
	const struct entry *entry = &tree->entries[index];
	struct json_object *object = json_object_new_object();
	char mode[11];

	mode_text(entry->mode, mode);
	json_add(object, "path", path_to_json(path));
	json_add(object, "mode", json_object_new_string(mode));
	json_add(object, "links", json_object_new_uint64(tree->entries[entry->inode_entry].links));
	json_add(object, "uid", json_object_new_uint64(entry->uid));
	json_add(object, "gid", json_object_new_uint64(entry->gid));
	json_add(object, "mtime", json_object_new_int64(entry->mtime));
	if (S_ISREG(entry->mode))
		json_add(object, "size", json_object_new_uint64(entry->size));
	if (S_ISLNK(entry->mode))
		json_add(object, "target", path_to_json(tree_target(tree, index)));
	return object;
}

static int list(struct context *context, const struct image *image, bool long_list)
{
	const struct tree *tree = image->tree;
	struct json_object *entries = json_object_new_array();

	json_add(context->result, "image", image_to_json(&image->header));
	json_add(context->result, "entries", entries);
	for (uint32_t i = 0; i < tree->count; i++) {
		_cleanup_free_ char *path = NULL;

		/* What only leads to the state is not part of it. */
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
			print_name(path);
			putchar('\n');
		}
	}
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
	r = key_read(options.key_file, &options.key);
	if (r == 0)
		r = place_find_checkpoint(&options, &place);
	if (r == 0)
		r = store_open(place.path, STORE_READ, &store);
	if (r == 0)
		r = image_open(store, options.key, IMAGE_ALLOW_RESTORED, &image);
	return r < 0 ? r : list(context, image, options.long_list);
}
