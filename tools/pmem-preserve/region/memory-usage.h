/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How full memory is, from /proc/zoneinfo and /proc/meminfo. */
#ifndef PMEM_PRESERVE_MEMORY_USAGE_H
#define PMEM_PRESERVE_MEMORY_USAGE_H

#include <stdint.h>

/* A zone of a node, in bytes. */
struct zone_usage {
	uint64_t managed;
	uint64_t free;
	uint64_t file_cache; /* page cache, which can be dropped or written back */
};

/* 0 or -errno, not reported; -ENOENT if the node has no such zone. */
int zone_usage_read(int node, const char *zone, struct zone_usage *ret_usage);

/* MemAvailable: what can be allocated without swapping, as the kernel estimates. Not reported. */
int memory_available(uint64_t *ret_bytes);

#endif
