// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RAW <-> DEVDAX. A raw namespace has no claim. A devdax claim has an info block 4 KiB into the
 * namespace, which the kernel looks for each time the namespace is enabled, and at each boot. Only
 * force_raw prevents that, until the next boot: a namespace is not raw before its info block is
 * gone.
 */
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "region/dax-device.h"
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

static int write_zeros(const char *device, off_t start, size_t bytes)
{
	_cleanup_free_ void *zeros = NULL;
	_cleanup_close_ int fd = -1;
	ssize_t written;

	if (posix_memalign(&zeros, DEVDAX_HEAD_BYTES, bytes))
		return report_error(-ENOMEM, "%s", device);
	memset(zeros, 0, bytes);
	/* O_EXCL fails if the device is mounted or part of a volume. */
	fd = open(device, O_WRONLY | O_DIRECT | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return report_error(-EBUSY, "%s is in use: is it mounted, or part of a volume?",
				    device);
	if (fd < 0)
		return report_error(-errno, "cannot open %s", device);
	written = pwrite(fd, zeros, bytes, start);
	if (written < 0 || fdatasync(fd) < 0)
		return report_error(-errno, "cannot zero %zu bytes of %s", bytes, device);
	if ((size_t)written != bytes)
		return report_error(-EIO, "cannot zero %zu bytes of %s", bytes, device);
	return 0;
}

/*
 * Zeroes what lies before the mapping of a devdax claim. Nothing uses it while the rest is RAM, so what
 * is left of an image there, a copy of its header, would be found again. The copy goes first: after an
 * interruption in between there is the whole header, or none, but not one that seems to be lost.
 */
static int zero_head(const char *device)
{
	int r = write_zeros(device, DEVDAX_HEAD_BYTES, DEVDAX_ALIGN - DEVDAX_HEAD_BYTES);

	return r < 0 ? r : write_zeros(device, 0, DEVDAX_HEAD_BYTES);
}

/* Zeroes a left-over info block, which would restore its claim at the next boot. */
static int drop_info_block(const char *device)
{
	static const char *const signatures[] = { "NVDIMM_PFN_INFO", "NVDIMM_DAX_INFO",
						  "BTT_ARENA_INFO" };
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	char head[16] = "";

	if (fd < 0)
		return report_error(-errno, "cannot open %s", device);
	if (pread(fd, head, sizeof(head), INFO_BLOCK_START) != sizeof(head))
		return report_error(-EIO, "cannot read %s", device);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (memcmp(head, signatures[i], strlen(signatures[i]) + 1) == 0)
			return write_zeros(device, INFO_BLOCK_START, INFO_BLOCK_BYTES);
	return 0;
}

/* Creates the only namespace of a region with labels, of all available space. */
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
		return report_error(-ENODEV, "%s: the kernel offers no namespace to create",
				    region->name);
	size = ndctl_region_get_max_available_extent(handle.region);
	if (size == ULLONG_MAX)
		size = ndctl_region_get_available_size(handle.region);
	if (size == ULLONG_MAX || !size)
		return report_error(-ENOSPC, "%s has no free space", region->name);
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
				    "%s: cannot create a namespace of %s (the size of the region must be a multiple of %s)",
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
	return r < 0 ? report_error(r, "%s: cannot delete its devdax claim", region->name) : 0;
}

static int disable_namespace(struct ndctl_namespace *namespace)
{
	int r = ndctl_namespace_disable_invalidate(namespace);

	/* It may return success without having done it. */
	if (r >= 0 && ndctl_namespace_is_enabled(namespace))
		r = -EBUSY;
	return r < 0 ? report_error(r, "cannot disable %s", ndctl_namespace_get_devname(namespace))
		     : 0;
}

static int enable_and_zero(struct ndctl_namespace *namespace)
{
	char device[64];
	int r = ndctl_namespace_enable(namespace);

	/* 1: it is enabled, but a claim has it. */
	if (r != 0)
		return report_error(r < 0 ? r : -EBUSY, "cannot enable %s as raw",
				    ndctl_namespace_get_devname(namespace));
	snprintf(device, sizeof(device), "/dev/%s", ndctl_namespace_get_block_device(namespace));
	r = fault(FAULT_RAW_FORCED);
	if (r < 0)
		return r;
	r = zero_head(device);
	return r < 0 ? r : fault(FAULT_RAW_ZEROED);
}

/*
 * Enables the namespace with force_raw, so that no info block counts, zeroes its head, disables it.
 */
static int zero_disabled(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open_namespace(region, &handle), disabled;

	if (r < 0)
		return r;
	/* Else a namespace with labels would be claimed in the mode of its label. */
	ndctl_namespace_set_enforce_mode(handle.namespace, NDCTL_NS_MODE_RAW);
	r = ndctl_namespace_set_raw_mode(handle.namespace, 1);
	if (r != 1)
		return report_error(r < 0 ? r : -EIO, "%s: cannot force raw mode",
				    region->namespace);
	r = enable_and_zero(handle.namespace);
	ndctl_namespace_set_raw_mode(handle.namespace, 0);
	disabled = disable_namespace(handle.namespace);
	if (r < 0)
		return r;
	return disabled < 0 ? disabled : fault(FAULT_RAW_DISABLED);
}

