// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why an operation failed, and how its result is reported: last_failure, the log and a uevent.
 * Documentation/dax-hotremove.rst describes these.
 *
 * The page that prevents a block from going offline is looked for after the kernel gave up. By then
 * the pages that it had isolated are back on the LRU, so an unexpected reference is somebody
 * else's. This is done without locks: a page that seems to be held is looked at again some
 * milliseconds later.
 */
#include "kmem.h"

#include <linux/delay.h>
#include <linux/hugetlb.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define SECOND_LOOK_MS 10
#define SECOND_LOOKS   16

#define TEXT_SIZE 64

/* clang-format off */
static const char *const class_names[] = {
	[KMEM_CLASS_UNKNOWN] = "unknown",
	[KMEM_CLASS_KERNEL_ZONE] = "kernel-zone",
	[KMEM_CLASS_PINNED] = "pinned",
	[KMEM_CLASS_HUGETLB] = "hugetlb",
	[KMEM_CLASS_RESERVED] = "reserved",
	[KMEM_CLASS_POISONED] = "poisoned",
	[KMEM_CLASS_NO_MEMORY] = "no-memory",
	[KMEM_CLASS_NOTIFIER] = "notifier",
	[KMEM_CLASS_SLOW] = "slow",
	[KMEM_CLASS_LOCK_HELD] = "lock-held",
	[KMEM_CLASS_INTERRUPTED] = "interrupted",
};

/* clang-format on */

static const char *const operation_names[] = {
	[KMEM_UNPLUG] = "unplug",
	[KMEM_ONLINE] = "online",
};

static const char *const result_names[][2] = {
	[KMEM_UNPLUG] = { "unplugged", "unplug-failed" },
	[KMEM_ONLINE] = { "online", "online-failed" },
};

/* The fields of a failure that are rendered alike in last_failure, the log and the uevent. */
struct failure_text {
	char block[TEXT_SIZE];
	char pfn[TEXT_SIZE];
	char rollback[TEXT_SIZE];
};

/* Kind of a page, as seen by one look at it; from LOOK_PINNED on it cannot be migrated. */
enum look {
	LOOK_FREE,
	LOOK_MOVABLE,
	LOOK_POISONED,
	LOOK_HUGETLB,
	LOOK_PINNED,
	LOOK_KERNEL,
	LOOK_RESERVED,
};

/* First page of each kind in a block, or KMEM_NO_PFN. */
struct survey {
	unsigned long movable;
	unsigned long poisoned;
	unsigned long hugetlb;
};

/* Number of references that mappings, caches and private data account for; single page only. */
static int expected_references(struct folio *folio)
{
	int expected = atomic_read(&folio->page._mapcount) + 1;

	if (folio_test_anon(folio))
		expected += folio_test_swapcache(folio);
	else
		expected += folio->mapping ? 1 : 0;
	return expected + folio_test_private(folio);
}

/* The caller holds a reference to @folio. */
static enum look look_at_folio(struct folio *folio)
{
	if (folio_test_hugetlb(folio))
		return folio_maybe_dma_pinned(folio) ? LOOK_PINNED : LOOK_HUGETLB;
	if (!folio_test_lru(folio) && !__PageMovable(&folio->page)) {
		/* A page with a mapping is user memory in a per-CPU LRU batch. */
		return folio->mapping && !folio_test_slab(folio) ? LOOK_MOVABLE : LOOK_KERNEL;
	}
	/* Modules cannot read the mapcount of a large folio. */
	if (folio_test_large(folio))
		return folio_maybe_dma_pinned(folio) ? LOOK_PINNED : LOOK_MOVABLE;
	if (folio_test_lru(folio) && folio_ref_count(folio) - 1 > expected_references(folio))
		return LOOK_PINNED;
	return LOOK_MOVABLE;
}

/* The result holds for @ret_pages pages from this one on. */
static enum look look_at(struct page *page, unsigned long *ret_pages)
{
	struct folio *folio;
	enum look look;

	*ret_pages = kmem_free_pages(page);
	if (*ret_pages)
		return LOOK_FREE;
	*ret_pages = 1;
	if (PageVmemmapSelfHosted(page))
		return LOOK_FREE; /* the block's own memmap, with memmap_on_memory */
	if (PageReserved(page))
		return LOOK_RESERVED;
	if (PageHWPoison(page))
		return LOOK_POISONED;
	folio = page_folio(page);
	if (!folio_try_get(folio))
		return LOOK_FREE; /* just being allocated or freed */
	look = page_folio(page) == folio ? look_at_folio(folio) : LOOK_FREE;
	if (look != LOOK_FREE && folio_test_large(folio))
		*ret_pages = folio_nr_pages(folio) - folio_page_idx(folio, page);
	folio_put(folio);
	return look;
}

