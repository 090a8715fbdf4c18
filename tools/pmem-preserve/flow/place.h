/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a checkpoint lies or is to lie: a file, or a region of persistent memory. */
#ifndef PMEM_PRESERVE_PLACE_H
#define PMEM_PRESERVE_PLACE_H

#include "settings/where.h"
#include "region/region.h"

#include <limits.h>

struct image_header;
struct key;

struct place {
	bool is_region;
	struct region region;
	char path[PATH_MAX]; /* to open; "" while the region is RAM or cannot be read */
};

/* The file that was named, or the region. Errors are reported. */
int place_find(const struct where *where, struct place *ret_place);

/* For messages: "region0", or the file. */
const char *place_name(const struct place *place);

/* Sets the path again after a transition of the region. */
void place_update(struct place *place);

/*
 * The place to read a checkpoint from: -E_NO_CHECKPOINT (reported) when there is no region or it is
 * in use as RAM. Unless a place was named, it is the fallback file when that holds the newer
 * committed checkpoint. What a header says of its age counts only if it was made with @key (NULL if
 * there is none).
 */
int place_find_checkpoint(const struct where *where, const struct key *key,
			  struct place *ret_place);

/* The configuration's fallback file; there must be one. */
int place_fallback(const struct where *where, struct place *ret_place);

/*
 * The generation of the image in the fallback file if @place is the region, and of that in the
 * region if it is the fallback file. 0 if there is none that was made with @key, or a place was named.
 */
uint64_t place_generation_elsewhere(const struct where *where, const struct key *key,
				    const struct place *place);

/*
 * The header of the image there. -E_NO_CHECKPOINT if there is nothing to read, or no image (neither
 * is reported); otherwise as image_read_header().
 */
int place_read_header(const struct place *place, struct image_header *ret_header);

#endif
