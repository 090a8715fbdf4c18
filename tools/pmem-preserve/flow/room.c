// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/room.h"

#include "base/file-systems.h"
#include "flow/reclaim.h"
#include "region/region.h"
#include "settings/config.h"

#include <libgen.h>
#include <stdio.h>

const struct region *room_region(const struct config *config, const struct region *regions,
				 size_t count)
{
	if (!config->region)
		return count == 1 ? &regions[0] : NULL;
	for (size_t i = 0; i < count; i++)
		if (region_has_name(&regions[i], config->region))
			return &regions[i];
	return NULL;
}

size_t rooms_find(const struct config *config, const struct region *regions, size_t count,
		  struct room rooms[ROOMS_MAX])
{
	const struct region *region = room_region(config, regions, count);
	uint64_t used, available;
	char directory[PATH_MAX];
	size_t found = 0;

	if (region && region->state != REGION_OTHER) {
		rooms[found] = (struct room){ .kind = "region" };
		snprintf(rooms[found].place, sizeof(rooms[found].place), "%s", region->name);
		rooms[found++].bytes = memory_capacity(region, config->layout);
	}
	if (!config->fallback)
		return found;
	snprintf(directory, sizeof(directory), "%s", config->fallback);
	/* The new file is written beside the old one. */
	if (file_system_room(dirname(directory), &used, &available) == 0) {
		rooms[found] = (struct room){ .kind = "fallback" };
		snprintf(rooms[found].place, sizeof(rooms[found].place), "%s", config->fallback);
		rooms[found++].bytes = available;
	}
	return found;
}