static int enable_raw(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open_namespace(region, &handle);

	if (r < 0)
		return r;
	r = ndctl_namespace_enable(handle.namespace);
	if (r != 0)
		return report_error(r < 0 ? r : -EBUSY,
				    "cannot enable %s as raw, see 'ndctl list -N -i -r %s'",
				    ndctl_namespace_get_devname(handle.namespace), region->name);
	return 0;
}

/* The end of a transition, which has returned @r: updates @region, and checks its state. */
static int finish(struct region *region, int r, enum region_state wanted)
{
	int refreshed = region_refresh(region);

	if (r < 0)
		return r;
	if (refreshed < 0)
		return refreshed;
	if (region->state != wanted)
		return report_error(-EIO, "%s should be %s now but is %s", region->name,
				    region_state_name(wanted), region_state_text(region).text);
	return 0;
}

static int unclaim(const struct region *region)
{
	int r = fault(FAULT_RAW_BEGIN);

	if (r < 0)
		return r;
	r = delete_claim(region);
	return r < 0 ? r : fault(FAULT_RAW_UNCLAIMED);
}

static int convert_to_raw(const struct region *region)
{
	int r = region->state == REGION_EMPTY ? create_namespace(region) : unclaim(region);

	if (r < 0)
		return r;
	r = zero_disabled(region);
	if (r < 0)
		return r;
	r = enable_raw(region);
	return r < 0 ? r : fault(FAULT_RAW_ENABLED);
}

int region_to_raw(struct region *region)
{
	switch (region->state) {
	case REGION_RAW:
		return drop_info_block(region->block_device);
	case REGION_EMPTY:
	case REGION_DEVDAX:
		return finish(region, convert_to_raw(region), REGION_RAW);
	default:
		return report_error(-EINVAL, "cannot convert %s to raw: it is %s", region->name,
				    region_state_text(region).text);
	}
}

/* Claims a disabled namespace; deletes the claim again if it cannot be enabled. */
static int create_claim(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	struct ndctl_dax *seed;
	uuid_t uuid;
	int r = region_handle_open_namespace(region, &handle);

	if (r < 0)
		return r;
	seed = ndctl_region_get_dax_seed(handle.region);
	if (!seed)
		return report_error(-EOPNOTSUPP,
				    "%s: the kernel offers no devdax here (CONFIG_NVDIMM_DAX)",
				    region->name);
	/* Only kernels since 4.13 have it, and only with labels; it is not required. */
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
		return report_error(r, "cannot set up devdax on %s, see the kernel log",
				    region->namespace);
	}
	return 0;
}

/* The module of the driver may not be loaded by itself. */
static int bind_device_dax(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open_device(region, &handle);

	if (r < 0)
		return r;
	r = daxctl_dev_enable_devdax(handle.device);
	return r < 0 ? report_error(r, "cannot bind %s to device_dax",
				    daxctl_dev_get_devname(handle.device))
		     : 0;
}

static int disable_raw(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open_namespace(region, &handle);

	if (r < 0)
		return r;
	ndctl_namespace_set_raw_mode(handle.namespace, 0);
	return disable_namespace(handle.namespace);
}

/* With the claim of its info block, if it has one. */
static int enable_namespace(const struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open_namespace(region, &handle);

	if (r < 0)
		return r;
	ndctl_namespace_set_raw_mode(handle.namespace, 0);
	r = ndctl_namespace_enable(handle.namespace);
	return r < 0 ? report_error(r, "cannot enable %s, see the kernel log", region->namespace)
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
	if (r < 0)
		return r;
	r = region_refresh(region);
	if (r < 0)
		return r;
	inform("%s was in the middle of a conversion; it is %s now", region->name,
	       region_state_name(region->state));
	return 0;
}

static int create_zeroed(const struct region *region)
{
	int r = create_namespace(region);

	return r < 0 ? r : zero_disabled(region);
}

static int zero_raw(const struct region *region)
{
	int r = fault(FAULT_DEVDAX_BEGIN);

	if (r < 0)
		return r;
	/* The first step, as it fails if the device is in use. */
	r = zero_head(region->block_device);
	if (r < 0)
		return r;
	r = fault(FAULT_DEVDAX_ZEROED);
	if (r < 0)
		return r;
	r = disable_raw(region);
	return r < 0 ? r : fault(FAULT_DEVDAX_DISABLED);
}

static int convert_to_devdax(const struct region *region)
{
	int r = region->state == REGION_EMPTY ? create_zeroed(region) : zero_raw(region);

	if (r < 0)
		return r;
	r = create_claim(region);
	if (r < 0) {
		enable_raw(region);
		return r;
	}
	r = fault(FAULT_DEVDAX_CLAIMED);
	if (r < 0)
		return r;
	r = bind_device_dax(region);
	return r < 0 ? r : fault(FAULT_DEVDAX_BOUND);
}

int region_to_devdax(struct region *region)
{
	switch (region->state) {
	case REGION_DEVDAX:
		return 0;
	case REGION_EMPTY:
	case REGION_RAW:
		return finish(region, convert_to_devdax(region), REGION_DEVDAX);
	default:
		return report_error(-EINVAL, "cannot convert %s to devdax: it is %s", region->name,
				    region_state_text(region).text);
	}
}
