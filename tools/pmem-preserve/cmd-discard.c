// SPDX-License-Identifier: GPL-2.0-or-later
/* discard: gives a checkpoint up. */
#include "command.h"
#include "image.h"
#include "options.h"
#include "place.h"

#include <errno.h>
#include <unistd.h>

int cmd_discard(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_DRY_RUN, NULL, &options);
	if (r < 0 || options.help)
		return r;
	r = place_find_checkpoint(&options, &place);
	if (r == 0)
		r = store_open(place.path, options.dry_run ? STORE_READ : STORE_UPDATE, &store);
	if (r < 0)
		return r;
	r = image_read_header(store, &header);
	if (r == -E_NO_CHECKPOINT)
		return fail(r, "%s: holds no checkpoint", place_name(&place));
	/* A damaged one may go, too: it is ours by its magic. */
	if (r < 0 && r != -E_DAMAGED)
		return r;
	if (options.dry_run) {
		inform("Nothing was changed; the checkpoint in %s would be gone",
		       place_name(&place));
		return 0;
	}
	r = image_erase(store);
	if (r == 0 && store->kind == STORE_FILE && unlink(store->path) < 0)
		r = fail(-errno, "%s: cannot remove", store->path);
	if (r == 0)
		inform("The checkpoint in %s is gone", place_name(&place));
	return r;
}
