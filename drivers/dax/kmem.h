/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the driver share: the memory of one dax device as System RAM. It is known by
 * its physical ranges rather than by the device, since it outlives the device when it cannot be
 * removed.
 */
#ifndef KMEM_H
#define KMEM_H

#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/device.h>
#include <linux/list.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/range.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include "dax-private.h"
#ifndef dax_driver_register
#include "bus.h" /* in a kernel tree the bus is declared apart */
#endif

struct memory_dev_type;
struct page;

#define KMEM_NO_PFN	    (~0UL)
#define KMEM_TIMEOUT_MAX_MS (60 * 60 * 1000)

/* What a memory block is; the order is that of kmem_state_names. */
enum kmem_state {
	KMEM_UNPLUGGED,
	KMEM_OFFLINE,
	KMEM_ONLINE_MOVABLE,
	KMEM_ONLINE_KERNEL,
	KMEM_MIXED, /* of all blocks together only */
};

/* Why a block does not go; the order is that of kmem_class_names. */
enum kmem_class {
	KMEM_CLASS_UNKNOWN,
	KMEM_CLASS_KERNEL_ZONE,
	KMEM_CLASS_PINNED,
	KMEM_CLASS_HUGETLB,
	KMEM_CLASS_RESERVED,
	KMEM_CLASS_POISONED,
	KMEM_CLASS_NO_MEMORY,
	KMEM_CLASS_NOTIFIER,
	KMEM_CLASS_SLOW,
	KMEM_CLASS_INTERRUPTED,
};

enum kmem_rollback {
	KMEM_ROLLBACK_NONE, /* nothing had been done yet */
	KMEM_ROLLBACK_COMPLETE,
	KMEM_ROLLBACK_INCOMPLETE,
};

enum kmem_operation {
	KMEM_UNPLUG,
	KMEM_ONLINE,
};

/**
 * struct kmem_failure - how the last operation failed
 * @operation: which one
 * @error: negative errno; 0: there was no failure
 * @block: first pfn of the block that stood in the way, or KMEM_NO_PFN
 * @pfn: first page that stood in the way, or KMEM_NO_PFN
 * @class: of what kind that page, or block, is
 * @rollback: whether everything is as it was before
 * @lost: blocks that are not, of @blocks
 * @blocks: all blocks
 */
struct kmem_failure {
	enum kmem_operation operation;
	int error;
	unsigned long block;
	unsigned long pfn;
	enum kmem_class class;
	enum kmem_rollback rollback;
	unsigned int lost;
	unsigned int blocks;
};

/**
 * struct kmem_range - a contiguous part of the memory
 * @range: physical, aligned to memory blocks
 * @res: its reservation in /proc/iomem, while it is added or may be added again
 * @added: it is System RAM; changed with the view held for writing
 */
struct kmem_range {
	struct range range;
	struct resource *res;
	bool added;
};

/**
 * struct kmem_memory - the memory of one dax device
 * @list: among all of them, in kmem-notify.c
 * @dev: the dax device; NULL: unbound, but the memory could not be removed
 * @name: of the device, for /proc/iomem
 * @node: NUMA node
 * @group: memory group id, while anything is added
 * @type: memory type, the same
 * @memmap_on_memory: the memmap is to lie in the memory itself
 * @timeout_ms: how long a removal may take
 * @lock: one operation at a time
 * @view: taken for writing when ranges come and go or @failure changes, and for reading by those
 *	who look at that
 * @worker: the thread of the operation that runs; nobody else changes the blocks meanwhile
 * @stop: why the worker shall give up, a negative errno; 0: go on; see kmem_stopped()
 * @undo_until: when the worker undoes what it did, until when; in jiffies
 * @wanted: the zone that the worker wants blocks in, as their state; KMEM_OFFLINE: by the policy;
 *	KMEM_MIXED: any, it puts back what was there; KMEM_UNPLUGGED: none may go online
 * @zone_refused: the kernel by itself wanted to online a block to another zone
 * @asked: the worker's present change of a block was put to all notifiers
 * @cancelled: ... was taken back
 * @failure: of the last operation
 * @nr_ranges: elements of @ranges
 * @ranges: what the device consists of
 */
