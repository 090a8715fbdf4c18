// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocates given page frames while it is loaded: pages that cannot be migrated, like the buffers of a
 * device. Their present contents are migrated first.
 */
#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned long pfn[8];
static unsigned int count;
module_param_array(pfn, ulong, &count, 0444);
MODULE_PARM_DESC(pfn, "page frames to allocate");

static unsigned int pinned;

static void unpin_all(void)
{
	while (pinned)
		free_contig_range(pfn[--pinned], 1);
}

static int pin(unsigned long frame)
{
	if (!pfn_to_online_page(frame))
		return -ENXIO;
	return alloc_contig_range(frame, frame + 1, MIGRATE_MOVABLE, GFP_KERNEL);
}

static int __init pin_page_init(void)
{
	int r = 0;

	while (pinned < count && r == 0) {
		r = pin(pfn[pinned]);
		if (r == 0)
			pinned++;
	}
	if (r)
		unpin_all();
	return r;
}

static void __exit pin_page_exit(void)
{
	unpin_all();
}

module_init(pin_page_init);
module_exit(pin_page_exit);
MODULE_DESCRIPTION("Allocates given page frames, for tests");
MODULE_LICENSE("GPL");
