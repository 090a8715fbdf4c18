/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A region as a member of the --json output. */
#ifndef PMEM_PRESERVE_REGION_JSON_H
#define PMEM_PRESERVE_REGION_JSON_H

struct json_object;
struct region;

/*
 * {"name", "provider", "namespace", "uuid", "state", "why", "start", "raw_bytes", "devdax_bytes",
 * "ram_bytes", "block_bytes", "target_node", "block_device" when raw, "dax_device" when ram or
 * devdax, and when ram: "state_attribute", "blocks", "blocks_online", "blocks_movable"}. Members
 * without a value are left out. The caller owns the object.
 */
struct json_object *region_to_json(const struct region *region);

#endif
