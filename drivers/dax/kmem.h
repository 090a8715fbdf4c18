/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared declarations of the driver: struct kmem_memory is the memory of one dax device as System
 * RAM. Its identity is its physical ranges, not the device: memory that cannot be removed outlives
 * the device.
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
#include <linux/workqueue.h>

#include "dax-private.h"
#ifndef dax_driver_register
#include "bus.h" /* a kernel tree declares the bus in a header of its own */
#endif

struct kmem_block;
struct memory_dev_type;
struct page;

#define KMEM_NO_PFN	    (~0UL)
#define KMEM_TIMEOUT_MAX_MS (60 * 60 * 1000)
/* Time limit of a rollback while the writer waits. */
#define KMEM_UNDO_MS 10000

/* State of a memory block, or of all blocks of a device; indexes kmem_state_names. */
enum kmem_state {
	KMEM_UNPLUGGED,
	KMEM_OFFLINE,
	KMEM_ONLINE_MOVABLE,
	KMEM_ONLINE_KERNEL,
	KMEM_MIXED, /* of a device only: its blocks differ */
};

/* Why an operation failed; indexes class_names of kmem-failure.c. */
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
	KMEM_CLASS_LOCK_HELD,
	KMEM_CLASS_INTERRUPTED,
};

enum kmem_rollback {
	KMEM_ROLLBACK_NONE, /* there was nothing to roll back */
	KMEM_ROLLBACK_COMPLETE,
	KMEM_ROLLBACK_GOING_ON, /* in the background */
	KMEM_ROLLBACK_INCOMPLETE,
};

enum kmem_operation {
	KMEM_UNPLUG,
	KMEM_ONLINE,
};

/**
 * struct kmem_failure - how the last operation failed
 * @operation: the operation
 * @error: negative errno, or 0 if it succeeded
 * @block: first pfn of the block that could not be changed, or KMEM_NO_PFN
 * @pfn: first page of that block that could not be migrated, or KMEM_NO_PFN
 * @class: the reason
 * @rollback: whether the state before the operation was restored
 * @lost: number of blocks whose state was not restored
 * @blocks: number of blocks of the device
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
 * struct kmem_range - a contiguous range of the memory
 * @range: physical addresses, aligned to memory blocks
 * @res: its entry in /proc/iomem, while it is added or may be added again
 * @added: whether it is System RAM; written under &kmem_memory.view
 */
struct kmem_range {
	struct range range;
	struct resource *res;
	bool added;
};

/**
 * struct kmem_memory - the memory of one dax device
 * @list: entry in the list of kmem-notify.c
 * @dev: the dax device, or NULL for an orphan: the device was unbound, but its memory could not be
 *	removed; written under @view
 * @name: name of the device in /proc/iomem and in the log
 * @node: NUMA node
 * @group: memory group id; valid while a range is added
 * @type: memory type of the node; valid while a range is added
 * @memmap_on_memory: allocate the memmap from the memory itself
 * @timeout_ms: time limit of a removal
 * @lock: serializes operations
 * @view: protects @dev, the added state of @ranges, and @failure, for readers without @lock
 * @worker: thread of the operation in progress; the notifier lets nobody else change blocks
 * @stop: negative errno if the worker has to give up, or 0; see kmem_stopped()
 * @undo_until: deadline of the rollback in jiffies, or 0 if there is none in progress
 * @before: blocks as they were before a removal that failed, by address, as long as some are to be
 *	brought back; else NULL. Of the operation in progress, else of @restorer
 * @nr_before: number of blocks in @before
 * @restorer: the rollback in the background; pending or running only while @before is set and no
 *	operation is in progress
 * @pause_ms: time until @restorer tries again
 * @first: whether operations of all devices wait for @restorer
 * @abandon: whether @restorer has to end at once
 * @wanted: zone that the worker may online blocks to, as a block state; also KMEM_OFFLINE: as the
 *	policy says; KMEM_MIXED: any, for a rollback; KMEM_UNPLUGGED: blocks must stay offline
 * @zone_refused: auto-online was refused a zone while ranges were added
 * @notified: every other notifier accepted the worker's current change of a block
 * @cancelled: the worker's current change of a block was cancelled
 * @locked_out: the worker's current change of a block has not got the lock of memory hot-plug
 * @failure: result of the last operation
 * @nr_ranges: number of @ranges
 * @ranges: the ranges of the device
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
	struct mutex lock; /* held by the waiter, not by the worker */
	struct rw_semaphore view;
	struct task_struct *worker;
	int stop;
	unsigned long undo_until;
	struct kmem_block *before;
	unsigned int nr_before;
	struct delayed_work restorer;
	unsigned int pause_ms;
	bool first;
	bool abandon;
	enum kmem_state wanted;
	bool zone_refused;
	bool notified;
	bool cancelled;
	bool locked_out;
	struct kmem_failure failure;
	unsigned int nr_ranges;
	struct kmem_range ranges[];
};