static enum kmem_class class_of(enum look look, bool movable_zone)
{
	if (look == LOOK_RESERVED)
		return KMEM_CLASS_RESERVED;
	/* A kernel page in ZONE_MOVABLE is supposed to be released by its owner. */
	return look == LOOK_PINNED || movable_zone ? KMEM_CLASS_PINNED : KMEM_CLASS_KERNEL_ZONE;
}

static void note_first(unsigned long *first, unsigned long pfn)
{
	if (*first == KMEM_NO_PFN)
		*first = pfn;
}

/* First page that cannot be migrated at all, or KMEM_NO_PFN. */
static unsigned long find_unmovable(unsigned long start, struct survey *survey, enum look *ret_look)
{
	const unsigned long end = start + kmem_block_pages();
	unsigned long pfn, pages, ignored;
	unsigned int looks = 0;

	for (pfn = start; pfn < end; pfn += pages) {
		struct page *page = pfn_to_online_page(pfn);
		enum look look;

		if (!page)
			break;
		look = look_at(page, &pages);
		if (look == LOOK_MOVABLE)
			note_first(&survey->movable, pfn);
		if (look == LOOK_POISONED)
			note_first(&survey->poisoned, pfn);
		if (look == LOOK_HUGETLB)
			note_first(&survey->hugetlb, pfn);
		if (look < LOOK_PINNED || looks >= SECOND_LOOKS)
			continue;
		looks++;
		if (look != LOOK_RESERVED)
			msleep(SECOND_LOOK_MS);
		if (look_at(page, &ignored) == look) {
			*ret_look = look;
			return pfn;
		}
	}
	cond_resched();
	return KMEM_NO_PFN;
}

/* Free pages above the watermark and the reserve that each zone keeps from movable allocations. */
static unsigned long available_pages(void)
{
	unsigned long available = 0;
	int nid, i;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];
			unsigned long kept =
				high_wmark_pages(zone) + zone->lowmem_reserve[ZONE_MOVABLE];
			unsigned long unused = zone_page_state(zone, NR_FREE_PAGES);

			if (unused > kept)
				available += unused - kept;
		}
	}
	return available;
}

/*
 * Whether the pages in use of the block fit elsewhere. The free pages include those of the block
 * itself, hence the comparison with all of it.
 */
static bool fits_elsewhere(void)
{
	return available_pages() > kmem_block_pages();
}

/* Finds the page that prevents the block of @failure from going offline. */
static void find_page(struct kmem_failure *failure)
{
	bool movable_zone = kmem_block_state(failure->block) != KMEM_ONLINE_KERNEL;
	struct survey survey = { KMEM_NO_PFN, KMEM_NO_PFN, KMEM_NO_PFN };
	enum look look;

	failure->pfn = find_unmovable(failure->block, &survey, &look);
	if (failure->pfn != KMEM_NO_PFN) {
		failure->class = class_of(look, movable_zone);
	} else if (survey.hugetlb != KMEM_NO_PFN) {
		failure->class = KMEM_CLASS_HUGETLB;
		failure->pfn = survey.hugetlb;
	} else if (survey.movable != KMEM_NO_PFN) {
		failure->class = fits_elsewhere() ? KMEM_CLASS_SLOW : KMEM_CLASS_NO_MEMORY;
		failure->pfn = survey.movable;
	} else if (survey.poisoned != KMEM_NO_PFN) {
		failure->class = KMEM_CLASS_POISONED;
		failure->pfn = survey.poisoned;
	}
}

static bool is_unmovable(enum kmem_class class)
{
	return class == KMEM_CLASS_PINNED || class == KMEM_CLASS_KERNEL_ZONE ||
	       class == KMEM_CLASS_RESERVED;
}

static void classify_unplug(struct kmem_failure *failure, int error)
{
	if (failure->block != KMEM_NO_PFN)
		find_page(failure);
	if (error == -ECANCELED && !is_unmovable(failure->class)) {
		/* There was no time to move the page. */
		failure->class = KMEM_CLASS_INTERRUPTED;
		failure->pfn = KMEM_NO_PFN;
	}
	if (failure->class == KMEM_CLASS_UNKNOWN && error == -ETIMEDOUT)
		failure->class = KMEM_CLASS_SLOW;
}

/**
 * kmem_classify_failure() - find the reason of a failure, for use in a job before its rollback
 * @memory: memory of the job
 * @failure: has the operation and the block, if any; gets the class and the page
 * @error: negative errno of the operation
 */
