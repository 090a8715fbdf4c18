// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocates one given page frame while it is loaded: a page that cannot be migrated, like a buffer
 * of a device. Its present contents are migrated first.
 */
#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned long pfn;
module_param(pfn, ulong, 0444);
MODULE_PARM_DESC(pfn, "page frame to allocate");

static int __init pin_page_init(void)
{
	if (!pfn_to_online_page(pfn))
		return -ENXIO;
	return alloc_contig_range(pfn, pfn + 1, MIGRATE_MOVABLE, GFP_KERNEL);
}

static void __exit pin_page_exit(void)
{
	free_contig_range(pfn, 1);
}

module_init(pin_page_init);
module_exit(pin_page_exit);
MODULE_DESCRIPTION("Allocates one given page frame, for tests");
MODULE_LICENSE("GPL");
