/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with the configuration on this machine, and how each problem is fixed. Nothing is
 * changed.
 */
#ifndef PMEM_PRESERVE_PROBLEMS_H
#define PMEM_PRESERVE_PROBLEMS_H

#include <stddef.h>

struct config;
struct region;

struct problem {
	char *problem;
	char *fix; /* a command, or what to do; "" if there is nothing to do */
};

struct problems {
	struct problem *list;
	size_t count;
};
void problems_clear(struct problems *problems);
#define _cleanup_problems_ __attribute__((cleanup(problems_clear)))

/* @regions: all that the machine has. -ENOMEM (reported). */
int problems_find(const struct config *config, const struct region *regions, size_t region_count,
		  struct problems *ret_problems);

#endif
