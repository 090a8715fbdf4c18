// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of all memories, and the memory notifier, which finds the memory of a block in it and
 * decides which zone the block may be onlined to and who may change it.
 *
 * The notifier has the lowest priority. If a change is cancelled without a call of this notifier
 * before, another one refused the change.
 */
#include "kmem.h"

#include <linux/kernel.h>
#include <linux/notifier.h>

bool kmem_online_kernel_zones;

static LIST_HEAD(memories);
/* For the list only: the notifier takes it while all locks of memory hot-plug are held. */
static DECLARE_RWSEM(memories_lock);

static bool same_ranges(const struct kmem_memory *a, const struct kmem_memory *b)
{
	unsigned int i;

	if (a->nr_ranges != b->nr_ranges)
		return false;
	for (i = 0; i < a->nr_ranges; i++)
		if (a->ranges[i].range.start != b->ranges[i].range.start ||
		    a->ranges[i].range.end != b->ranges[i].range.end)
			return false;
	return true;
}

/**
 * kmem_find_orphan() - find the memory of an earlier device
 * @like: memory with the same ranges
 *
 * Return: memory without a device, or NULL.
 */
struct kmem_memory *kmem_find_orphan(const struct kmem_memory *like)
{
	struct kmem_memory *memory, *found = NULL;

	down_read(&memories_lock);
	list_for_each_entry(memory, &memories, list)
		if (!memory->dev && same_ranges(memory, like))
			found = memory;
	up_read(&memories_lock);
	return found;
}

void kmem_register_memory(struct kmem_memory *memory)
{
	down_write(&memories_lock);
	list_add_tail(&memory->list, &memories);
	up_write(&memories_lock);
}

void kmem_unregister_memory(struct kmem_memory *memory)
{
	down_write(&memories_lock);
	list_del(&memory->list);
	up_write(&memories_lock);
}

/**
 * kmem_set_device() - give memory to a device, or make it an orphan
 * @memory: memory that is in the list; an orphan may be adopted, and freed, once this returns
 * @dev: the device, or NULL
 */
void kmem_set_device(struct kmem_memory *memory, struct device *dev)
{
	down_write(&memories_lock);
	down_write(&memory->view);
	memory->dev = dev;
	up_write(&memory->view);
	up_write(&memories_lock);
}

/* The memory of a block, or NULL; the caller holds memories_lock. */
static struct kmem_memory *find_memory(unsigned long pfn)
{
	struct kmem_memory *memory;
	unsigned int i;

	list_for_each_entry(memory, &memories, list)
		for (i = 0; i < memory->nr_ranges; i++)
			if (pfn >= PHYS_PFN(memory->ranges[i].range.start) &&
			    pfn <= PHYS_PFN(memory->ranges[i].range.end))
				return memory;
	return NULL;
}

/* The worker may online to the zone that it wants; otherwise the policy decides. */
static int check_zone(struct kmem_memory *memory, unsigned long pfn, bool by_worker)
{
	bool movable = zone_idx(page_zone(pfn_to_page(pfn))) == ZONE_MOVABLE;
	bool allowed = movable || READ_ONCE(kmem_online_kernel_zones);

	if (by_worker && memory->wanted == KMEM_MIXED)
		allowed = true;
	else if (by_worker && memory->wanted == KMEM_UNPLUGGED)
		allowed = false;
	else if (by_worker && memory->wanted != KMEM_OFFLINE)
		allowed = movable == (memory->wanted == KMEM_ONLINE_MOVABLE);
	if (allowed)
		return 0;
	if (by_worker)
		memory->zone_refused = true;
	else
		pr_info_ratelimited("%s: refused to online memory%lu to a kernel zone\n",
				    memory->name, kmem_block_number(pfn));
	return -EPERM;
}

static int check(struct kmem_memory *memory, unsigned long action, unsigned long pfn)
{
	struct task_struct *worker = READ_ONCE(memory->worker);
	bool by_worker = worker == current;

	if (worker && !by_worker && (action == MEM_GOING_ONLINE || action == MEM_GOING_OFFLINE))
		return -EBUSY;
	if (by_worker && (action == MEM_GOING_ONLINE || action == MEM_GOING_OFFLINE))
		memory->notified = true;
	if (by_worker && (action == MEM_CANCEL_ONLINE || action == MEM_CANCEL_OFFLINE))
		memory->cancelled = true;
	if (action == MEM_GOING_ONLINE)
		return check_zone(memory, pfn, by_worker);
	return 0;
}

static int notify(struct notifier_block *block, unsigned long action, void *data)
{
	const struct memory_notify *arg = data;
	struct kmem_memory *memory;
	int r = 0;

	down_read(&memories_lock);
	memory = find_memory(arg->start_pfn);
	if (memory)
		r = check(memory, action, arg->start_pfn);
	up_read(&memories_lock);
	return notifier_from_errno(r);
}

static struct notifier_block notifier = {
	.notifier_call = notify,
	.priority = INT_MIN,
};

int kmem_notify_init(void)
{
	return register_memory_notifier(&notifier);
}

void kmem_notify_exit(void)
{
	unregister_memory_notifier(&notifier);
}
