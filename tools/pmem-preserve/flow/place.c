// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/place.h"

#include "base/report.h"
#include "base/text.h"
#include "image/image.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void place_update(struct place *place)
{
	region_path(&place->region, place->path);
}

static int place_file(const char *path, const char *option, struct place *ret_place)
{
	struct place place = { .is_region = false };

	if (snprintf(place.path, sizeof(place.path), "%s", path) >= (int)sizeof(place.path))
		return report_error(-ENAMETOOLONG, "%s", option);
	*ret_place = place;
	return 0;
}

static int place_region(const struct where *where, struct place *ret_place)
{
	struct place place = { .is_region = true };
	int r = region_find(where->region, &place.region);

	if (r < 0)
		return r;
	place_update(&place);
	*ret_place = place;
	return 0;
}

int place_find(const struct where *where, struct place *ret_place)
{
	return where->image ? place_file(where->image, "--image", ret_place)
			    : place_region(where, ret_place);
}

int place_fallback(const struct where *where, struct place *ret_place)
{
	return place_file(where->fallback, "fallback", ret_place);
}

const char *place_name(const struct place *place)
{
	return place->is_region ? place->region.name : place->path;
}

int place_read_header(const struct place *place, struct image_header *ret_header)
{
	_cleanup_store_ struct store *store = NULL;
	int r;

	if (!place->path[0] || access(place->path, F_OK) < 0)
		return -E_NO_CHECKPOINT;
	r = store_open(place->path, STORE_READ, &store);
	return r < 0 ? r : image_read_header(store, ret_header);
}

/*
 * Whether the checkpoint that counts is the one in the fallback file, although there may be one in
 * the region too (@region is NULL if there is no region). If the region's cannot be read it is not
 * known which is newer, and an old state must not pass for the present one.
 */
static bool fallback_counts(const struct key *key, const struct place *region,
			    const struct place *fallback)
{
	struct image_header here, there;
	const struct image_header *older;
	int r_there = place_read_header(fallback, &there), r;
	bool newer;

	/* A damaged one may have been committed: if there is no other, it is the one to report. */
	if (r_there != -E_DAMAGED && (r_there < 0 || there.phase != IMAGE_PHASE_COMMITTED))
		return false;
	r = region ? place_read_header(region, &here) : -E_NO_CHECKPOINT;
	if (r == -E_NO_CHECKPOINT || (r == 0 && here.phase != IMAGE_PHASE_COMMITTED))
		return true;
	if (r_there < 0)
		return false;
	if (r < 0 || !image_is_credible(&here, key)) {
		warn("%s holds a checkpoint of %s; if it is the one to restore, use --image %s",
		     fallback->path, time_text(there.created_ns).text, fallback->path);
		return false;
	}
	if (!image_is_credible(&there, key)) {
		warn("%s holds a checkpoint that is not authentic; it is left alone",
		     fallback->path);
		return false;
	}
	newer = there.generation != here.generation ? there.generation > here.generation
						    : there.created_ns > here.created_ns;
	older = newer ? &here : &there;
	warn("%s holds an older checkpoint, of %s, that was not restored either; it is left alone",
	     place_name(newer ? region : fallback), time_text(older->created_ns).text);
	return newer;
}

static int check_region(const struct region *region)
{
	if (region->state == REGION_RAM)
		return report_error(-E_NO_CHECKPOINT,
				    "%s is in use as RAM: there is no checkpoint in it; \"pmem-preserve checkpoint\" makes one, --image FILE names one in a file",
				    region->name);
	return report_error(-E_NO_CHECKPOINT, "%s holds no checkpoint%s%s", region->name,
			    region->why[0] ? ": " : "", region->why);
}

int place_find_checkpoint(const struct where *where, const struct key *key, struct place *ret_place)
{
	struct place place, fallback;
	int r = place_find(where, &place);

	if (where->fallback && !where->image && !where->region_named &&
	    place_fallback(where, &fallback) == 0 &&
	    fallback_counts(key, r == 0 ? &place : NULL, &fallback)) {
		*ret_place = fallback;
		return 0;
	}
	if (r == -E_NO_REGION) {
		inform("If a checkpoint was made in a region before this boot, the kernel did not get its memmap= this time, or the NVDIMM is gone. Nothing was changed; see /proc/cmdline and dmesg.");
		return -E_NO_CHECKPOINT;
	}
	if (r < 0)
		return r;
	if (!place.is_region && access(place.path, F_OK) < 0 && errno == ENOENT)
		return report_error(-E_NO_CHECKPOINT, "%s: no such file, so there is no checkpoint",
				    place.path);
	if (!place.path[0])
		return check_region(&place.region);
	*ret_place = place;
	return 0;
}

uint64_t place_generation_elsewhere(const struct where *where, const struct key *key,
				    const struct place *place)
{
	struct image_header header;
	struct place other;
	int r;

	if (where->image || where->region_named || !where->fallback)
		return 0;
	r = place->is_region ? place_fallback(where, &other) : place_region(where, &other);
	/* With a key, an image that anybody may have written does not count. */
	return r == 0 && place_read_header(&other, &header) == 0 && image_is_credible(&header, key)
		       ? header.generation
		       : 0;
}
