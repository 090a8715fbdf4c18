/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pmem-preserve at a time changes what the memory is: two that hot-add and convert a region
 * would take each other's steps for the kernel's. A lock in /run, gone with its process. It must
 * not know what is done under it.
 */
#ifndef PMEM_PRESERVE_INSTANCE_H
#define PMEM_PRESERVE_INSTANCE_H

#include <stdbool.h>

struct options;

/*
 * Takes the lock, unless @options keep to a file (--image) or change nothing (--dry-run); waits so
 * long for whoever has it. *ret_lock: to be closed when the work is done; -1: none was needed.
 * -E_FAILED, reported with who has it, and other errors of the lock's file.
 */
int instance_lock(const struct options *options, unsigned int wait_seconds, int *ret_lock);

/* For units: it may be that a command that was called by hand is about to end. */
#define INSTANCE_WAIT_SECONDS 30

#endif
