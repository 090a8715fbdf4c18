// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot-add: all ranges of a device become System RAM, or none does. Whatever is taken here (memory
 * type, memory group, reservation, a reference to the module) is given back by kmem_release(),
 * and each range by kmem_take_out().
 */
#include "kmem.h"

#include <linux/ioport.h>
#include <linux/memory-tiers.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>

/* Of a node whose platform does not tell its distance: slower than DRAM. */
#define DEFAULT_DISTANCE (MEMTIER_ADISTANCE_DRAM * 5)

/* Appears in /proc/iomem, and tells kexec and the kernels it starts that this is not theirs. */
#define RESOURCE_NAME "System RAM (kmem)"

/* Memory types: up to 6.9 one for all devices, later one for each distance. */
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

/* What all ranges share: the node's memory type, the group, the module that must not go. */
static int acquire(struct kmem_memory *memory)
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
	/* Does nothing to a node that has another type, and neither does clearing it. */
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

/* Gives back what all ranges shared, when none is added any more. */
void kmem_release(struct kmem_memory *memory)
{
	memory_group_unregister(memory->group);
	clear_node_memory_type(memory->node, memory->type);
	module_put(THIS_MODULE);
}

static int reserve(const struct kmem_memory *memory, struct kmem_range *range)
{
	range->res = request_mem_region(range->range.start, range_len(&range->range), memory->name);
	if (!range->res) {
		pr_err("%s: %#llx-%#llx is reserved by something else, see /proc/iomem\n",
		       memory->name, range->range.start, range->range.end);
		return -EBUSY;
	}
	/* Not busy, so that the RAM can be a child of it; nothing that the parent may have. */
	range->res->flags = IORESOURCE_SYSTEM_RAM;
	return 0;
}

void kmem_unreserve(struct kmem_range *range)
{
	if (!range->res)
		return;
	remove_resource(range->res);
	kfree(range->res);
	range->res = NULL;
}

/* Reserved as long as it is RAM, also without a device. On error it is neither. */
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
		pr_err("%s: %#llx-%#llx cannot be added: %d\n", memory->name, range->range.start,
		       range->range.end, r);
		kmem_unreserve(range);
		return r;
	}
	kmem_set_added(memory, range, true);
	return 0;
}

static int online_all(struct kmem_memory *memory, struct kmem_failure *failure)
{
	struct kmem_block *blocks;
	int i, r = 0, count = kmem_list_blocks(memory, &blocks);

	if (count < 0)
		return count;
	for (i = 0; i < count && r == 0; i++) {
		if (blocks[i].before == memory->wanted)
			continue;
		r = kmem_stopped(memory);
		if (r)
			break;
		r = kmem_set_block(memory, blocks[i].pfn, memory->wanted);
		if (r)
			failure->block = blocks[i].pfn;
	}
	kvfree(blocks);
	return r;
}

static int add_all(struct kmem_memory *memory, struct kmem_failure *failure)
{
	unsigned int i;
	int r;

	memory->zone_refused = false;
	for (i = 0; i < memory->nr_ranges; i++) {
		r = kmem_stopped(memory);
		if (r)
			return r;
		r = kmem_add_range(memory, &memory->ranges[i]);
		if (r)
			return r;
	}
	/* The kernel's policy was to online them, only not where they can be taken back. */
	if (memory->wanted == KMEM_OFFLINE && memory->zone_refused)
		memory->wanted = KMEM_ONLINE_MOVABLE;
	return memory->wanted == KMEM_OFFLINE ? 0 : online_all(memory, failure);
}

/* What was added and onlined so far goes again. */
static void undo(struct kmem_memory *memory, struct kmem_failure *failure)
{
	struct kmem_failure ignored = {};
	struct kmem_block *blocks;
	int count, r;

	kmem_begin_undo(memory, true);
	count = kmem_list_blocks(memory, &blocks);
	if (count < 0) {
		r = count;
	} else {
		r = kmem_take_out(memory, blocks, count, &ignored);
		kvfree(blocks);
	}
	failure->rollback = r ? KMEM_ROLLBACK_INCOMPLETE : KMEM_ROLLBACK_COMPLETE;
	failure->lost = r ? kmem_count_blocks(memory) : 0;
}

static int run_add(struct kmem_memory *memory, struct kmem_failure *failure)
{
	int r = acquire(memory);

	if (r)
		return r;
	r = add_all(memory, failure);
	if (r) {
		if (memory->cancelled && !memory->asked)
			failure->class = KMEM_CLASS_NOTIFIER;
		undo(memory, failure);
		if (!kmem_added(memory))
			kmem_release(memory);
	}
	return r;
}

/**
 * kmem_add() - make System RAM of the ranges, of all or of none
 * @memory: unplugged; the caller holds its lock
 * @wanted: KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL; KMEM_OFFLINE: as the kernel's auto-online
 *	policy says, but to ZONE_MOVABLE
 *
 * Return: 0, or -EBUSY (the range is reserved), -ECANCELED (the caller was killed), what hot-plug
 * and its notifiers say. On error nothing is added, but in the rare case that it could not be
 * taken back: see kmem_added().
 */
int kmem_add(struct kmem_memory *memory, enum kmem_state wanted)
{
	memory->wanted = wanted;
	return kmem_run(memory, KMEM_ONLINE, run_add, KMEM_TIMEOUT_MAX_MS);
}
