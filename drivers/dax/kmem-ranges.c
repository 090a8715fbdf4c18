// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical ranges of a device as System RAM: adding one, removing all, and what that takes. The
 * memory type, the memory group and a reference to the module are for all ranges together, the
 * reservation in /proc/iomem is for each.
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

/* Those who look at the memory may be doing so. */
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
		pr_err("%s: %#llx-%#llx is reserved by something else, see /proc/iomem\n",
		       memory->name, range->range.start, range->range.end);
		return -EBUSY;
	}
	/* Not busy, so that the RAM can be a child of it; nothing that the parent may have. */
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
		unreserve(range);
		return r;
	}
	set_added(memory, range, true);
	return 0;
}

/* Its blocks are offline: whoever looks at the memory from now on need not look at them. */
static int remove_range(struct kmem_memory *memory, struct kmem_range *range)
{
	int r;

	set_added(memory, range, false);
	r = remove_memory(range->range.start, range_len(&range->range));
	if (r)
		set_added(memory, range, true);
	return r;
}

/*
 * All that are added, or none. They are offline, and added again they are offline as well; until
 * the last one is gone, all of them stay reserved.
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
