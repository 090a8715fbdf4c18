/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large the state is now, as a checkpoint would have it; without taking longer than one may wait. */
#ifndef PMEM_PRESERVE_STATE_SIZE_H
#define PMEM_PRESERVE_STATE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

struct config;

struct state_size {
	bool is_measured;
	uint64_t files, file_bytes;
	uint64_t image_bytes; /* with all that belongs to an image of it */
	char why[512];	      /* why it was not measured */
};

/*
 * Lists the state in a child process, which is killed after @limit_seconds: 100,000 files take about
 * one. Nothing is reported, and nothing is changed.
 */
void state_measure(const struct config *config, unsigned int limit_seconds,
		   struct state_size *ret_size);

#endif
