/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the last checkpoint and the last restore: from headers that are there, and from
 * the notes of this boot. The header of a checkpoint goes when its memory becomes RAM again.
 */
#ifndef PMEM_PRESERVE_HISTORY_H
#define PMEM_PRESERVE_HISTORY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct image_header;

struct event {
	uint64_t at_ns; /* since the epoch; 0: not known */
	uint64_t generation;
	char place[PATH_MAX];
};

struct history {
	struct event saved, restored;
	char outcome[16]; /* of this boot's restore, as in its note; "" if there was none */
	char reason[1024];
};

/* The notes alone. */
void history_begin(struct history *ret_history);

/* Adds what the header of the image in @place says. */
void history_add(struct history *history, const char *place, const struct image_header *header);

#endif
