// SPDX-License-Identifier: GPL-2.0-or-later
/* verify: checks every byte of a checkpoint, and lists damaged ranges and files. */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "base/strings.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/incomplete.h"
#include "flow/place.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>
#include <stdio.h>

struct damage {
	bool json;
	char **paths;
	size_t count;
};

static void damage_clear(struct damage *damage)
{
	strings_free(&damage->paths, &damage->count);
}

static void on_damaged(void *data, const char *path)
{
	struct damage *damage = data;

	if (!damage->json) {
		fputs("damaged: ", stdout);
		text_print(stdout, path);
		putchar('\n');
	} else if (strings_add(&damage->paths, &damage->count, path) < 0) {
		/* There is no memory for it: the result lacks this one. */
		warn("damaged: %s", path);
	}
}

static void print_ranges(const struct image *image)
{
	for (size_t i = 0; i < image->damage_count; i++)
		printf("damaged: %llu bytes at offset %llu: %s\n",
		       (unsigned long long)image->damage[i].length,
		       (unsigned long long)image->damage[i].offset,
		       image_part_name(image->damage[i].part));
}

int cmd_verify(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_(damage_clear) struct damage damage = { .json = context->json };
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_KEY_FILE | OPTION_THREADS, NULL,
			  &options);
	if (r < 0 || options.help)
		return r;
	r = command_open_checkpoint(&options, STORE_READ, &place, &store);
	if (r == 0)
		r = image_open(store, options.trust.key,
			       IMAGE_ALLOW_RESTORED | IMAGE_ALLOW_LOST_HEADER, &image);
	if (r < 0)
		return r;
	r = image_verify(image, options.threads, on_damaged, &damage);
	json_add(context->result, "image", image_to_json(&image->header));
	json_add(context->result, "damaged", strings_to_json(damage.paths, damage.count));
	json_add(context->result, "ranges", damage_to_json(image));
	incomplete_add_to_json(context->result, image->tree);
	if (!context->json)
		print_ranges(image);
	if (r == 0 && !context->json)
		printf("%s: no damage found in %s\n", place_name(&place),
		       size_text(image->header.image_bytes).text);
	incomplete_warn(&image->header);
	return r;
}
