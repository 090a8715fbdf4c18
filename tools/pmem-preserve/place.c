// SPDX-License-Identifier: GPL-2.0-or-later
#include "place.h"

#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void place_update(struct place *place)
{
	region_path(&place->region, place->path);
}

int place_find(const struct options *options, struct place *ret_place)
{
	struct place place = { .is_region = !options->image };
	int r;

	if (options->image) {
		if (snprintf(place.path, sizeof(place.path), "%s", options->image) >=
		    (int)sizeof(place.path))
			return fail(-ENAMETOOLONG, "--image");
	} else {
		r = region_find(options->region, &place.region);
		if (r < 0)
			return r;
		place_update(&place);
	}
	*ret_place = place;
	return 0;
}

const char *place_name(const struct place *place)
{
	return place->is_region ? place->region.name : place->path;
}

int place_find_checkpoint(const struct options *options, struct place *ret_place)
{
	int r = place_find(options, ret_place);

	if (r == -ENODEV) {
		inform("If a checkpoint was made in the last boot: this one did not get its "
		       "memmap=, or the NVDIMM is gone. Nothing was changed; see /proc/cmdline "
		       "and dmesg.");
		return -E_NO_CHECKPOINT;
	}
	if (r < 0)
		return r;
	if (!ret_place->is_region && access(ret_place->path, F_OK) < 0 && errno == ENOENT)
		return fail(-E_NO_CHECKPOINT, "%s: there is no such file, so no checkpoint",
			    ret_place->path);
	if (ret_place->path[0])
		return 0;
	if (ret_place->region.state == REGION_RAM)
		return fail(-E_NO_CHECKPOINT, "%s is in use as RAM: there is no checkpoint",
			    ret_place->region.name);
	return fail(-E_NO_CHECKPOINT, "%s holds no checkpoint%s%s", ret_place->region.name,
		    ret_place->region.why[0] ? ": " : "", ret_place->region.why);
}
