/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a region of persistent memory (RAM, devdax, raw) and the transitions between states.
 * The only user of libndctl and libdaxctl. A transition does not look at the contents: the caller
 * has made sure that nothing is lost.
 *
 *	RAM  <-- region_hot_add / region_hot_remove -->  DEVDAX
 *	DEVDAX  <-- region_to_devdax / region_to_raw -->  RAW
 *	EMPTY   --- region_to_devdax / region_to_raw -->  DEVDAX or RAW
 *
 * The state is read from sysfs each time and never cached. Each transition is idempotent: if the
 * region is in the wanted state, it does nothing and succeeds. At its end the struct that was
 * passed is updated, on most errors, too.
 */
#ifndef PMEM_PRESERVE_REGION_H
#define PMEM_PRESERVE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/hotremove.h"	   /* struct hot_remove_limits */
#include "region/memory-failure.h" /* struct memory_failure */

enum region_state {
	REGION_OTHER,  /* something else: region->why says what, and what to do */
	REGION_RAM,    /* bound to kmem; its memory blocks exist, online or not */
	REGION_DEVDAX, /* /dev/daxX.Y, bound to device_dax */
	REGION_RAW,    /* /dev/pmemN with no pfn, dax or btt claim */
	REGION_EMPTY,  /* an NVDIMM with labels but no namespace yet */
};

struct region {
	char name[32];	       /* "region0" */
	char provider[64];     /* of the bus: "e820", "ACPI.NFIT" */
	char namespace[32];    /* "namespace0.0", or "" */
	char uuid[40];	       /* of the namespace; "" without labels */
	char block_device[32]; /* "/dev/pmem0" when RAW, else "" */
	char dax_device[32];   /* "dax0.0" when RAM or DEVDAX, else "" */
	enum region_state state;
	char why[256];
	bool is_disabled; /* REGION_OTHER: the namespace is disabled and unclaimed */

	uint64_t start;	       /* physical address, bytes */
	uint64_t raw_bytes;    /* size of the block device if raw */
	uint64_t devdax_bytes; /* size of the mapping if devdax: without the head */
	uint64_t ram_bytes;    /* size as RAM: whole memory blocks of the mapping */
	uint64_t block_bytes;  /* size of a memory block */
	int target_node;       /* NUMA node of the RAM; -1: the kernel cannot hot-add it */

	/* Only for REGION_RAM. */
	bool has_state_attribute;	    /* the kmem driver removes all of the memory or none */
	bool has_deadline_attribute;	    /* it also has a timeout, and reports failures */
	struct memory_failure last_failure; /* that report; ->error is 0 if there is none */

	/* For REGION_RAM, and for REGION_OTHER if kmem was unbound without removing the memory. */
	unsigned int blocks; /* memory blocks of the region */
	unsigned int blocks_online;
	unsigned int blocks_movable; /* of the online ones, in ZONE_MOVABLE */
};

const char *region_state_name(enum region_state state);

/* The device to read and write: "/dev/pmem0" if raw, "/dev/dax0.0" if devdax, else "". */
#define REGION_PATH_BYTES 48
void region_path(const struct region *region, char path[REGION_PATH_BYTES]);

/* All regions of persistent memory, sorted by name. The caller frees *ret_regions. */
int region_list(struct region **ret_regions, size_t *ret_count);

/*
 * Finds a region by @name ("region0", "namespace0.0", "dax0.0", "pmem0", or the UUID of a
 * namespace), or, with @name NULL, the only region of the machine. Errors are reported: -E_NO_REGION
 * (there is none; says how to get one), -E_USAGE (there are several; lists them).
 */
int region_find(const char *name, struct region *ret_region);

/*
 * The modules (or built-in parts) by which a kernel finds the region, reads it as either layout, and
 * makes it RAM again; ended by NULL.
 */
const char *const *region_modules(const struct region *region);

/* Whether @name is one of these names of the region. */
bool region_has_name(const struct region *region, const char *name);

/*
 * Estimates how much data must be migrated out of the region, and how much room there is for it, in
 * bytes. Both are on the safe side: used_inside includes clean page cache, which could be dropped,
 * and if the zone has other memory too, assumes that the region is as full as possible;
 * available_outside is MemAvailable less what may be inside the region. Swap is not counted.
 */
struct hot_remove_estimate {
	uint64_t used_inside;
	uint64_t available_outside;
};
int region_estimate_hot_remove(const struct region *region,
			       struct hot_remove_estimate *ret_estimate);

/*
 * RAM -> DEVDAX: offlines and removes all memory blocks within the deadline, or none. On failure,
 * blocks that were online are brought online again in their zones, and the error is -E_MEMORY
 * (reported: which block, why, and whether the rollback was complete).
 */
int region_hot_remove(struct region *region, const struct hot_remove_limits *limits);

/*
 * Whether memory of the region is still RAM although no driver is bound to its dax device: kmem was
 * unbound and could not remove it. region_adopt() binds kmem again, which makes it REGION_RAM.
 */
bool region_is_kept(const struct region *region);
int region_adopt(struct region *region);

/*
 * Whether the kernel can use the region as RAM: it must know a NUMA node for it, and the region
 * must have at least one whole memory block. 0, or a reported error that says what to do. Check
 * this before converting a raw region for use as RAM.
 */
int region_can_be_ram(const struct region *region);

/*
 * Finishes a transition whose process was killed: binds a dax device that has no driver, enables a
 * disabled namespace. The contents do not change; the new state is raw or devdax. Does nothing for
 * other regions.
 */
int region_settle(struct region *region);

/* DEVDAX -> RAM: adds the memory, brings all blocks online in ZONE_MOVABLE, and checks it. */
int region_hot_add(struct region *region);

/* DEVDAX -> RAW: deletes the devdax claim and zeroes the first 2 MiB of the namespace. */
int region_to_raw(struct region *region);

/* RAW -> DEVDAX: zeroes the first 2 MiB and creates the claim (page map in RAM, 2 MiB pages). */
int region_to_devdax(struct region *region);

#endif
