/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places that a checkpoint may go to, and how much each holds. */
#ifndef PMEM_PRESERVE_ROOM_H
#define PMEM_PRESERVE_ROOM_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct region;

struct room {
	const char *kind;     /* "region", "fallback" */
	char place[PATH_MAX]; /* its name, or the file */
	uint64_t bytes;
};
#define ROOMS_MAX 2

/* The region that the configuration means: NULL if it is not there, or not the only one. */
const struct region *room_region(const struct config *config, const struct region *regions,
				 size_t count);

/* Those of the configured places that are there; returns how many. Nothing is reported. */
size_t rooms_find(const struct config *config, const struct region *regions, size_t count,
		  struct room rooms[ROOMS_MAX]);

#endif
