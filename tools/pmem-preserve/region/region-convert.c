// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RAW <-> DEVDAX. Raw is a namespace that nothing claims; devdax is a dax claim, whose info block
 * lies 4 KiB into the namespace and is looked for whenever the namespace is enabled, at each boot.
 * Only force_raw keeps the kernel from looking, and that lasts until the next boot: an info block
 * must be gone before a namespace can be called raw.
 */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "region/region-handle.h"
#include "region/region.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ndctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#define HEAD_BYTES	 8192
#define INFO_BLOCK_START 4096
#define INFO_BLOCK_BYTES 4096
#define DEVDAX_ALIGN	 (2ul << 20)

static int write_zeros(const char *device, off_t start, size_t bytes)
{
	_cleanup_free_ void *zeros = NULL;
	_cleanup_close_ int fd = -1;
	ssize_t written;

	if (posix_memalign(&zeros, HEAD_BYTES, bytes))
		return report_error(-ENOMEM, "%s", device);
	memset(zeros, 0, bytes);
	/* O_EXCL fails while the device is mounted or part of something else. */
	fd = open(device, O_WRONLY | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return report_error(-EBUSY, "%s is in use: is it mounted, or part of a volume?",
				    device);
	if (fd < 0)
		return report_error(-errno, "%s cannot be opened", device);
	written = pwrite(fd, zeros, bytes, start);
	if (written < 0 || fdatasync(fd) < 0)
		return report_error(-errno, "%s: %zu bytes cannot be zeroed", device, bytes);
	if ((size_t)written != bytes)
		return report_error(-EIO, "%s: %zu bytes cannot be zeroed", device, bytes);
	return 0;
}

/* Zeroes a left-over info block, which would bring its claim back at the next boot. */
static int drop_info_block(const char *device)
{
	static const char *const signatures[] = { "NVDIMM_PFN_INFO", "NVDIMM_DAX_INFO",
						  "BTT_ARENA_INFO" };
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	char head[16] = "";

	if (fd < 0)
		return report_error(-errno, "%s cannot be opened", device);
	if (pread(fd, head, sizeof(head), INFO_BLOCK_START) != sizeof(head))
		return report_error(-EIO, "%s cannot be read", device);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (memcmp(head, signatures[i], strlen(signatures[i]) + 1) == 0)
			return write_zeros(device, INFO_BLOCK_START, INFO_BLOCK_BYTES);
	return 0;
}

/* Creates the one namespace of a region with labels: all that is available. */
static int create_namespace(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	struct ndctl_namespace *seed;
	unsigned long long size;
	unsigned long align;
	uuid_t uuid;
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	seed = ndctl_region_get_namespace_seed(handle.region);
	if (!seed || ndctl_namespace_get_type(seed) != ND_DEVICE_NAMESPACE_PMEM)
		return report_error(-ENODEV, "%s has no namespace that could be created",
				    region->name);
	size = ndctl_region_get_max_available_extent(handle.region);
	if (size == ULLONG_MAX)
		size = ndctl_region_get_available_size(handle.region);
	if (size == ULLONG_MAX || !size)
		return report_error(-ENOSPC, "%s has no space that is not taken", region->name);
	align = ndctl_region_get_align(handle.region);
	if (!align || align == ULONG_MAX)
		align = DEVDAX_ALIGN;
	size -= size % align;
	uuid_generate_random(uuid);
	r = ndctl_namespace_set_uuid(seed, uuid);
	if (r == 0)
		r = ndctl_namespace_set_alt_name(seed, "pmem-preserve");
	if (r == 0)
		r = ndctl_namespace_set_size(seed, size);
	if (r < 0) {
		ndctl_namespace_delete(seed);
		return report_error(r,
				    "%s: a namespace of %s cannot be created (the region must be a multiple of %s)",
				    region->name, size_exact(size).text, size_text(align).text);
	}
	return 0;
}

static int delete_claim(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	if (!handle.dax)
		return 0;
	r = ndctl_dax_delete(handle.dax);
	return r < 0 ? report_error(r, "%s: its devdax claim cannot be deleted", region->name) : 0;
}

static int disable_namespace(struct ndctl_namespace *namespace)
{
	int r = ndctl_namespace_disable_invalidate(namespace);

	/* It may say that it did and not have done it. */
	if (r >= 0 && ndctl_namespace_is_enabled(namespace))
		r = -EBUSY;
	return r < 0 ? report_error(r, "%s cannot be disabled",
				    ndctl_namespace_get_devname(namespace))
		     : 0;
}

static int open_namespace(const struct region *region, struct region_handle *ret_handle)
{
	int r = region_handle_open(region, ret_handle);

	if (r < 0)
		return r;
	if (!ret_handle->namespace)
		return report_error(-ENODEV, "%s has no namespace any more", region->name);
	return 0;
}

/*
 * Brings a disabled namespace up with force_raw, so that no info block is looked for, zeroes the
 * head, and takes it down again.
 */
static int zero_disabled(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = open_namespace(region, &handle), undone;
	char device[64];

	if (r < 0)
		return r;
	/* Keeps a labelled namespace from being claimed as the mode in its label says. */
	ndctl_namespace_set_enforce_mode(handle.namespace, NDCTL_NS_MODE_RAW);
	r = ndctl_namespace_set_raw_mode(handle.namespace, 1);
	if (r != 1)
		return report_error(r < 0 ? r : -EIO, "%s: raw mode cannot be forced",
				    region->namespace);
	r = ndctl_namespace_enable(handle.namespace);
	if (r == 0) {
		snprintf(device, sizeof(device), "/dev/%s",
			 ndctl_namespace_get_block_device(handle.namespace));
		r = fault(FAULT_RAW_FORCED);
		if (r == 0)
			r = write_zeros(device, 0, HEAD_BYTES);
		if (r == 0)
			r = fault(FAULT_RAW_ZEROED);
	} else {
		/* 1: it is up, but something claimed it. */
		r = report_error(r < 0 ? r : -EBUSY, "%s cannot be enabled as raw",
				 ndctl_namespace_get_devname(handle.namespace));
	}
	ndctl_namespace_set_raw_mode(handle.namespace, 0);
	undone = disable_namespace(handle.namespace);
	if (r == 0)
		r = undone;
	return r < 0 ? r : fault(FAULT_RAW_DISABLED);
}

static int enable_raw(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = open_namespace(region, &handle);

	if (r < 0)
		return r;
	r = ndctl_namespace_enable(handle.namespace);
	if (r != 0)
		return report_error(r < 0 ? r : -EBUSY,
				    "%s does not come up raw, see 'ndctl list -N -i -r %s'",
				    ndctl_namespace_get_devname(handle.namespace), region->name);
	return 0;
}

/* Ends a transition: describes what is there, which must be what was asked for. */
static int expect_state(struct region *region, enum region_state state)
{
	int r = region_refresh(region);

	if (r < 0)
		return r;
	if (region->state != state)
		return report_error(-EIO, "%s should be %s by now but is %s%s%s", region->name,
				    region_state_name(state), region_state_name(region->state),
				    *region->why ? ": " : "", region->why);
	return 0;
}

int region_to_raw(struct region *region)
{
	int r;

	switch (region->state) {
	case REGION_RAW:
		return drop_info_block(region->block_device);
	case REGION_EMPTY:
		r = create_namespace(region);
		break;
	case REGION_DEVDAX:
		r = fault(FAULT_RAW_BEGIN);
		if (r == 0)
			r = delete_claim(region);
		if (r == 0)
			r = fault(FAULT_RAW_UNCLAIMED);
		break;
	default:
		return report_error(-EINVAL, "%s cannot be turned from %s into raw%s%s",
				    region->name, region_state_name(region->state),
				    *region->why ? ": " : "", region->why);
	}
	if (r == 0)
		r = zero_disabled(region);
	if (r == 0)
		r = enable_raw(region);
	if (r == 0)
		r = fault(FAULT_RAW_ENABLED);
	if (r < 0) {
		region_refresh(region);
		return r;
	}
	return expect_state(region, REGION_RAW);
}

/* Makes the claim on a disabled namespace. Takes it back when it does not come up. */
static int create_claim(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	struct ndctl_dax *seed;
	uuid_t uuid;
	int r = open_namespace(region, &handle);

	if (r < 0)
		return r;
	seed = ndctl_region_get_dax_seed(handle.region);
	if (!seed)
		return report_error(-EOPNOTSUPP,
				    "%s: the kernel offers no devdax here (CONFIG_NVDIMM_DAX)",
				    region->name);
	/* Since kernel 4.13, and only with labels: a hint, not a condition. */
	ndctl_namespace_set_enforce_mode(handle.namespace, NDCTL_NS_MODE_DAX);
	uuid_generate_random(uuid);
	r = ndctl_dax_set_uuid(seed, uuid);
	if (r == 0)
		r = ndctl_dax_set_location(seed, NDCTL_PFN_LOC_RAM);
	if (r == 0 && ndctl_dax_has_align(seed))
		r = ndctl_dax_set_align(seed, DEVDAX_ALIGN);
	if (r == 0)
		r = ndctl_dax_set_namespace(seed, handle.namespace);
	if (r == 0)
		r = ndctl_dax_enable(seed);
	if (r < 0) {
		ndctl_dax_delete(seed);
		ndctl_namespace_set_enforce_mode(handle.namespace, NDCTL_NS_MODE_RAW);
		return report_error(r, "%s: devdax cannot be set up on it, see the kernel's log",
				    region->namespace);
	}
	return 0;
}

/* The claim makes the dax device, but its driver may be a module that nobody has loaded. */
static int bind_device_dax(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	if (!handle.device)
		return report_error(-ENODEV, "%s: no dax device appeared: load the module dax_pmem",
				    region->name);
	r = daxctl_dev_enable_devdax(handle.device);
	return r < 0 ? report_error(r, "%s: the driver device_dax does not take it",
				    daxctl_dev_get_devname(handle.device))
		     : 0;
}

static int disable_raw(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = open_namespace(region, &handle);

	if (r < 0)
		return r;
	ndctl_namespace_set_raw_mode(handle.namespace, 0);
	return disable_namespace(handle.namespace);
}

/* With whatever claim its info block makes. */
static int enable_namespace(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = open_namespace(region, &handle);

	if (r < 0)
		return r;
	ndctl_namespace_set_raw_mode(handle.namespace, 0);
	r = ndctl_namespace_enable(handle.namespace);
	return r < 0 ? report_error(r, "%s cannot be enabled, see the kernel's log",
				    region->namespace)
		     : 0;
}

int region_settle(struct region *region)
{
	int r;

	if (region->state != REGION_OTHER || region->blocks)
		return 0;
	if (*region->dax_device && !*dax_driver(region->dax_device).text)
		r = bind_device_dax(region);
	else if (region->is_disabled)
		r = enable_namespace(region);
	else
		return 0;
	if (r == 0)
		r = region_refresh(region);
	if (r == 0)
		inform("%s was left half way; it is %s now", region->name,
		       region_state_name(region->state));
	return r;
}

int region_to_devdax(struct region *region)
{
	int r;

	switch (region->state) {
	case REGION_DEVDAX:
		return 0;
	case REGION_EMPTY:
		r = create_namespace(region);
		if (r == 0)
			r = zero_disabled(region);
		break;
	case REGION_RAW:
		/* First of all, since this is what fails when somebody uses it. */
		r = fault(FAULT_DEVDAX_BEGIN);
		if (r == 0)
			r = write_zeros(region->block_device, 0, HEAD_BYTES);
		if (r == 0)
			r = fault(FAULT_DEVDAX_ZEROED);
		if (r == 0)
			r = disable_raw(region);
		if (r == 0)
			r = fault(FAULT_DEVDAX_DISABLED);
		break;
	default:
		return report_error(-EINVAL, "%s cannot be turned from %s into devdax%s%s",
				    region->name, region_state_name(region->state),
				    *region->why ? ": " : "", region->why);
	}
	if (r == 0) {
		r = create_claim(region);
		if (r < 0)
			enable_raw(region);
	}
	if (r == 0)
		r = fault(FAULT_DEVDAX_CLAIMED);
	if (r == 0)
		r = bind_device_dax(region);
	if (r == 0)
		r = fault(FAULT_DEVDAX_BOUND);
	if (r < 0) {
		region_refresh(region);
		return r;
	}
	return expect_state(region, REGION_DEVDAX);
}
