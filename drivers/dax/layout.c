// SPDX-License-Identifier: GPL-2.0-only
/*
 * Not part of the module: what check-layout compares with the kernel. The CRC of an exported
 * function covers every type that can be reached from its parameters and is complete where the
 * function is exported, so the headers are those that the kernel's own drivers/dax/bus.c includes.
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
/* For type information: only what is used is described. */
struct dax_device_driver layout;
#endif
