/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of libndctl and libdaxctl that make up one region, for region*.c alone. They go stale
 * when a claim is deleted or a region disabled, so every step of a transition opens them anew.
 */
#ifndef PMEM_PRESERVE_REGION_HANDLE_H
#define PMEM_PRESERVE_REGION_HANDLE_H

#include <daxctl/libdaxctl.h>
#include <ndctl/libndctl.h>

#include "region/memory-blocks.h"

struct region;

struct region_handle {
	struct ndctl_ctx *context; /* owns all that follows */
	struct ndctl_region *region;
	struct ndctl_namespace *namespace; /* the first active one, or NULL */
	unsigned int namespaces;	   /* active ones */
	struct ndctl_dax *dax;		   /* claims the namespace, or NULL */
	struct daxctl_dev *device;	   /* of that claim, or NULL */
};

/* A library context whose messages go to detail(). 0 or -errno, not reported. */
int region_context(struct ndctl_ctx **ret_context);
void region_context_unref(struct ndctl_ctx **context);
#define _cleanup_region_context_ __attribute__((cleanup(region_context_unref)))

/* Looks the members up; @region must come from @context, which stays the caller's. */
void region_handle_fill(struct ndctl_ctx *context, struct ndctl_region *region,
			struct region_handle *ret_handle);

/* Opens what @region describes; -ENODEV when it has gone. Reported. */
int region_handle_open(const struct region *region, struct region_handle *ret_handle);
void region_handle_close(struct region_handle *handle);
#define _cleanup_region_handle_ __attribute__((cleanup(region_handle_close)))

/*
 * Physical ranges of the dax device. The caller frees *ret_ranges. 0 or -errno, not reported
 * (-EPERM: addresses are for root).
 */
int region_handle_ranges(const struct region_handle *handle, struct memory_range **ret_ranges,
			 size_t *ret_count);

/* The driver of a dax device: "kmem", "device_dax", or "" without one. */
struct driver_name {
	char text[32];
};
struct driver_name dax_driver(const char *device);

/* Describes the region behind the handle: region.c. */
void region_describe(const struct region_handle *handle, struct region *ret_region);

/* Describes @region as it is now. Reported. */
int region_refresh(struct region *region);

#endif
