// SPDX-License-Identifier: GPL-2.0-only
/*
 * Not part of the module: check-layout compares this object with the kernel. The CRC of an exported
 * function covers all types that its parameters reach and that are complete in the file that
 * exports it. So the headers are those that the kernel's drivers/dax/bus.c includes.
 */
#include <linux/memremap.h>
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/dax.h>
#include <linux/io.h>
#include <linux/cdev.h>
#include <linux/idr.h>
#include "dax-private.h"

EXPORT_SYMBOL_GPL(__dax_driver_register);
EXPORT_SYMBOL_GPL(static_dev_dax);

#ifndef __GENKSYMS__
/* The compiler describes only types that are used. */
struct dax_device_driver layout;
#endif
