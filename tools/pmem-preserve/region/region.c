// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/region.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "region/dax-device.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"
#include "region/region-handle.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/ndctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

void region_path(const struct region *region, char path[REGION_PATH_BYTES])
{
	path[0] = '\0';
	if (region->state == REGION_RAW)
		snprintf(path, REGION_PATH_BYTES, "%s", region->block_device);
	else if (region->state == REGION_DEVDAX)
		snprintf(path, REGION_PATH_BYTES, "/dev/%s", region->dax_device);
}

const char *region_state_name(enum region_state state)
{
	switch (state) {
	case REGION_RAM:
		return "ram";
	case REGION_DEVDAX:
		return "devdax";
	case REGION_RAW:
		return "raw";
	case REGION_EMPTY:
		return "empty";
	case REGION_OTHER:
		break;
	}
	return "other";
}

struct region_state_text region_state_text(const struct region *region)
{
	struct region_state_text text;

	snprintf(text.text, sizeof(text.text), "%s%s%s", region_state_name(region->state),
		 *region->why ? ": " : "", region->why);
	return text;
}

/*
 * What the mapping of a devdax claim on @raw would be. With page descriptors in RAM, the kernel's
 * nd_pfn_init() puts it at the first aligned address after the head.
 */
static struct memory_range devdax_range(struct memory_range raw)
{
	uint64_t end = (raw.start + raw.bytes) & ~(DEVDAX_ALIGN - 1);
	uint64_t start = raw.start + DEVDAX_HEAD_BYTES;

	start = (start + DEVDAX_ALIGN - 1) & ~(DEVDAX_ALIGN - 1);
	return (struct memory_range){ .start = start, .bytes = start < end ? end - start : 0 };
}

static void describe_blocks(const struct memory_range *ranges, size_t count, struct region *region)
{
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};
	int r = memory_blocks_read(ranges, count, &blocks);

	if (r < 0) {
		detail("%s: cannot read its memory blocks: %s", region->name, strerror(-r));
		return;
	}
	region->blocks = (unsigned int)blocks.count;
	region->blocks_online = (unsigned int)memory_blocks_online(&blocks);
	region->blocks_movable = (unsigned int)memory_blocks_movable(&blocks);
}

static void describe_dax_blocks(const struct region_handle *handle, struct region *region)
{
	_cleanup_free_ struct memory_range *ranges = NULL;
	size_t count;
	int r = region_handle_ranges(handle, &ranges, &count);

	if (r < 0)
		detail("%s: cannot read its address: %s", region->dax_device, strerror(-r));
	else
		describe_blocks(ranges, count, region);
}

static void describe_ram(const struct region_handle *handle, struct region *region)
{
	region->state = REGION_RAM;
	region->has_state_attribute = hot_remove_has_state(region->dax_device);
	region->has_deadline_attribute = hot_remove_has_deadline(region->dax_device);
	describe_dax_blocks(handle, region);
	memory_failure_read(region->dax_device, region->block_bytes, &region->last_failure);
}

static void describe_undriven(const struct region_handle *handle, struct region *region)
{
	describe_dax_blocks(handle, region);
	if (region->blocks)
		snprintf(region->why, sizeof(region->why),
			 "%s has no driver, but %u of its blocks could not be removed and are still RAM: 'pmem-preserve hot-remove --region %s' tries again",
			 region->dax_device, region->blocks, region->name);
	else
		snprintf(region->why, sizeof(region->why),
			 "%s has no driver: 'pmem-preserve hot-remove --region %s' binds it to device_dax",
			 region->dax_device, region->name);
}

static void describe_dax(const struct region_handle *handle, struct region *region)
{
	struct driver_name driver;

	if (!handle->device) {
		snprintf(region->why, sizeof(region->why),
			 "%s is claimed by %s, which has no dax device: load the module dax_pmem",
			 region->namespace, ndctl_dax_get_devname(handle->dax));
		return;
	}
	snprintf(region->dax_device, sizeof(region->dax_device), "%s",
		 daxctl_dev_get_devname(handle->device));
	region->devdax_bytes = daxctl_dev_get_size(handle->device);
	region->target_node = daxctl_dev_get_target_node(handle->device);
	driver = dax_driver(region->dax_device);
	if (strcmp(driver.text, "kmem") == 0) {
		describe_ram(handle, region);
	} else if (strcmp(driver.text, "device_dax") == 0) {
		region->state = REGION_DEVDAX;
	} else if (!*driver.text) {
		describe_undriven(handle, region);
	} else {
		snprintf(region->why, sizeof(region->why),
			 "%s is bound to the driver %s: unbind it first", region->dax_device,
			 driver.text);
	}
}

