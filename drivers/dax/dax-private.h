/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations of the dax bus in kernels 6.1 to 6.12, as far as kmem needs them: distributions do
 * not ship the kernel's own header of this name, nor bus.h. Every member must be as in the kernel.
 * check-layout verifies that before anything is compiled, so for a kernel that differs the build
 * fails, and no module is ever loaded.
 */
#ifndef _DAX_PRIVATE_H
#define _DAX_PRIVATE_H

#include <linux/device.h>
#include <linux/idr.h>
#include <linux/ioport.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/range.h>
#include <linux/stringify.h>
#include <linux/types.h>
#include <linux/version.h>

struct dax_device;
struct dev_pagemap;

/**
 * struct dax_region - a physical range that dax devices are allocated from
 * @id: number of the region, the X of daxX.Y
 * @target_node: NUMA node of the range as RAM, or NUMA_NO_NODE
 * @kref: references of the devices
 * @dev: parent of the region's devices
 * @align: alignment in bytes of the devices' ranges
 * @ida: numbers of the devices, the Y of daxX.Y
 * @res: the range; its children are the ranges of devices
 * @seed: device without memory that user space may resize
 * @youngest: device that was created last
 */
struct dax_region {
	int id;
	int target_node;
	struct kref kref;
	struct device *dev;
	unsigned int align;
	struct ida ida;
	struct resource res;
	struct device *seed;
	struct device *youngest;
};

/**
 * struct dax_mapping - one range of a dax device, as sysfs shows it
 * @dev: device mappingN below the dax device
 * @range_id: index of the range in &dev_dax.ranges
 * @id: N of mappingN
 */
struct dax_mapping {
	struct device dev;
	int range_id;
	int id;
};

/**
 * struct dev_dax_range - a physical range of a dax device
 * @pgoff: offset in the device, in pages
 * @range: its physical addresses
 * @mapping: its device in sysfs
 */
struct dev_dax_range {
	unsigned long pgoff;
	struct range range;
	struct dax_mapping *mapping;
};

/**
 * struct dev_dax - a dax device
 * @region: region of the device
 * @dax_dev: the mappable side of the device; opaque here
 * @align: alignment in bytes of @ranges and of mappings
 * @target_node: NUMA node of the memory as RAM, or NUMA_NO_NODE
 * @dyn_id: whether @id was allocated by the region
 * @id: number of the device in the region
 * @ida: numbers of the mappings
 * @dev: the device itself
 * @pgmap: struct pages of the device, if its driver has them; NULL for kmem
 * @memmap_on_memory: kmem may keep the struct pages in the memory itself (6.8 and later)
 * @nr_range: number of @ranges
 * @ranges: the memory of the device
 */
struct dev_dax {
	struct dax_region *region;
	struct dax_device *dax_dev;
	unsigned int align;
	int target_node;
	bool dyn_id;
	int id;
	struct ida ida;
	struct device dev;
	struct dev_pagemap *pgmap;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	bool memmap_on_memory;
#endif
	int nr_range;
	struct dev_dax_range *ranges;
};

static inline struct dev_dax *to_dev_dax(struct device *dev)
{
	return container_of(dev, struct dev_dax, dev);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
/**
 * enum dax_driver_type - devices that a driver binds by default
 * @DAXDRV_KMEM_TYPE: those meant to be System RAM
 * @DAXDRV_DEVICE_TYPE: all others
 */
enum dax_driver_type {
	DAXDRV_KMEM_TYPE,
	DAXDRV_DEVICE_TYPE,
};
#endif

/**
 * struct dax_device_driver - a driver on the dax bus
 * @drv: the driver
 * @ids: devices added by new_id; owned by the bus
 * @match_always: binds every device (before 6.3); false for kmem
 * @type: kind of the driver (6.3 and later)
 * @probe: binds a device; 0 or -errno
 * @remove: unbinds it; cannot fail, and the driver data is cleared afterwards
 */
struct dax_device_driver {
	struct device_driver drv;
	struct list_head ids;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	enum dax_driver_type type;
#else
	int match_always;
#endif
	int (*probe)(struct dev_dax *dev);
	void (*remove)(struct dev_dax *dev);
};

int __dax_driver_register(struct dax_device_driver *dax_drv, struct module *module,
			  const char *mod_name);
#define dax_driver_register(driver) __dax_driver_register(driver, THIS_MODULE, KBUILD_MODNAME)
void dax_driver_unregister(struct dax_device_driver *dax_drv);
bool static_dev_dax(struct dev_dax *dev_dax);

/* Devices of any type have the modalias "dax:t0". */
#define MODULE_ALIAS_DAX_DEVICE(type) MODULE_ALIAS("dax:t" __stringify(type) "*")

#endif /* _DAX_PRIVATE_H */
