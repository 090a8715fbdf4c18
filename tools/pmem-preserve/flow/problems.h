/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with the configuration on this machine, and how each problem is fixed. Nothing is
 * changed.
 */
#ifndef PMEM_PRESERVE_PROBLEMS_H
#define PMEM_PRESERVE_PROBLEMS_H

#include <stddef.h>

struct config;
struct kernel_choice;
struct region;
struct room;
struct state_size;

/* What has been found out about the machine. */
struct findings {
	const struct config *config;
	const struct region *regions; /* all that the machine has */
	size_t region_count;
	const struct kernel_choice *choice; /* of the next kernel */
	const struct state_size *size;
	const struct room *rooms; /* for the state */
	size_t room_count;
};

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

/* -ENOMEM (reported). */
int problems_find(const struct findings *findings, struct problems *ret_problems);

#endif
