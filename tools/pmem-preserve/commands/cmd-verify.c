// SPDX-License-Identifier: GPL-2.0-or-later
/* verify: whether every byte of a checkpoint is what was written; names what is not. */
#include "auth/key.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/image-json.h"
#include "flow/place.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>
#include <stdio.h>

struct damage {
	const struct context *context;
	struct json_object *paths;
};

static void on_damaged(void *data, const char *path)
{
	struct damage *damage = data;

	json_append(damage->paths, path_to_json(path));
	if (!damage->context->json)
		printf("damaged: %s\n", path);
}

int cmd_verify(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	struct damage damage = { .context = context };
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_KEY_FILE | OPTION_THREADS, NULL,
			  &options);
	if (r < 0 || options.help)
		return r;
	r = key_read(options.key_file, &options.key);
	if (r == 0)
		r = place_find_checkpoint(&options, &place);
	if (r == 0)
		r = store_open(place.path, STORE_READ, &store);
	if (r == 0)
		r = image_open(store, options.key, IMAGE_ALLOW_RESTORED | IMAGE_ALLOW_LOST_HEADER,
			       &image);
	if (r < 0)
		return r;
	damage.paths = json_object_new_array();
	json_add(context->result, "image", image_to_json(&image->header));
	json_add(context->result, "damaged", damage.paths);
	r = image_verify(image, options.threads, on_damaged, &damage);
	if (r == 0 && !context->json)
		printf("%s: %s are as they were written\n", place_name(&place),
		       size_text(image->header.image_bytes).text);
	return r;
}
