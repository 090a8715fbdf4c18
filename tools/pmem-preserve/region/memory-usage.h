/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How full memory is, from /proc/zoneinfo and /proc/meminfo. It must not know whose memory it is.
 */
#ifndef PMEM_PRESERVE_MEMORY_USAGE_H
#define PMEM_PRESERVE_MEMORY_USAGE_H

#include <stdint.h>

/* One zone of one node; bytes. */
struct zone_usage {
	uint64_t managed;
	uint64_t free;
	uint64_t file_cache; /* pages of files, which can be dropped or written back */
};

/* -ENOENT when the node has no such zone. 0 or -errno, not reported. */
int zone_usage_read(int node, const char *zone, struct zone_usage *ret_usage);

/* MemAvailable: what can be had without swapping, by the kernel's own estimate. */
int memory_available(uint64_t *ret_bytes);

#endif
