/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A region, and why its memory was not taken back, as members of the --json output. */
#ifndef PMEM_PRESERVE_REGION_JSON_H
#define PMEM_PRESERVE_REGION_JSON_H

struct json_object;
struct memory_failure;
struct region;

/*
 * {"name", "provider", "namespace", "uuid", "state", "why", "start", "raw_bytes", "devdax_bytes",
 * "ram_bytes", "block_bytes", "target_node", "block_device" when raw, "dax_device" when ram or
 * devdax; when ram: "state_attribute", "deadline_attribute", "last_failure"; when ram, or other and
 * with memory that is RAM still: "blocks", "blocks_online", "blocks_movable"}. Members without a
 * value are left out. The caller owns the object.
 */
struct json_object *region_to_json(const struct region *region);

/* {"operation", "block", "start", "bytes", "pfn", "class", "errno" (positive), "rollback"} */
struct json_object *memory_failure_to_json(const struct memory_failure *failure);

#endif