static void describe_namespace(const struct region_handle *handle, struct region *region)
{
	struct ndctl_namespace *namespace = handle->namespace;
	const char *mode = NULL, *block_device;
	uuid_t uuid;

	snprintf(region->namespace, sizeof(region->namespace), "%s",
		 ndctl_namespace_get_devname(namespace));
	ndctl_namespace_get_uuid(namespace, uuid);
	if (!uuid_is_null(uuid))
		uuid_unparse_lower(uuid, region->uuid);
	region->raw_bytes = ndctl_namespace_get_size(namespace);
	if (handle->namespaces > 1) {
		snprintf(region->why, sizeof(region->why),
			 "it is divided into %u namespaces, but pmem-preserve needs a whole region: see 'ndctl list -N -r %s'",
			 handle->namespaces, region->name);
		return;
	}
	if (handle->dax) {
		describe_dax(handle, region);
		return;
	}
	if (ndctl_namespace_get_pfn(namespace))
		mode = "fsdax";
	else if (ndctl_namespace_get_btt(namespace))
		mode = "sector";
	if (mode) {
		snprintf(region->why, sizeof(region->why),
			 "%s is in %s mode and may hold a file system; to destroy it with all its data: ndctl create-namespace -f -e %s -m devdax",
			 region->namespace, mode, region->namespace);
		return;
	}
	/* The block device tells more: the library counts a claimed namespace as enabled. */
	block_device = ndctl_namespace_is_enabled(namespace)
			       ? ndctl_namespace_get_block_device(namespace)
			       : "";
	if (!*block_device) {
		region->is_disabled = true;
		snprintf(region->why, sizeof(region->why),
			 "%s is disabled: 'pmem-preserve hot-remove --region %s' enables it",
			 region->namespace, region->name);
		return;
	}
	snprintf(region->block_device, sizeof(region->block_device), "/dev/%s", block_device);
	region->state = REGION_RAW;
}

/* Memory that could not be removed stays RAM even if the namespace is disabled. */
static void describe_left_behind(const struct memory_range *devdax, struct region *region)
{
	describe_blocks(devdax, 1, region);
	if (region->blocks && *region->namespace)
		snprintf(region->why, sizeof(region->why),
			 "%u of its blocks could not be removed and are still RAM, and its dax device is gone: 'ndctl disable-region %s' and 'ndctl enable-region %s' bring the device back",
			 region->blocks, region->name, region->name);
}

void region_describe(const struct region_handle *handle, struct region *ret_region)
{
	struct ndctl_bus *bus = ndctl_region_get_bus(handle->region);
	struct region region = { .state = REGION_OTHER, .target_node = -1 };
	struct memory_range raw, devdax;
	unsigned long long resource = ndctl_region_get_resource(handle->region);

	snprintf(region.name, sizeof(region.name), "%s", ndctl_region_get_devname(handle->region));
	snprintf(region.provider, sizeof(region.provider), "%s", ndctl_bus_get_provider(bus));
	region.start = resource == ULLONG_MAX ? 0 : resource;
	region.raw_bytes = ndctl_region_get_size(handle->region);
	region.target_node = ndctl_region_get_target_node(handle->region);
	if (memory_block_bytes(&region.block_bytes) < 0)
		region.block_bytes = 0;

	if (handle->namespace) {
		describe_namespace(handle, &region);
		resource = ndctl_namespace_get_resource(handle->namespace);
		if (resource != ULLONG_MAX && resource)
			region.start = resource;
	} else if (!ndctl_region_is_enabled(handle->region)) {
		snprintf(region.why, sizeof(region.why),
			 "it is disabled: 'ndctl enable-region %s' enables it", region.name);
	} else if (ndctl_region_get_nstype(handle->region) == ND_DEVICE_NAMESPACE_PMEM) {
		region.state = REGION_EMPTY;
		snprintf(region.why, sizeof(region.why),
			 "it has no namespace yet: 'pmem-preserve hot-add --region %s' creates one",
			 region.name);
	} else {
		snprintf(region.why, sizeof(region.why),
			 "it has no namespace: see the kernel's log for nd_pmem");
	}

	raw = (struct memory_range){ .start = region.start, .bytes = region.raw_bytes };
	devdax = devdax_range(raw);
	if (region.devdax_bytes)
		/* The mapping ends with the namespace, less what alignment cuts off. */
		devdax.bytes = region.devdax_bytes;
	else
		region.devdax_bytes = devdax.bytes;
	if (region.block_bytes && region.start)
		region.ram_bytes = memory_range_whole_blocks(devdax, region.block_bytes).bytes;
	if (region.ram_bytes && region.state == REGION_OTHER && !*region.dax_device)
		describe_left_behind(&devdax, &region);
	*ret_region = region;
}

