// SPDX-License-Identifier: GPL-2.0-or-later
/* discard: gives a checkpoint up. */
#include "base/cleanup.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/guard.h"
#include "flow/lost.h"
#include "flow/place.h"
#include "image/image.h"
#include "reboot/expected.h"
#include "settings/options.h"

/* A damaged header does not say how large the image is: all of the device is wiped. */
static int erase(struct store *store, const struct image_header *header, bool wipe)
{
	if (!wipe)
		return image_erase(store);
	return image_wipe(store, header->phase ? header->image_bytes : store->capacity);
}

static int remove_file(struct store *store, bool wipe)
{
	int r = wipe ? image_wipe(store, store->capacity) : 0;

	return r < 0 ? r : store_remove(store);
}

static int give_up(struct store *store, const struct image_header *header, struct options *options)
{
	int r = checkpoint_forget(&options->trust, header);

	if (r < 0)
		return r;
	return store->kind == STORE_FILE ? remove_file(store, options->wipe)
					 : erase(store, header, options->wipe);
}

/* A checkpoint that a boot looked for in vain can be given up, too. */
static int give_up_lost(const struct options *options, int r)
{
	struct expected expected;

	if (r != -E_NO_CHECKPOINT || options->where.image || options->where.region_named ||
	    !expected_read(&expected))
		return r;
	if (options->dry_run)
		inform("Nothing was changed; the checkpoint that was expected in %s would be given up",
		       expected.place);
	if (options->dry_run)
		return 0;
	expected_settle();
	inform("The checkpoint that was expected in %s is given up", expected.place);
	return 0;
}

int cmd_discard(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_store_ struct store *store = NULL;
	struct image_header header = { 0 };
	_cleanup_close_ int lock = -1;
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_KEY_FILE | OPTION_WIPE |
				  OPTION_DRY_RUN,
			  NULL, &options);
	if (r < 0 || options.help)
		return r;
	r = command_lock(&options, 0, &lock);
	if (r == 0)
		r = command_open_checkpoint(&options, options.dry_run ? STORE_READ : STORE_UPDATE,
					    &place, &store);
	if (r < 0)
		return give_up_lost(&options, r);
	r = image_read_header(store, &header);
	if (r == -E_NO_CHECKPOINT)
		return give_up_lost(&options,
				    report_error(r, "%s: holds no checkpoint", place_name(&place)));
	/* A damaged checkpoint may go, but not what cannot be read: it may be anybody's. */
	if (r < 0 && (r != -E_DAMAGED || !image_is_ours(store)))
		return r;
	if (r < 0)
		image_read_copy(store, &header);
	if (options.dry_run) {
		inform("Nothing was changed; the checkpoint in %s would be gone",
		       place_name(&place));
		return 0;
	}
	r = give_up(store, &header, &options);
	if (r == 0)
		lost_settle(&options.where, &header);
	if (r == 0)
		inform("The checkpoint in %s is gone%s", place_name(&place),
		       options.wipe ? ", and its bytes are wiped" : "");
	return r;
}
