/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps from a tree to a committed image: list the state, check everything that can be checked,
 * take the memory, write; or go back.
 */
#ifndef PMEM_PRESERVE_CHECKPOINT_H
#define PMEM_PRESERVE_CHECKPOINT_H

#include "flow/place.h"
#include "flow/reclaim.h"
#include "image/image.h"

#include <sys/stat.h>

struct expected;
struct trust;

/* What is wanted. Everything belongs to the caller and outlives the job. */
struct checkpoint_request {
	char **paths; /* of the state; at least one */
	size_t path_count;
	char **excludes; /* as in struct walk_options */
	size_t exclude_count;
	const struct where *where;
	const struct trust *trust; /* its key has been read */
	enum layout layout;	   /* of a region */
	unsigned int threads;	   /* 0: one per processor */
	unsigned int deadline_seconds;
	bool in_place; /* over a file, like a device, and not beside it */
	bool replace;  /* even if a checkpoint that was not restored is lost by it */
	bool wipe;     /* a roll-back overwrites all that was written */
	bool dry_run;
	bool lenient; /* saves what it can: what changes is marked, what cannot be read left out */
	const char *uuid; /* as text: what the next kernel expects; NULL: any */
};

struct checkpoint {
	struct checkpoint_request request;
	struct place place; /* where it goes; to be found by the caller */

	/* What was there when it was checked. */
	struct stat file_before; /* st_ino is 0 if there was none */
	struct image_header image_before;

	struct image *image;
	uint64_t timeline[TIMELINE_EVENTS];
	uint64_t generation; /* of this checkpoint */
	bool was_ram;
	bool taken;   /* checkpoint_take() has been here */
	bool written; /* what was on the media before is gone */
	struct memory_report memory;
};
void checkpoint_clear(struct checkpoint *job);
#define _cleanup_checkpoint_ __attribute__((cleanup(checkpoint_clear)))

/* All of these report their errors. */

/* Lists the state, perhaps once more, and lays the image out. Changes nothing. */
int checkpoint_list(struct checkpoint *job);

/* Everything that can be known before the memory or the media are touched. */
int checkpoint_check(struct checkpoint *job);

/* Takes the memory if the place is a region that is RAM, once. Undone by checkpoint_roll_back(). */
int checkpoint_take(struct checkpoint *job);

/*
 * Writes the image and commits it. -E_REFUSED: something else than what was checked is there now.
 * -E_NOT_DURABLE: it is committed, but only until a power cut.
 */
int checkpoint_write(struct checkpoint *job);

/* What the next boot is to find, for reboot/expected. */
void checkpoint_expect(const struct checkpoint *job, struct expected *ret_expected);

/* The state is where it was: what was written is erased, and the memory goes back to the system. */
void checkpoint_roll_back(struct checkpoint *job);

#endif