static int compare_names(const void *a, const void *b)
{
	const struct region *left = a, *right = b;

	return strverscmp(left->name, right->name);
}

int region_list(struct region **ret_regions, size_t *ret_count)
{
	_cleanup_region_context_ struct ndctl_ctx *context = NULL;
	_cleanup_free_ struct region *regions = NULL;
	struct ndctl_bus *bus;
	size_t count = 0;
	int r = region_context(&context);

	if (r < 0)
		return report_error(r, "cannot use libndctl");
	ndctl_bus_foreach(context, bus) {
		struct ndctl_region *region;

		ndctl_bus_wait_probe(bus);
		ndctl_region_foreach(bus, region) {
			struct region_handle handle;
			struct region *larger;

			if (ndctl_region_get_type(region) != ND_DEVICE_REGION_PMEM)
				continue;
			larger = realloc(regions, (count + 1) * sizeof(*regions));
			if (!larger)
				return report_error(-ENOMEM, "the list of regions");
			regions = larger;
			region_handle_fill(context, region, &handle);
			region_describe(&handle, &regions[count++]);
		}
	}
	if (count)
		qsort(regions, count, sizeof(*regions), compare_names);
	*ret_regions = take_pointer(regions);
	*ret_count = count;
	return 0;
}

bool region_has_name(const struct region *region, const char *name)
{
	const char *device = strncmp(name, "/dev/", 5) == 0 ? name + 5 : name;

	return strcmp(region->name, name) == 0 || strcmp(region->namespace, name) == 0 ||
	       (*region->dax_device && strcmp(region->dax_device, device) == 0) ||
	       (*region->block_device && strcmp(region->block_device + 5, device) == 0) ||
	       (*region->uuid && strcasecmp(region->uuid, name) == 0);
}

const char *const *region_modules(const struct region *region)
{
	static const char *const names[] = { "nd_e820",	 "nfit", "nd_pmem", "device_dax",
					     "dax_pmem", "kmem", NULL };
	static const char *const memmap[] = { "nd_e820",  "nd_pmem", "device_dax",
					      "dax_pmem", "kmem",    NULL };

	if (strcmp(region->provider, "e820") == 0)
		return memmap;
	return names + (strcmp(region->provider, "ACPI.NFIT") == 0 ? 1 : 2);
}

static void list_names(const struct region *regions, size_t count, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		int length =
			snprintf(text + used, size - used, "%s%s", i ? ", " : "", regions[i].name);

		used += (size_t)length;
	}
}

int region_find(const char *name, struct region *ret_region)
{
	_cleanup_free_ struct region *regions = NULL;
	char names[256];
	size_t count;
	int r = region_list(&regions, &count);

	if (r < 0)
		return r;
	if (!count)
		return report_error(-E_NO_REGION,
				    "this machine has no region of persistent memory, which is an NVDIMM, or RAM that memmap=SIZE!START on the kernel command line sets aside: \"pmem-preserve setup\" proposes a range of this machine; a checkpoint in a file, with --image FILE, needs none");
	list_names(regions, count, names, sizeof(names));
	if (!name) {
		if (count > 1)
			return report_error(-E_USAGE,
					    "there are %zu regions; name one with --region: %s",
					    count, names);
		*ret_region = regions[0];
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (region_has_name(&regions[i], name)) {
			*ret_region = regions[i];
			return 0;
		}
	}
	return report_error(-E_NO_REGION, "there is no region '%s'; there are: %s", name, names);
}

bool region_is_kept(const struct region *region)
{
	return region->state == REGION_OTHER && *region->dax_device && region->blocks;
}

int region_refresh(struct region *region)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	region_describe(&handle, region);
	return 0;
}
