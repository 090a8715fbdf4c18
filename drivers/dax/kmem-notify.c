// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory notifier: which zone a block may be onlined to, and who may change blocks now.
 *
 * It is called last of all notifiers. So a change that is taken back, but that it was not asked
 * about, was refused by another one.
 */
#include "kmem.h"

#include <linux/kernel.h>
#include <linux/notifier.h>

/* The memory that a block belongs to; the caller holds kmem_memories_lock. */
static struct kmem_memory *find_memory(unsigned long pfn)
{
	struct kmem_memory *memory;
	unsigned int i;

	list_for_each_entry(memory, &kmem_memories, list)
		for (i = 0; i < memory->nr_ranges; i++)
			if (pfn >= PHYS_PFN(memory->ranges[i].range.start) &&
			    pfn <= PHYS_PFN(memory->ranges[i].range.end))
				return memory;
	return NULL;
}

/* By the worker: as it wants; by others, or if it does not care: as the policy wants. */
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
		pr_info_ratelimited("%s: memory%lu is not let into a kernel zone\n", memory->name,
				    kmem_block_number(pfn));
	return -EPERM;
}

static int check(struct kmem_memory *memory, unsigned long action, unsigned long pfn)
{
	struct task_struct *worker = READ_ONCE(memory->worker);
	bool by_worker = worker == current;

	if (worker && !by_worker && (action == MEM_GOING_ONLINE || action == MEM_GOING_OFFLINE))
		return -EBUSY;
	if (by_worker && (action == MEM_GOING_ONLINE || action == MEM_GOING_OFFLINE))
		memory->asked = true;
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

	down_read(&kmem_memories_lock);
	memory = find_memory(arg->start_pfn);
	if (memory)
		r = check(memory, action, arg->start_pfn);
	up_read(&kmem_memories_lock);
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
