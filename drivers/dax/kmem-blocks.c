// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory blocks of a device: their state, how much of them is in use, and one attempt to online
 * or offline a block.
 *
 * device_online() and device_offline() are not exported to modules, and
 * offline_and_remove_memory() takes one contiguous range, in the order of addresses. So blocks are
 * changed by their ABI, memoryN/state, through a private mount of sysfs: it does not matter what is
 * mounted on /sys, or whether that is writable.
 */
#include "kmem.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/memory_hotplug.h>
#include <linux/mount.h>
#include <linux/slab.h>
#include <linux/sort.h>

/* Above MAX_ORDER of any configuration: such an order was read while the page was allocated. */
#define ORDER_LIMIT 20

const char *const kmem_state_names[] = {
	[KMEM_UNPLUGGED] = "unplugged",
	[KMEM_OFFLINE] = "offline",
	[KMEM_ONLINE_MOVABLE] = "online_movable",
	[KMEM_ONLINE_KERNEL] = "online_kernel",
	[KMEM_MIXED] = "mixed",
};

static DEFINE_MUTEX(sysfs_lock);
static struct vfsmount *sysfs;

unsigned long kmem_block_pages(void)
{
	return memory_block_size_bytes() >> PAGE_SHIFT;
}

/* The N of memoryN. */
unsigned long kmem_block_number(unsigned long pfn)
{
	return pfn / kmem_block_pages();
}

static unsigned int range_blocks(const struct kmem_range *range)
{
	return range_len(&range->range) / memory_block_size_bytes();
}

unsigned int kmem_count_blocks(const struct kmem_memory *memory)
{
	unsigned int i, count = 0;

	for (i = 0; i < memory->nr_ranges; i++)
		count += range_blocks(&memory->ranges[i]);
	return count;
}

/**
 * kmem_block_state() - current state of a memory block
 * @pfn: first page
 *
 * A block is online or offline as a whole, and in one zone. The caller prevents its removal.
 *
 * Return: KMEM_OFFLINE, KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL.
 */
enum kmem_state kmem_block_state(unsigned long pfn)
{
	/* The last page: with memmap_on_memory the first ones hold the memmap. */
	struct page *page = pfn_to_online_page(pfn + kmem_block_pages() - 1);

	if (!page)
		return KMEM_OFFLINE;
	return zone_idx(page_zone(page)) == ZONE_MOVABLE ? KMEM_ONLINE_MOVABLE : KMEM_ONLINE_KERNEL;
}

/* Calls @visit for each block of the added ranges. */
static void visit_blocks(const struct kmem_memory *memory,
			 void (*visit)(unsigned long pfn, enum kmem_state state, void *data),
			 void *data)
{
	unsigned long pfn;
	unsigned int i;

	for (i = 0; i < memory->nr_ranges; i++) {
		if (!memory->ranges[i].added)
			continue;
		for (pfn = PHYS_PFN(memory->ranges[i].range.start);
		     pfn < PHYS_PFN(memory->ranges[i].range.end); pfn += kmem_block_pages())
			visit(pfn, kmem_block_state(pfn), data);
	}
}

static void count_online(unsigned long pfn, enum kmem_state state, void *data)
{
	unsigned int *online = data;

	*online += state != KMEM_OFFLINE;
}

/* Number of blocks that are online, in any zone. */
unsigned int kmem_count_online(struct kmem_memory *memory)
{
	unsigned int online = 0;

	down_read(&memory->view);
	visit_blocks(memory, count_online, &online);
	up_read(&memory->view);
	return online;
}

static void join_states(unsigned long pfn, enum kmem_state state, void *data)
{
	enum kmem_state *all = data;

	if (*all == KMEM_UNPLUGGED)
		*all = state;
	else if (*all != state)
		*all = KMEM_MIXED;
}

/* State of all blocks together. */
enum kmem_state kmem_memory_state(struct kmem_memory *memory)
{
	enum kmem_state all = KMEM_UNPLUGGED;

	down_read(&memory->view);
	visit_blocks(memory, join_states, &all);
	up_read(&memory->view);
	return all;
}

/* Number of pages in the free chunk that begins with @page, or 0 if it is not free. */
unsigned long kmem_free_pages(struct page *page)
{
	unsigned long order;

	if (!PageBuddy(page))
		return 0;
	/* Without zone->lock: the page may be allocated meanwhile, and the order be garbage. */
	order = READ_ONCE(page_private(page));
	return order < ORDER_LIMIT ? 1UL << order : 1;
}

