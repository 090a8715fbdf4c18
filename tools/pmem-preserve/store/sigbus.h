/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped memory that fails under an access: poisoned by a hardware error, cut off by the end of its
 * file, or gone with its device. The kernel tells by SIGBUS, which would be the end of the process;
 * here the piece of the mapping that failed becomes zeroes, the access goes on, and who made it
 * asks afterwards. Must not know what a store is.
 */
#ifndef PMEM_PRESERVE_SIGBUS_H
#define PMEM_PRESERVE_SIGBUS_H

#include <stdbool.h>
#include <stdint.h>

struct poison_watch;

/*
 * Watches the shared mapping of @length bytes at @map, until poison_unwatch(). @piece: bytes that
 * it can be split at, a multiple of the page size. 0 or -errno, not reported. A SIGBUS anywhere
 * else does what it did before.
 */
int poison_watch(void *map, uint64_t length, uint64_t piece, struct poison_watch **ret_watch);

/* After the mapping is gone. NULL is fine. */
void poison_unwatch(struct poison_watch *watch);

/*
 * Whether any piece that holds some of these bytes has failed so far. Asked after an access, the
 * answer holds for what was read or written by it. NULL: false.
 */
bool poison_hit(const struct poison_watch *watch, uint64_t offset, uint64_t length);

/* Why, for messages: "the memory is poisoned (a hardware error)". */
const char *poison_reason(const struct poison_watch *watch);

#endif