/**
 * typedef kmem_job - an operation, run in a kernel thread
 * @memory: the waiter holds its lock
 * @failure: gets the details of a failure
 *
 * Checks kmem_stopped() between its steps, and rolls them back on error.
 *
 * Return: 0 or a negative errno.
 */
typedef int kmem_job(struct kmem_memory *memory, struct kmem_failure *failure);

/**
 * struct kmem_block - a memory block at the start of an operation
 * @pfn: first page
 * @before: state
 * @used: number of pages that were not free; see kmem_survey_block()
 * @poisoned: whether one of these had a hardware error
 */
struct kmem_block {
	unsigned long pfn;
	enum kmem_state before;
	unsigned long used;
	bool poisoned;
};

/* Whether any range is System RAM. */
static inline bool kmem_added(const struct kmem_memory *memory)
{
	unsigned int i;

	for (i = 0; i < memory->nr_ranges; i++)
		if (memory->ranges[i].added)
			return true;
	return false;
}

/*
 * The files of the driver, in call order: a file may only use what files further down declare.
 * tests/driver/calls.sh takes the order from these comments and checks the objects against it.
 */

/* kmem.c: bind, unbind, the module and its parameters */

/* kmem-sysfs.c: the attributes of the device */
extern const struct attribute_group *kmem_groups[];
int kmem_parse_timeout(const char *text, unsigned int *ret_timeout_ms);

/* kmem-hotplug.c: the operations, hot-add and hot-remove of all ranges or none */
int kmem_add(struct kmem_memory *memory, enum kmem_state wanted);
int kmem_remove(struct kmem_memory *memory);

/* kmem-rollback.c: brings blocks back online, in the background if it takes long */
void kmem_rollback_init(struct kmem_memory *memory);
void kmem_recall(const struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count);
void kmem_forget(struct kmem_memory *memory);
void kmem_roll_back(struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count,
		    struct kmem_failure *failure);
void kmem_stop_rollback(struct kmem_memory *memory);
void kmem_continue_rollback(struct kmem_memory *memory);
int kmem_finish_rollback(struct kmem_memory *memory);

/* kmem-worker.c: the thread of an operation, its turn, its time limit and its retries */
bool kmem_try_turn(void);
void kmem_end_turn(void);
void kmem_go_first(struct kmem_memory *memory, bool first);
int kmem_run(struct kmem_memory *memory, enum kmem_operation operation, kmem_job *job,
	     unsigned int timeout_ms);
int kmem_stopped(const struct kmem_memory *memory);
void kmem_begin_undo(struct kmem_memory *memory, bool signals, unsigned int timeout_ms);
int kmem_set_block(struct kmem_memory *memory, unsigned long pfn, enum kmem_state state);

/* kmem-failure.c: the reason of a failure, and the report of the result */
void kmem_classify_failure(const struct kmem_memory *memory, struct kmem_failure *failure,
			   int error);
void kmem_report(struct kmem_memory *memory, const struct kmem_failure *failure);
void kmem_note_rollback(struct kmem_memory *memory, enum kmem_rollback rollback, unsigned int lost);
ssize_t kmem_emit_failure(struct kmem_memory *memory, char *buffer);

/* kmem-ranges.c: physical ranges as System RAM, and the resources that they need */
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
void kmem_set_device(struct kmem_memory *memory, struct device *dev);
struct kmem_memory *kmem_find_orphan(const struct kmem_memory *like);

/* kmem-blocks.c: state and contents of memory blocks */
extern const char *const kmem_state_names[];
unsigned long kmem_block_pages(void);
unsigned long kmem_block_number(unsigned long pfn);
unsigned long kmem_free_pages(struct page *page);
unsigned int kmem_count_blocks(const struct kmem_memory *memory);
unsigned int kmem_count_online(struct kmem_memory *memory);
enum kmem_state kmem_block_state(unsigned long pfn);
enum kmem_state kmem_memory_state(struct kmem_memory *memory);
int kmem_list_blocks(const struct kmem_memory *memory, struct kmem_block **ret_blocks);
void kmem_survey_block(struct kmem_block *block);
void kmem_sort_emptiest_first(struct kmem_block *blocks, unsigned int count);
void kmem_sort_by_address(struct kmem_block *blocks, unsigned int count);
int kmem_try_set_block(unsigned long pfn, enum kmem_state state);
void kmem_blocks_exit(void);

/* kmem-trace.c: the tracepoints, declared in kmem-trace.h */

#endif
