// SPDX-License-Identifier: GPL-2.0-or-later
/* discard: gives a checkpoint up. */
#include "cleanup.h"
#include "command.h"
#include "image.h"
#include "instance.h"
#include "options.h"
#include "place.h"

#include <errno.h>
#include <unistd.h>

/* In one step: without its header it would be something that nobody knows. */
static int remove_file(const char *path)
{
	return unlink(path) < 0 ? fail(-errno, "%s: cannot remove", path) : 0;
}

int cmd_discard(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	_cleanup_close_ int lock = -1;
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_DRY_RUN, NULL, &options);
	if (r < 0 || options.help)
		return r;
	r = instance_lock(&options, 0, &lock);
	if (r == 0)
		r = place_find_checkpoint(&options, &place);
	if (r == 0)
		r = store_open(place.path, options.dry_run ? STORE_READ : STORE_UPDATE, &store);
	if (r < 0)
		return r;
	r = image_read_header(store, &header);
	if (r == -E_NO_CHECKPOINT)
		return fail(r, "%s: holds no checkpoint", place_name(&place));
	/* A damaged one may go, too; but not what cannot be read, as it may be anybody's. */
	if (r < 0 && (r != -E_DAMAGED || !image_is_ours(store)))
		return r;
	if (options.dry_run) {
		inform("Nothing was changed; the checkpoint in %s would be gone",
		       place_name(&place));
		return 0;
	}
	r = store->kind == STORE_FILE ? remove_file(store->path) : image_erase(store);
	if (r == 0)
		inform("The checkpoint in %s is gone", place_name(&place));
	return r;
}
