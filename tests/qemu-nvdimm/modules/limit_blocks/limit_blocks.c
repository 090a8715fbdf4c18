// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory notifier that lets a given number of blocks go offline or online and refuses the rest,
 * as that of another driver might. It can also delay each block.
 */
#include <linux/delay.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/pfn.h>

static int offline_left = -1;
module_param(offline_left, int, 0644);
MODULE_PARM_DESC(offline_left, "blocks that may still go offline; -1 for no limit (default)");

static int online_left = -1;
module_param(online_left, int, 0644);
MODULE_PARM_DESC(online_left, "blocks that may still go online; -1 for no limit (default)");

static int error = EIO;
module_param(error, int, 0644);
MODULE_PARM_DESC(error, "errno for blocks that are refused (default: 5, EIO)");

static uint delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "delay of each block (default: 0)");

static long refused_block = -1;
module_param(refused_block, long, 0644);
MODULE_PARM_DESC(refused_block, "number of the last refused block");

static void count(int *left)
{
	if (*left > 0)
		(*left)--;
}

static int ask(int left, unsigned long pfn)
{
	if (left != 0)
		return NOTIFY_OK;
	refused_block = PFN_PHYS(pfn) / memory_block_size_bytes();
	return notifier_from_errno(-error);
}

static int notify(struct notifier_block *block, unsigned long action, void *data)
{
	const struct memory_notify *arg = data;

	switch (action) {
	case MEM_GOING_OFFLINE:
		msleep(delay_ms);
		return ask(offline_left, arg->start_pfn);
	case MEM_GOING_ONLINE:
		msleep(delay_ms);
		return ask(online_left, arg->start_pfn);
	case MEM_OFFLINE:
		count(&offline_left);
		break;
	case MEM_ONLINE:
		count(&online_left);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block notifier = {
	.notifier_call = notify,
};

static int __init limit_blocks_init(void)
{
	return register_memory_notifier(&notifier);
}

static void __exit limit_blocks_exit(void)
{
	unregister_memory_notifier(&notifier);
}

module_init(limit_blocks_init);
module_exit(limit_blocks_exit);
MODULE_DESCRIPTION("Refuses to offline or online memory blocks, for tests");
MODULE_LICENSE("GPL");
