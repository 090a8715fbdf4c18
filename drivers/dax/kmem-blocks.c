// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory blocks below a device: what they are now, how full they are, and changing them.
 *
 * device_online() and device_offline() are not exported to modules, and
 * offline_and_remove_memory() takes one contiguous range in the order of its addresses. So the
 * blocks are changed by their stable interface, memoryN/state, through a mount of sysfs that
 * nobody else sees: what is mounted on /sys, or whether it is writable in some container, does not
 * matter.
 */
#include "kmem.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/memory_hotplug.h>
#include <linux/mount.h>
#include <linux/slab.h>
#include <linux/sort.h>

/* The largest order that a free page may have by any configuration; a larger one was a race. */
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
 * kmem_block_state() - what a memory block that is added is now
 * @pfn: its first page
 *
 * A block is online or offline as a whole, and in one zone. The caller keeps it from being removed.
 */
enum kmem_state kmem_block_state(unsigned long pfn)
{
	/* The last page: with memmap_on_memory the first ones are not given out. */
	struct page *page = pfn_to_online_page(pfn + kmem_block_pages() - 1);

	if (!page)
		return KMEM_OFFLINE;
	return zone_idx(page_zone(page)) == ZONE_MOVABLE ? KMEM_ONLINE_MOVABLE : KMEM_ONLINE_KERNEL;
}

/* Calls @visit for each block of the ranges that are added. */
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

/* Blocks that are online, in whatever zone. */
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

/* What all blocks together are. */
enum kmem_state kmem_memory_state(struct kmem_memory *memory)
{
	enum kmem_state all = KMEM_UNPLUGGED;

	down_read(&memory->view);
	visit_blocks(memory, join_states, &all);
	up_read(&memory->view);
	return all;
}

/* How many pages are free from this one on, as one chunk of the allocator; 0: it is not free. */
unsigned long kmem_free_pages(struct page *page)
{
	unsigned long order;

	if (!PageBuddy(page))
		return 0;
	/* Not locked: the page may be taken as we look, and its order be anything. */
	order = READ_ONCE(page_private(page));
	return order < ORDER_LIMIT ? 1UL << order : 1;
}

/* Pages of an online block that are not free: what has to move, give or take what races. */
static void survey_block(struct kmem_block *block)
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
	if (state != KMEM_OFFLINE)
		survey_block(block);
}

/**
 * kmem_list_blocks() - all blocks that are added, as they are now
 * @memory: the caller holds its lock
 * @ret_blocks: in the order of their addresses, to be freed by kvfree()
 *
 * Return: how many, or -ENOMEM.
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
 * What has to move goes to free memory elsewhere, the blocks that are still online among it. If the
 * fullest blocks come last, there are no such blocks any more, and each page moves once.
 *
 * Blocks with a poisoned page come after all others: newer kernels do not online those again, so
 * they better go when nothing else can fail any more.
 */
void kmem_sort_emptiest_first(struct kmem_block *blocks, unsigned int count)
{
	sort(blocks, count, sizeof(*blocks), compare_blocks, NULL);
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

/* When the module goes. */
void kmem_blocks_exit(void)
{
	if (sysfs)
		kern_unmount(sysfs);
	sysfs = NULL;
}

/**
 * kmem_try_set_block() - bring a memory block online or take it offline, by one attempt
 * @pfn: its first page
 * @state: KMEM_OFFLINE, KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL
 *
 * To be called by a kernel thread: it has no network namespace of its own, to which a mount of
 * sysfs would belong.
 *
 * Return: 0, also when it was so already; or what the kernel said. -ERESTARTNOINTR: memory hot-plug
 * is busy elsewhere; it has waited a little.
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
	/* What it is counts: asked to become what it is, a block answers with an error. */
	if (kmem_block_state(pfn) == state)
		return 0;
	return written < 0 ? written : -EIO;
}
