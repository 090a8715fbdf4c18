/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands between the machine as it is and the configuration: for each problem, what mends it.
 * Only looks. Used by status.
 */
#ifndef PMEM_PRESERVE_PROBLEMS_H
#define PMEM_PRESERVE_PROBLEMS_H

#include <stddef.h>

struct config;
struct region;

struct problem {
	char what[300];
	char mend[200]; /* a command, or what to do; "" when there is nothing */
};

struct problems {
	struct problem *list;
	size_t count;
};
void problems_clear(struct problems *problems);
#define _cleanup_problems_ __attribute__((cleanup(problems_clear)))

/* @regions: all that the machine has. -ENOMEM. */
int problems_find(const struct config *config, const struct region *regions, size_t region_count,
		  struct problems *ret_problems);

#endif
