/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a range of persistent memory is now (RAM, devdax, raw), and the changes from one to the
 * next. The only user of libndctl and libdaxctl. It must not know what is kept in the memory:
 * whoever calls a transition has made sure that nothing there is lost by it.
 *
 *	RAM  <-- region_hot_add / region_hot_remove -->  DEVDAX
 *	DEVDAX  <-- region_to_devdax / region_to_raw -->  RAW
 *	EMPTY   --- region_to_devdax / region_to_raw -->  DEVDAX or RAW
 *
 * The state is derived from sysfs each time and never remembered. Every transition is idempotent:
 * asked for the state that is there already, it does nothing and succeeds. After each one the
 * region is read anew, so the struct that was passed describes what is there now.
 */
#ifndef PMEM_PRESERVE_REGION_H
#define PMEM_PRESERVE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/hotremove.h"	   /* struct hot_remove_limits */
#include "region/memory-failure.h" /* struct memory_failure */

enum region_state {
	REGION_OTHER,  /* something else lies there: region->why says what and what to do */
	REGION_RAM,    /* bound to kmem; its blocks exist, online or not */
	REGION_DEVDAX, /* /dev/daxX.Y, bound to device_dax */
	REGION_RAW,    /* /dev/pmemN with no pfn, dax or btt claim */
	REGION_EMPTY,  /* an NVDIMM with labels on which no namespace was created yet */
};

struct region {
	char name[32];	       /* "region0" */
	char provider[64];     /* of its bus: "e820", "ACPI.NFIT" */
	char namespace[32];    /* "namespace0.0"; "" when there is none yet */
	char uuid[40];	       /* of the namespace; "" without labels */
	char block_device[32]; /* "/dev/pmem0" when RAW, else "" */
	char dax_device[32];   /* "dax0.0" when RAM or DEVDAX, else "" */
	enum region_state state;
	char why[256];
	bool is_disabled; /* OTHER, as its namespace is down and nothing claims it */

	uint64_t start;	       /* physical address, bytes */
	uint64_t raw_bytes;    /* what the block device holds when raw */
	uint64_t devdax_bytes; /* what the mapping holds when devdax: less the info block */
	uint64_t ram_bytes;    /* what the system gets as RAM: whole memory blocks of it */
	uint64_t block_bytes;  /* one memory block */
	int target_node;       /* NUMA node the RAM appears on; -1: the kernel cannot hot-add it */

	/* Only when RAM. */
	bool has_state_attribute;    /* the kmem driver offlines and removes all or nothing */
	bool has_deadline_attribute; /* and keeps a deadline, and says why it failed */
	struct memory_failure last_failure; /* as it says; ->error is 0 when there is none */

	/* When RAM, and when OTHER because a driver let go of the device but not of the memory. */
	unsigned int blocks; /* memory blocks of this range */
	unsigned int blocks_online;
	unsigned int blocks_movable; /* of the online ones, in ZONE_MOVABLE */
};

const char *region_state_name(enum region_state state);

/*
 * The device that can be read and written now: "/dev/pmem0" when RAW, "/dev/dax0.0" when DEVDAX,
 * else "". Always terminated.
 */
#define REGION_PATH_BYTES 48
void region_path(const struct region *region, char path[REGION_PATH_BYTES]);

/* All regions of persistent memory, by name. Caller frees *ret_regions. */
int region_list(struct region **ret_regions, size_t *ret_count);

/*
 * The region of that name ("region0", "namespace0.0", "dax0.0", "pmem0", or a namespace uuid), or,
 * when @name is NULL, the only one that the machine has. Errors are reported: -ENODEV (none; says
 * how one is set aside), -E_USAGE (several, and none named; lists them).
 */
int region_find(const char *name, struct region *ret_region);

/* Whether @name is one of those. */
bool region_answers_to(const struct region *region, const char *name);

/*
 * What has to move out of the range and whether there is room for it, both in bytes and both on the
 * safe side: used_inside counts clean page cache, which may just be dropped, and takes the range to
 * be as full as the zone can make it where the zone holds other memory as well; available_outside
 * is the kernel's MemAvailable less everything in it that may lie inside. Swap is not counted.
 * Changes nothing.
 */
struct hot_remove_estimate {
	uint64_t used_inside;
	uint64_t available_outside;
};
int region_estimate_hot_remove(const struct region *region,
			       struct hot_remove_estimate *ret_estimate);

/*
 * RAM -> DEVDAX: offlines all blocks and removes them, all or none, within the deadline. When that
 * fails the blocks that were online are online again, in the zones they were in, and the error is
 * -E_MEMORY (reported: which block, why, whether the roll-back was whole).
 */
int region_hot_remove(struct region *region, const struct hot_remove_limits *limits);

/*
 * Whether memory of the region is RAM still although no driver has its dax device: kmem was unbound
 * and could not remove it. region_adopt() gives the device to kmem again, after which it is RAM.
 */
bool region_is_kept(const struct region *region);
int region_adopt(struct region *region);

/*
 * Whether the kernel can use the region as RAM at all: it must know its NUMA node, and the region
 * must hold a whole memory block. 0, or a reported error that says what to do. To be asked before
 * a raw region is turned into devdax for it.
 */
int region_can_be_ram(const struct region *region);

/*
 * Brings a region up that a transition left half way when its process was killed: a dax device
 * without a driver, a namespace that is down. Nothing that lies in it is changed; what it is then
 * (RAW or DEVDAX) shows in the state. Does nothing where that is not the trouble.
 */
int region_settle(struct region *region);

/* DEVDAX -> RAM: adds the memory, onlines every block to ZONE_MOVABLE and checks that it is. */
int region_hot_add(struct region *region);

/* DEVDAX -> RAW: destroys the devdax claim and zeroes the first 8 KiB of the namespace. */
int region_to_raw(struct region *region);

/* RAW -> DEVDAX: zeroes the first 8 KiB, creates the claim (map on the RAM itself, 2 MiB pages). */
int region_to_devdax(struct region *region);

#endif