void kmem_classify_failure(const struct kmem_memory *memory, struct kmem_failure *failure,
			   int error)
{
	if (memory->cancelled && !memory->notified)
		failure->class = KMEM_CLASS_NOTIFIER;
	else if (memory->locked_out && error == -ETIMEDOUT)
		failure->class = KMEM_CLASS_LOCK_HELD;
	else if (failure->operation == KMEM_UNPLUG)
		classify_unplug(failure, error);
}

static struct failure_text describe(const struct kmem_failure *failure)
{
	struct failure_text text = { "-", "-", "none" };

	if (failure->block != KMEM_NO_PFN)
		snprintf(text.block, TEXT_SIZE, "memory%lu", kmem_block_number(failure->block));
	if (failure->pfn != KMEM_NO_PFN)
		snprintf(text.pfn, TEXT_SIZE, "%#lx", failure->pfn);
	if (failure->rollback == KMEM_ROLLBACK_COMPLETE)
		strscpy(text.rollback, "complete", TEXT_SIZE);
	if (failure->rollback == KMEM_ROLLBACK_INCOMPLETE ||
	    failure->rollback == KMEM_ROLLBACK_GOING_ON)
		snprintf(text.rollback, TEXT_SIZE, "incomplete: %u of %u blocks are %s%s",
			 failure->lost, failure->blocks,
			 failure->operation == KMEM_UNPLUG ? "not online" : "still there",
			 failure->rollback == KMEM_ROLLBACK_GOING_ON ? ", going on" : "");
	return text;
}

static void send_uevent(struct kmem_memory *memory, struct device *dev,
			const struct kmem_failure *failure, const struct failure_text *text)
{
	static const char *const names[] = { "STATE", "RESULT", "ERRNO",   "BLOCK",
					     "PFN",   "CLASS",	"ROLLBACK" };
	const char *values[ARRAY_SIZE(names)];
	char *environment[ARRAY_SIZE(names) + 1] = {};
	unsigned int i, count = failure->error ? ARRAY_SIZE(names) : 2;
	char error[TEXT_SIZE];

	snprintf(error, sizeof(error), "%d", failure->error);
	values[0] = kmem_state_names[kmem_memory_state(memory)];
	values[1] = result_names[failure->operation][failure->error != 0];
	values[2] = error;
	values[3] = text->block;
	values[4] = text->pfn;
	values[5] = class_names[failure->class];
	values[6] = text->rollback;
	for (i = 0; i < count; i++) {
		environment[i] = kasprintf(GFP_KERNEL, "DAX_KMEM_%s=%s", names[i], values[i]);
		if (!environment[i])
			break;
	}
	if (i == count)
		kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, environment);
	while (i-- > 0)
		kfree(environment[i]);
}

/**
 * kmem_report() - report the result of an operation
 * @memory: memory of the operation that has ended, or of its rollback in the background
 * @failure: the result; its error is 0 if the operation succeeded
 */
void kmem_report(struct kmem_memory *memory, const struct kmem_failure *failure)
{
	struct failure_text text = describe(failure);
	struct device *dev;

	down_write(&memory->view);
	memory->failure = *failure;
	/* The memory of a rollback in the background may become an orphan at any time. */
	dev = get_device(memory->dev);
	up_write(&memory->view);
	/* A warning: the operator gets it as the answer to his write. */
	if (failure->error)
		pr_warn("%s: %s failed: errno %d, block %s, page %s, %s; rollback: %s\n",
			memory->name, operation_names[failure->operation], failure->error,
			text.block, text.pfn, class_names[failure->class], text.rollback);
	if (dev)
		send_uevent(memory, dev, failure, &text);
	put_device(dev);
}

/* How far the rollback of the last failure is. */
void kmem_note_rollback(struct kmem_memory *memory, enum kmem_rollback rollback, unsigned int lost)
{
	down_write(&memory->view);
	memory->failure.rollback = rollback;
	memory->failure.lost = lost;
	up_write(&memory->view);
}

/* Writes the text of the attribute last_failure. */
ssize_t kmem_emit_failure(struct kmem_memory *memory, char *buffer)
{
	struct kmem_failure failure;
	struct failure_text text;

	down_read(&memory->view);
	failure = memory->failure;
	up_read(&memory->view);
	if (!failure.error)
		return sysfs_emit(buffer, "none\n");
	text = describe(&failure);
	return sysfs_emit(buffer,
			  "operation=%s\nerrno=%d\nblock=%s\npfn=%s\nclass=%s\nrollback=%s\n",
			  operation_names[failure.operation], failure.error, text.block, text.pfn,
			  class_names[failure.class], text.rollback);
}
