/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped memory that fails when it is accessed: poisoned by a hardware error, beyond the end of a
 * file that was truncated, or lost with its device. The kernel reports this by SIGBUS, which would
 * kill the process. The handler here replaces the failed piece of the mapping with zeroes and lets
 * the access continue; whoever made it has to check sigbus_hit() afterwards.
 */
#ifndef PMEM_PRESERVE_SIGBUS_H
#define PMEM_PRESERVE_SIGBUS_H

#include <stdbool.h>
#include <stdint.h>

struct sigbus_watch;

/*
 * Watches the shared mapping of @length bytes at @map until sigbus_unwatch(). @piece is the size in
 * bytes at which the mapping can be split, a multiple of the page size. 0 or -errno, not reported.
 * A SIGBUS at any other address is handled as it was before.
 */
int sigbus_watch(void *map, uint64_t length, uint64_t piece, struct sigbus_watch **ret_watch);

/* To be called once the mapping is gone. @watch may be NULL. */
void sigbus_unwatch(struct sigbus_watch *watch);

/*
 * Whether any piece that contains some of these bytes has failed so far. After an access, false
 * means that everything it read or wrote was good. @watch may be NULL: false.
 */
bool sigbus_hit(const struct sigbus_watch *watch, uint64_t offset, uint64_t length);

/* The reason, for messages: "the memory is poisoned (a hardware error...)". */
const char *sigbus_reason(const struct sigbus_watch *watch);

#endif
