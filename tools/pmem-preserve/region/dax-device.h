/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attributes of a dax device ("dax0.0") in sysfs. */
#ifndef PMEM_PRESERVE_DAX_DEVICE_H
#define PMEM_PRESERVE_DAX_DEVICE_H

/* The path of one of them, for sysfs_read() and others. */
struct dax_path {
	char text[128];
};
struct dax_path dax_path(const char *device, const char *attribute);

/* Its driver: "kmem", "device_dax", or "" if it has none. */
struct driver_name {
	char text[32];
};
struct driver_name dax_driver(const char *device);

#endif
