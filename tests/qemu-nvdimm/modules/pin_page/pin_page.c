// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds one page frame, of the test's choice, for as long as it is loaded: a page that cannot move,
 * as the buffer of a device would be. What lies there moves away first.
 */
#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned long pfn;
module_param(pfn, ulong, 0444);
MODULE_PARM_DESC(pfn, "number of the page frame to hold");

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
MODULE_DESCRIPTION("Holds one page frame, for tests");
MODULE_LICENSE("GPL");