/**
 * kmem_survey_block() - count the pages of a block that are not free, and see if any is poisoned
 * @block: block that is online; without locks, hence an estimate
 */
void kmem_survey_block(struct kmem_block *block)
{
	const unsigned long end = block->pfn + kmem_block_pages();
	unsigned long unused, pfn = block->pfn;

	while (pfn < end) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page)
			break;
		unused = kmem_free_pages(page);
		if (!unused) {
			block->used++;
			block->poisoned |= PageHWPoison(page);
		}
		pfn += unused ?: 1;
	}
	cond_resched();
}

static void list_block(unsigned long pfn, enum kmem_state state, void *data)
{
	struct kmem_block **next = data;
	struct kmem_block *block = (*next)++;

	block->pfn = pfn;
	block->before = state;
}

/**
 * kmem_list_blocks() - list all blocks of the added ranges
 * @memory: the caller holds its lock
 * @ret_blocks: blocks in the order of addresses, to be freed with kvfree()
 *
 * Return: number of blocks, or -ENOMEM.
 */
int kmem_list_blocks(const struct kmem_memory *memory, struct kmem_block **ret_blocks)
{
	struct kmem_block *blocks, *next;

	blocks = kvcalloc(kmem_count_blocks(memory), sizeof(*blocks), GFP_KERNEL);
	if (!blocks)
		return -ENOMEM;
	next = blocks;
	visit_blocks(memory, list_block, &next);
	*ret_blocks = blocks;
	return next - blocks;
}

static int compare_blocks(const void *a, const void *b)
{
	const struct kmem_block *first = a, *second = b;

	if (first->poisoned != second->poisoned)
		return first->poisoned ? 1 : -1;
	if (first->used != second->used)
		return first->used < second->used ? -1 : 1;
	return first->pfn < second->pfn ? -1 : 1;
}

/*
 * Pages are migrated to free memory anywhere, including blocks of the device that are still online.
 * If the fullest blocks go last, few of these are left, and each page is migrated once.
 *
 * Blocks with a poisoned page come after all others: newer kernels refuse to online them again, so
 * they should go offline when nothing else can fail any more.
 */
void kmem_sort_emptiest_first(struct kmem_block *blocks, unsigned int count)
{
	sort(blocks, count, sizeof(*blocks), compare_blocks, NULL);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct kmem_block *first = a, *second = b;

	return first->pfn < second->pfn ? -1 : 1;
}

void kmem_sort_by_address(struct kmem_block *blocks, unsigned int count)
{
	sort(blocks, count, sizeof(*blocks), compare_addresses, NULL);
}

static struct vfsmount *sysfs_mount(void)
{
	struct file_system_type *type;

	mutex_lock(&sysfs_lock);
	if (!sysfs) {
		struct vfsmount *mount = ERR_PTR(-ENODEV);

		type = get_fs_type("sysfs");
		if (type)
			mount = kern_mount(type);
		if (IS_ERR(mount)) {
			mutex_unlock(&sysfs_lock);
			return mount;
		}
		sysfs = mount;
	}
	mutex_unlock(&sysfs_lock);
	return sysfs;
}

void kmem_blocks_exit(void)
{
	if (sysfs)
		kern_unmount(sysfs);
	sysfs = NULL;
}

/**
 * kmem_try_set_block() - online or offline a memory block, without retries
 * @pfn: first page
 * @state: KMEM_OFFLINE, KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL
 *
 * For kernel threads only: a mount of sysfs belongs to the network namespace of its creator, and
 * they are in the initial one.
 *
 * Return: 0, also if the block is in that state already; or the kernel's error. -ERESTARTNOINTR
 * means, after a short wait, that the lock of memory hot-plug is taken.
 */
int kmem_try_set_block(unsigned long pfn, enum kmem_state state)
{
	struct vfsmount *mount = sysfs_mount();
	const char *value = kmem_state_names[state];
	char name[64];
	struct path root;
	struct file *file;
	ssize_t written;
	loff_t offset = 0;

	if (IS_ERR(mount))
		return PTR_ERR(mount);
	root.mnt = mount;
	root.dentry = mount->mnt_root;
	snprintf(name, sizeof(name), "devices/system/memory/memory%lu/state",
		 kmem_block_number(pfn));
	file = file_open_root(&root, name, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	written = kernel_write(file, value, strlen(value), &offset);
	filp_close(file, NULL);
	/* Only the state counts: writing the current one fails. */
	if (kmem_block_state(pfn) == state)
		return 0;
	return written < 0 ? written : -EIO;
}
