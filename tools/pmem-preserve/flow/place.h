/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a command finds, or puts, its checkpoint: a file, or a region of persistent memory. */
#ifndef PMEM_PRESERVE_PLACE_H
#define PMEM_PRESERVE_PLACE_H

#include "settings/config.h"
#include "settings/options.h"
#include "region/region.h"

#include <limits.h>

struct image_header;

struct place {
	bool is_region;
	struct region region;
	char path[PATH_MAX]; /* to open; "" while a region is RAM, or nothing that can be read */
};

/* --image, else --region, else the configuration's or the machine's only region. Reported. */
int place_find(const struct options *options, struct place *ret_place);

/* For messages: "region0", or the file. */
const char *place_name(const struct place *place);

/* Sets the path anew after a transition of the region. */
void place_update(struct place *place);

/*
 * The same for commands that read a checkpoint: -E_NO_CHECKPOINT (reported) when there is no region
 * or it is in use as RAM. Unless the place was named, it is the fallback file when that holds the
 * newer committed checkpoint.
 */
int place_find_checkpoint(const struct options *options, struct place *ret_place);

/* The configuration's fallback file; there must be one. */
int place_fallback(const struct options *options, struct place *ret_place);

/*
 * The generation of the image in the fallback file when @place is the region, and the other way
 * round; 0: none there, or the place was named.
 */
uint64_t place_generation_elsewhere(const struct options *options, const struct place *place);

/*
 * The header of the image there. -E_NO_CHECKPOINT: nothing there can be read, or it is no image
 * (neither is reported); else as image_read_header().
 */
int place_read_header(const struct place *place, struct image_header *ret_header);

#endif
