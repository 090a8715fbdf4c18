/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps from a tree to a committed image, for the commands that take them: list the state,
 * check all that can be checked, take the memory and write, or go back. Must not know why a
 * checkpoint is made, nor what comes after it.
 */
#ifndef PMEM_PRESERVE_CHECKPOINT_H
#define PMEM_PRESERVE_CHECKPOINT_H

#include "image/image.h"
#include "flow/place.h"

struct context;
struct options;

struct checkpoint {
	struct context *context;
	const struct options *options;
	struct place place; /* where it goes; to be found by the caller */

	struct image *image;
	uint64_t timeline[TIMELINE_EVENTS];
	uint64_t generation; /* of this checkpoint */
	bool was_ram;
	bool written; /* what was on the media before is gone */
};
void checkpoint_clear(struct checkpoint *job);
#define _cleanup_checkpoint_ __attribute__((cleanup(checkpoint_clear)))

/*
 * Lists the trees at @paths (NULL: what the configuration says) and lays the image out. Changes
 * nothing. All of these report their errors.
 */
int checkpoint_list(struct checkpoint *job, char **paths, size_t count);

/* Everything that can be known before the memory or the media are touched. */
int checkpoint_check(struct checkpoint *job);

/* Takes the memory (where the place is a region that is RAM). Undone by checkpoint_roll_back(). */
int checkpoint_take(struct checkpoint *job);

/* Writes the image and commits it. */
int checkpoint_write(struct checkpoint *job);

/* The state is where it was: what was written is erased, and the memory goes back to the system. */
void checkpoint_roll_back(struct checkpoint *job);

#endif
