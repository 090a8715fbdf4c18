/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with the fallback file, found long before it is needed. */
#ifndef PMEM_PRESERVE_FALLBACK_H
#define PMEM_PRESERVE_FALLBACK_H

#include <limits.h>
#include <stdbool.h>

struct config;

struct fallback_fault {
	char problem[2 * PATH_MAX + 128];
	char fix[PATH_MAX + 16]; /* a command, or what to change */
};

/*
 * Whether the configured one, if there is any, could not keep the state: there is no such directory, it
 * is lost with the memory, or it lies in the state itself. Nothing is reported.
 */
bool fallback_has_fault(const struct config *config, struct fallback_fault *ret_fault);

#endif
