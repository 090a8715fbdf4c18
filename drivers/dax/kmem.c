// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmem: hot-adds the memory of a dax device as System RAM, and hot-removes it. It replaces the
 * kernel's driver of this name and has its interface. In addition, removal is all or nothing, has a
 * time limit, and reports what prevented it.
 *
 * Unbinding a driver cannot fail. Memory that cannot be removed at that time remains System RAM and
 * stays on the list as an orphan, which the next device with the same ranges adopts.
 */
#include "kmem.h"

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/version.h>

module_param_named(online_kernel_zones, kmem_online_kernel_zones, bool, 0644);
MODULE_PARM_DESC(online_kernel_zones,
		 "allow onlining to kernel zones, which may make removal impossible (default: N)");

static unsigned int default_timeout_ms = 30000;

static int set_default_timeout(const char *text, const struct kernel_param *parameter)
{
	unsigned int timeout_ms;
	int r = kmem_parse_timeout(text, &timeout_ms);

	if (r)
		return r;
	WRITE_ONCE(default_timeout_ms, timeout_ms);
	return 0;
}

static const struct kernel_param_ops timeout_ops = {
	.set = set_default_timeout,
	.get = param_get_uint,
};
module_param_cb(unplug_timeout_ms, &timeout_ops, &default_timeout_ms, 0644);
MODULE_PARM_DESC(unplug_timeout_ms,
		 "time limit of a removal, for devices that are bound later (default: 30000)");

/* The part of range @i of a device that consists of whole blocks. False if there is none. */
static bool align_range(const struct dev_dax *dev_dax, int i, struct range *ret_range)
{
	const struct range *range = &dev_dax->ranges[i].range;
	const u64 block = memory_block_size_bytes();

	ret_range->start = ALIGN(range->start, block);
	ret_range->end = ALIGN_DOWN(range->end + 1, block) - 1;
	return ret_range->start < ret_range->end;
}

/* Number of ranges that have whole blocks. Logs how much memory alignment makes unusable. */
static unsigned int count_ranges(const struct dev_dax *dev_dax)
{
	u64 bytes = 0, usable = 0;
	unsigned int count = 0;
	struct range range;
	int i;

	for (i = 0; i < dev_dax->nr_range; i++) {
		bytes += range_len(&dev_dax->ranges[i].range);
		if (!align_range(dev_dax, i, &range))
			continue;
		usable += range_len(&range);
		count++;
	}
	if (usable < bytes)
		dev_info(&dev_dax->dev,
			 "%llu of %llu bytes unusable: not in whole memory blocks (%lu bytes)\n",
			 bytes - usable, bytes, memory_block_size_bytes());
	return count;
}

static void free_memory(struct kmem_memory *memory)
{
	kfree(memory->name);
	kfree(memory);
}

static struct kmem_memory *alloc_memory(struct dev_dax *dev_dax, unsigned int nr_ranges)
{
	struct kmem_memory *memory = kzalloc(struct_size(memory, ranges, nr_ranges), GFP_KERNEL);
	int i;

	if (!memory)
		return NULL;
	memory->name = kstrdup(dev_name(&dev_dax->dev), GFP_KERNEL);
	if (!memory->name) {
		kfree(memory);
		return NULL;
	}
	memory->dev = &dev_dax->dev;
	memory->node = dev_dax->target_node;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	memory->memmap_on_memory = dev_dax->memmap_on_memory;
#endif
	memory->timeout_ms = READ_ONCE(default_timeout_ms);
	mutex_init(&memory->lock);
	init_rwsem(&memory->view);
	kmem_rollback_init(memory);
	for (i = 0; i < dev_dax->nr_range; i++)
		if (align_range(dev_dax, i, &memory->ranges[memory->nr_ranges].range))
			memory->nr_ranges++;
	return memory;
}

/* The memory of a device with these ranges that was left behind, or new memory; NULL: no memory. */
static struct kmem_memory *get_memory(struct dev_dax *dev_dax, unsigned int nr_ranges)
{
	struct kmem_memory *memory = alloc_memory(dev_dax, nr_ranges);
	struct kmem_memory *orphan;

	if (!memory)
		return NULL;
	orphan = kmem_find_orphan(memory);
	if (!orphan) {
		kmem_register_memory(memory);
		return memory;
	}
	free_memory(memory);
	kmem_set_device(orphan, &dev_dax->dev);
	dev_info(&dev_dax->dev, "adopted the memory that %s left behind\n", orphan->name);
	return orphan;
}

/*
 * Removes the memory and separates it from its device: it is freed, or an orphan if any of it is
 * still RAM. First nobody can write to its attributes any more.
 */
static void leave(struct device *dev, struct kmem_memory *memory)
{
	sysfs_remove_groups(&dev->kobj, kmem_groups);
	mutex_lock(&memory->lock);
	kmem_remove(memory);
	mutex_unlock(&memory->lock);
	dev_set_drvdata(dev, NULL);
	if (kmem_added(memory)) {
		dev_warn(dev, "memory remains System RAM, bind the device to kmem to remove it\n");
		/* It may be adopted from here on. */
		kmem_set_device(memory, NULL);
	} else {
		kmem_unregister_memory(memory);
		free_memory(memory);
	}
}

/* The attributes come first: whoever gets the uevent of the hot-add may read them. */
static int kmem_probe(struct dev_dax *dev_dax)
{
	struct device *dev = &dev_dax->dev;
	unsigned int nr_ranges = count_ranges(dev_dax);
	struct kmem_memory *memory;
	int r;

	if (dev_dax->target_node < 0) {
		dev_err(dev, "no NUMA node: the firmware has to provide one (SRAT)\n");
		return -EINVAL;
	}
	if (!nr_ranges) {
		dev_err(dev, "no whole memory block (%lu bytes) in its ranges\n",
			memory_block_size_bytes());
		return -EINVAL;
	}
	memory = get_memory(dev_dax, nr_ranges);
	if (!memory)
		return -ENOMEM;
	dev_set_drvdata(dev, memory);
	mutex_lock(&memory->lock);
	r = sysfs_create_groups(&dev->kobj, kmem_groups);
	if (!r && !kmem_added(memory))
		r = kmem_add(memory, KMEM_OFFLINE);
	mutex_unlock(&memory->lock);
	if (r)
		leave(dev, memory);
	return r;
}

static void kmem_unbind(struct dev_dax *dev_dax)
{
	leave(&dev_dax->dev, dev_get_drvdata(&dev_dax->dev));
}

static struct dax_device_driver kmem_driver = {
	.probe = kmem_probe,
	.remove = kmem_unbind,
};

static int __init kmem_init(void)
{
	int r = kmem_types_init();

	if (r)
		return r;
	r = kmem_notify_init();
	if (r)
		goto exit_types;
	r = dax_driver_register(&kmem_driver);
	if (r)
		goto exit_notify;
	return 0;

exit_notify:
	kmem_notify_exit();
exit_types:
	kmem_types_exit();
	return r;
}

/* Memory that is added holds a reference to the module, so there is none left. */
static void __exit kmem_exit(void)
{
	dax_driver_unregister(&kmem_driver);
	kmem_notify_exit();
	kmem_types_exit();
	kmem_blocks_exit();
}

module_init(kmem_init);
module_exit(kmem_exit);
MODULE_DESCRIPTION("Device-dax memory as System RAM that can be removed");
MODULE_AUTHOR("The pmem-preserve authors");
#ifdef DAX_KMEM_VERSION
MODULE_VERSION(DAX_KMEM_VERSION);
#endif
MODULE_LICENSE("GPL");
MODULE_ALIAS_DAX_DEVICE(0);