struct kmem_memory {
	struct list_head list;
	struct device *dev;
	const char *name;
	int node;
	int group;
	struct memory_dev_type *type;
	bool memmap_on_memory;
	unsigned int timeout_ms;
	struct mutex lock; /* held by whoever waits for an operation */
	struct rw_semaphore view;
	struct task_struct *worker;
	int stop;
	unsigned long undo_until;
	enum kmem_state wanted;
	bool zone_refused;
	bool asked;
	bool cancelled;
	struct kmem_failure failure;
	unsigned int nr_ranges;
	struct kmem_range ranges[];
};

/**
 * typedef kmem_job - what an operation does, in a thread of its own
 * @memory: whose lock is held by the one who waits
 * @failure: gets what is known of a failure
 *
 * Looks at kmem_stopped() between its steps. Undoes them on error.
 *
 * Return: 0 or a negative errno.
 */
typedef int kmem_job(struct kmem_memory *memory, struct kmem_failure *failure);

/**
 * struct kmem_block - a memory block within an operation
 * @pfn: its first page
 * @before: what it was when the operation began
 * @used: pages that were not free then
 * @poisoned: with memory that failed among them
 */
struct kmem_block {
	unsigned long pfn;
	enum kmem_state before;
	unsigned long used;
	bool poisoned;
};

static inline bool kmem_added(const struct kmem_memory *memory)
{
	unsigned int i;

	for (i = 0; i < memory->nr_ranges; i++)
		if (memory->ranges[i].added)
			return true;
	return false;
}

/*
 * The files of the driver, as a line: each one uses only what is declared below its own place here.
 * tests/driver/calls.sh reads the order from these comments and checks the objects against it.
 */

/* kmem.c: bind and unbind, the module and its parameters; nobody calls it */

/* kmem-sysfs.c: the attributes of the device */
extern const struct attribute_group *kmem_groups[];
int kmem_parse_timeout(const char *text, unsigned int *ret_timeout_ms);

/* kmem-hotplug.c: the two operations, each of which does all or nothing */
int kmem_add(struct kmem_memory *memory, enum kmem_state wanted);
int kmem_remove(struct kmem_memory *memory);

/* kmem-worker.c: the thread of an operation, and its time limit */
int kmem_run(struct kmem_memory *memory, enum kmem_operation operation, kmem_job *job,
	     unsigned int timeout_ms);
int kmem_stopped(const struct kmem_memory *memory);
void kmem_begin_undo(struct kmem_memory *memory, bool signals);
int kmem_set_block(struct kmem_memory *memory, unsigned long pfn, enum kmem_state state);

/* kmem-failure.c: why an operation failed, and the report of how it ended */
void kmem_classify_failure(const struct kmem_memory *memory, struct kmem_failure *failure,
			   int error);
void kmem_report(struct kmem_memory *memory, const struct kmem_failure *failure);
ssize_t kmem_emit_failure(struct kmem_memory *memory, char *buffer);

/* kmem-ranges.c: adding and removing the physical ranges, and what that takes */
int kmem_types_init(void);
void kmem_types_exit(void);
int kmem_acquire(struct kmem_memory *memory);
void kmem_release(struct kmem_memory *memory);
int kmem_add_range(struct kmem_memory *memory, struct kmem_range *range);
int kmem_remove_ranges(struct kmem_memory *memory);

/* kmem-notify.c: the list of all memories, and the memory notifier */
extern bool kmem_online_kernel_zones;
int kmem_notify_init(void);
void kmem_notify_exit(void);
void kmem_register_memory(struct kmem_memory *memory);
void kmem_unregister_memory(struct kmem_memory *memory);
struct kmem_memory *kmem_find_orphan(const struct kmem_memory *like);

/* kmem-blocks.c: the memory blocks of the ranges */
extern const char *const kmem_state_names[];
unsigned long kmem_block_pages(void);
unsigned long kmem_block_number(unsigned long pfn);
unsigned long kmem_free_pages(struct page *page);
unsigned int kmem_count_blocks(const struct kmem_memory *memory);
unsigned int kmem_count_online(struct kmem_memory *memory);
enum kmem_state kmem_block_state(unsigned long pfn);
enum kmem_state kmem_memory_state(struct kmem_memory *memory);
int kmem_list_blocks(const struct kmem_memory *memory, struct kmem_block **ret_blocks);
void kmem_sort_emptiest_first(struct kmem_block *blocks, unsigned int count);
int kmem_try_set_block(unsigned long pfn, enum kmem_state state);
void kmem_blocks_exit(void);

#endif
