// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adds and removes the physical ranges of a device as System RAM, with the resources that this
 * needs: a memory type, a memory group and a module reference for all ranges together, and an entry
 * in /proc/iomem for each.
 */
#include "kmem.h"

#include <linux/ioport.h>
#include <linux/memory-tiers.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>

/* For nodes whose distance the platform does not report: slower than DRAM. */
#define DEFAULT_DISTANCE (MEMTIER_ADISTANCE_DRAM * 5)

/* In /proc/iomem; add_memory_driver_managed() requires this form, which kexec does not use. */
#define RESOURCE_NAME "System RAM (kmem)"

/* Memory types: one for all devices up to 6.9, one for each distance since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)

static DEFINE_MUTEX(types_lock);
static LIST_HEAD(types);

int kmem_types_init(void)
{
	return 0;
}

void kmem_types_exit(void)
{
	mt_put_memory_types(&types);
}

static struct memory_dev_type *find_type(int node)
{
	int distance = DEFAULT_DISTANCE;
	struct memory_dev_type *type;

	mt_calc_adistance(node, &distance);
	mutex_lock(&types_lock);
	type = mt_find_alloc_memory_type(distance, &types);
	mutex_unlock(&types_lock);
	return type;
}

#else

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define put_memory_type(type) destroy_memory_type(type)
#endif

static struct memory_dev_type *only_type;

int kmem_types_init(void)
{
	only_type = alloc_memory_type(DEFAULT_DISTANCE);
	return PTR_ERR_OR_ZERO(only_type);
}

void kmem_types_exit(void)
{
	put_memory_type(only_type);
}

static struct memory_dev_type *find_type(int node)
{
	return only_type;
}

#endif

/**
 * kmem_acquire() - get what all ranges share, before the first one is added
 * @memory: the caller holds its lock
 *
 * Return: 0 or a negative errno.
 */
int kmem_acquire(struct kmem_memory *memory)
{
	unsigned long pages = kmem_count_blocks(memory) * kmem_block_pages();
	int r;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	memory->type = find_type(memory->node);
	if (IS_ERR(memory->type)) {
		r = PTR_ERR(memory->type);
		goto put_module;
	}
	/* No effect, now or when cleared, if the node has another type already. */
	init_node_memory_type(memory->node, memory->type);
	r = memory_group_register_static(memory->node, pages);
	if (r < 0)
		goto clear_type;
	memory->group = r;
	return 0;

clear_type:
	clear_node_memory_type(memory->node, memory->type);
put_module:
	module_put(THIS_MODULE);
	return r;
}

/* Undoes kmem_acquire() when no range is added any more. */
void kmem_release(struct kmem_memory *memory)
{
	memory_group_unregister(memory->group);
	clear_node_memory_type(memory->node, memory->type);
	module_put(THIS_MODULE);
}

static void set_added(struct kmem_memory *memory, struct kmem_range *range, bool added)
{
	down_write(&memory->view);
	range->added = added;
	up_write(&memory->view);
}

static int reserve(const struct kmem_memory *memory, struct kmem_range *range)
{
	range->res = request_mem_region(range->range.start, range_len(&range->range), memory->name);
	if (!range->res) {
		pr_warn("%s: %#llx-%#llx is already reserved, see /proc/iomem\n", memory->name,
			range->range.start, range->range.end);
		return -EBUSY;
	}
	/* No IORESOURCE_BUSY, so that System RAM can be a child, and no inherited flags. */
	range->res->flags = IORESOURCE_SYSTEM_RAM;
	return 0;
}

static void unreserve(struct kmem_range *range)
{
	if (!range->res)
		return;
	remove_resource(range->res);
	kfree(range->res);
	range->res = NULL;
}

/**
 * kmem_add_range() - make a range System RAM
 * @memory: memory of the range, after kmem_acquire()
 * @range: range to reserve, unless it is, and to add
 *
 * The reservation lasts as long as the range is System RAM, even without a device.
 *
 * Return: 0; or a negative errno, and the range is not reserved either.
 */
int kmem_add_range(struct kmem_memory *memory, struct kmem_range *range)
{
	mhp_t flags = MHP_NID_IS_MGID;
	int r = range->res ? 0 : reserve(memory, range);

	if (r)
		return r;
	if (memory->memmap_on_memory)
		flags |= MHP_MEMMAP_ON_MEMORY;
	r = add_memory_driver_managed(memory->group, range->range.start, range_len(&range->range),
				      RESOURCE_NAME, flags);
	if (r) {
		pr_warn("%s: failed to add %#llx-%#llx: %d\n", memory->name, range->range.start,
			range->range.end, r);
		unreserve(range);
		return r;
	}
	set_added(memory, range, true);
	return 0;
}

/* All blocks are offline. Cleared first, since readers must not look at blocks that are gone. */
static int remove_range(struct kmem_memory *memory, struct kmem_range *range)
{
	int r;

	set_added(memory, range, false);
	r = remove_memory(range->range.start, range_len(&range->range));
	if (r)
		set_added(memory, range, true);
	return r;
}

/**
 * kmem_remove_ranges() - remove all ranges that are added, or none
 * @memory: memory whose blocks are all offline
 *
 * All ranges stay reserved until the last one is removed. If one fails, those before it are added
 * again, with their blocks offline.
 *
 * Return: 0 or a negative errno.
 */
int kmem_remove_ranges(struct kmem_memory *memory)
{
	struct kmem_range *range, *end = memory->ranges + memory->nr_ranges;
	int r = 0;

	for (range = memory->ranges; range < end && r == 0; range++)
		if (range->added)
			r = remove_range(memory, range);
	if (r)
		memory->wanted = KMEM_UNPLUGGED;
	for (range = memory->ranges; range < end; range++) {
		if (r == 0)
			unreserve(range);
		else if (range->res && !range->added)
			kmem_add_range(memory, range);
	}
	return r;
}
