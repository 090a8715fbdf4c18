// SPDX-License-Identifier: GPL-2.0-or-later
/* restore: from a committed image to the tree; then the memory goes back to the system. */
#include "auth/key.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/guard.h"
#include "flow/instance.h"
#include "flow/place.h"
#include "flow/reclaim.h"
#include "flow/region-json.h"
#include "flow/restore.h"
#include "flow/wipe.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>

int cmd_restore(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	struct image_header header;
	_cleanup_close_ int lock = -1;
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_INTO | OPTION_OVERWRITE |
				  OPTION_SALVAGE | OPTION_KEEP | OPTION_NO_HOT_ADD |
				  OPTION_KEY_FILE | OPTION_NO_SPECIAL | OPTION_THREADS |
				  OPTION_DRY_RUN,
			  NULL, &options);
	if (r < 0 || options.help)
		return r;
	/* A damaged file would stay what it was before, among others of the checkpoint. */
	if (options.salvage && options.overwrite)
		return report_error(-E_USAGE,
				    "restore: --salvage and --overwrite do not go together; salvage --into an empty directory");
	r = instance_lock(&options, 0, &lock);
	if (r == 0)
		r = key_read(options.key_file, &options.key);
	if (r == 0)
		r = place_find_checkpoint(&options, &place);
	if (r == 0)
		r = restore_run(context, &options, &place);
	if (r < 0 || options.dry_run || options.keep || options.no_hot_add || !place.is_region)
		return r;
	if (place.region.target_node < 0 || place.region.ram_bytes == 0) {
		inform("%s stays %s: it cannot be RAM on this machine", place.region.name,
		       region_state_name(place.region.state));
		return 0;
	}
	r = checkpoint_guard(&place.region, false, &header);
	if (r == 0 && options.wipe)
		r = wipe_region(&place.region);
	if (r == 0)
		r = memory_give(&place.region);
	if (r < 0)
		warn("the state is restored, but %s is not in use as RAM; \"pmem-preserve hot-add\" tries again",
		     place.region.name);
	json_add(context->result, "region", region_to_json(&place.region));
	return r;
}
