// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/region-json.h"

#include "base/json.h"
#include "region/region.h"

#include <inttypes.h>
#include <json.h>
#include <stdio.h>

static void add_string(struct json_object *object, const char *key, const char *value)
{
	if (*value)
		json_add(object, key, json_object_new_string(value));
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_add(object, key, json_object_new_uint64(value));
}

struct json_object *region_to_json(const struct region *region)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "name", region->name);
	add_string(object, "provider", region->provider);
	add_string(object, "namespace", region->namespace);
	add_string(object, "uuid", region->uuid);
	add_string(object, "state", region_state_name(region->state));
	add_string(object, "why", region->why);
	add_string(object, "block_device", region->block_device);
	add_string(object, "dax_device", region->dax_device);
	add_number(object, "start", region->start);
	add_number(object, "raw_bytes", region->raw_bytes);
	add_number(object, "devdax_bytes", region->devdax_bytes);
	add_number(object, "ram_bytes", region->ram_bytes);
	add_number(object, "block_bytes", region->block_bytes);
	json_add(object, "target_node", json_object_new_int(region->target_node));
	if (region->state == REGION_RAM) {
		json_add(object, "state_attribute",
			 json_object_new_boolean(region->has_state_attribute));
		json_add(object, "deadline_attribute",
			 json_object_new_boolean(region->has_deadline_attribute));
		if (region->last_failure.error)
			json_add(object, "last_failure",
				 memory_failure_to_json(&region->last_failure));
	}
	if (region->state == REGION_RAM || region->blocks) {
		add_number(object, "blocks", region->blocks);
		add_number(object, "blocks_online", region->blocks_online);
		add_number(object, "blocks_movable", region->blocks_movable);
	}
	return object;
}

struct json_object *memory_failure_to_json(const struct memory_failure *failure)
{
	struct json_object *object = json_object_new_object();
	const char *rollback = memory_rollback_name(failure->rollback);
	char block[32];

	add_string(object, "operation", failure->operation);
	if (failure->has_block) {
		snprintf(block, sizeof(block), "memory%" PRIu64, failure->block);
		add_string(object, "block", block);
		add_number(object, "start", failure->block * failure->block_bytes);
		add_number(object, "bytes", failure->block_bytes);
	}
	if (failure->has_pfn)
		add_number(object, "pfn", failure->pfn);
	add_string(object, "class", failure->class);
	add_number(object, "errno", (uint64_t)-failure->error);
	if (rollback)
		add_string(object, "rollback", rollback);
	return object;
}
