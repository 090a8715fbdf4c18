// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/memory-usage.h"

#include "base/cleanup.h"
#include "base/sysfs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * /proc/zoneinfo has a paragraph for each zone:
 *
 *	Node 0, zone  Movable
 *	  per-node stats (of the node's first zone only)
 *	      nr_...  N
 *	  pages free     N
 *	        ...
 *	        managed  N
 *	      nr_zone_inactive_file N
 */
int zone_usage_read(int node, const char *zone, struct zone_usage *ret_usage)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ char *text = NULL;
	struct zone_usage usage = {};
	bool inside = false, found = false;
	char *line, *next;
	int r = sysfs_read_text(-1, "/proc/zoneinfo", &text);

	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char name[32];
		uint64_t pages;
		int n;

		if (sscanf(line, "Node %d, zone %31s", &n, name) == 2) {
			inside = n == node && strcmp(name, zone) == 0;
			found |= inside;
			continue;
		}
		if (!inside)
			continue;
		if (sscanf(line, " pages free %" SCNu64, &pages) == 1)
			usage.free = pages * page;
		else if (sscanf(line, " %31s %" SCNu64, name, &pages) != 2)
			continue;
		else if (strcmp(name, "managed") == 0)
			usage.managed = pages * page;
		else if (strcmp(name, "nr_zone_inactive_file") == 0 ||
			 strcmp(name, "nr_zone_active_file") == 0)
			usage.file_cache += pages * page;
	}
	if (!found)
		return -ENOENT;
	*ret_usage = usage;
	return 0;
}

int memory_available(uint64_t *ret_bytes)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	uint64_t kib;
	int r = sysfs_read_text(-1, "/proc/meminfo", &text);

	if (r < 0)
		return r;
	line = strstr(text, "MemAvailable:");
	if (!line || sscanf(line, "MemAvailable: %" SCNu64, &kib) != 1)
		return -ENODATA;
	*ret_bytes = kib * 1024;
	return 0;
}
