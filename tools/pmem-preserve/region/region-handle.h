/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of libndctl and libdaxctl that make up one region, for region*.c only. They become
 * stale when a claim is deleted or a region disabled, so each step of a transition opens them
 * again.
 */
#ifndef PMEM_PRESERVE_REGION_HANDLE_H
#define PMEM_PRESERVE_REGION_HANDLE_H

#include <daxctl/libdaxctl.h>
#include <ndctl/libndctl.h>

#include "region/memory-blocks.h"

struct region;

/*
 * The head of a namespace that a dax claim needs before its mapping: nd_pfn_init() in the kernel's
 * drivers/nvdimm/pfn_devs.c keeps 8 KiB, the second half of which is the info block.
 */
#define INFO_BLOCK_START  4096
#define INFO_BLOCK_BYTES  4096
#define DEVDAX_HEAD_BYTES (INFO_BLOCK_START + INFO_BLOCK_BYTES)
#define DEVDAX_ALIGN	  (2ul << 20) /* huge pages */

struct region_handle {
	struct ndctl_ctx *context; /* owns the members below */
	struct ndctl_region *region;
	struct ndctl_namespace *namespace; /* the first active one, or NULL */
	unsigned int namespaces;	   /* number of active ones */
	struct ndctl_dax *dax;		   /* claim on the namespace, or NULL */
	struct daxctl_dev *device;	   /* of the claim, or NULL */
};

/* A library context whose messages go to detail(). 0 or -errno, not reported. */
int region_context(struct ndctl_ctx **ret_context);
void region_context_unref(struct ndctl_ctx **context);
#define _cleanup_region_context_ __attribute__((cleanup(region_context_unref)))

/* Looks up the members. @region must come from @context, which the caller still owns. */
void region_handle_fill(struct ndctl_ctx *context, struct ndctl_region *region,
			struct region_handle *ret_handle);

/* Opens what @region describes; -ENODEV if it is gone. Errors are reported. */
int region_handle_open(const struct region *region, struct region_handle *ret_handle);
void region_handle_close(struct region_handle *handle);

/* The same for a region that must have a namespace, or a dax device. */
int region_handle_open_namespace(const struct region *region, struct region_handle *ret_handle);
int region_handle_open_device(const struct region *region, struct region_handle *ret_handle);

#define _cleanup_region_handle_ __attribute__((cleanup(region_handle_close)))

/*
 * Physical ranges of the dax device. The caller frees *ret_ranges. 0 or -errno, not reported
 * (-EPERM: only root may read addresses).
 */
int region_handle_ranges(const struct region_handle *handle, struct memory_range **ret_ranges,
			 size_t *ret_count);

/* Describes the region behind the handle: region.c. */
void region_describe(const struct region_handle *handle, struct region *ret_region);

/* Updates @region to its present state. Errors are reported. */
int region_refresh(struct region *region);

/* The state for error messages, with the reason for REGION_OTHER: "other: it is disabled: ...". */
struct region_state_text {
	char text[288];
};
struct region_state_text region_state_text(const struct region *region);

#endif
