// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/region-handle.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "region/region.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

__attribute__((format(printf, 2, 0))) static void log_line(const char *library, const char *format,
							   va_list args)
{
	char text[512];
	size_t length;

	vsnprintf(text, sizeof(text), format, args);
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	detail("%s: %s", library, text);
}

__attribute__((format(printf, 6, 0))) static void log_ndctl(struct ndctl_ctx *context, int priority,
							    const char *file, int line,
							    const char *function,
							    const char *format, va_list args)
{
	(void)context, (void)priority, (void)file, (void)line, (void)function;
	log_line("libndctl", format, args);
}

__attribute__((format(printf, 6, 0))) static void log_daxctl(struct daxctl_ctx *context,
							     int priority, const char *file,
							     int line, const char *function,
							     const char *format, va_list args)
{
	(void)context, (void)priority, (void)file, (void)line, (void)function;
	log_line("libdaxctl", format, args);
}

int region_context(struct ndctl_ctx **ret_context)
{
	struct ndctl_ctx *context;
	struct daxctl_ctx *dax;
	int r = ndctl_new(&context);

	if (r < 0)
		return r;
	ndctl_set_log_fn(context, log_ndctl);
	ndctl_set_log_priority(context, LOG_ERR);
	dax = ndctl_get_daxctl_ctx(context);
	if (dax) {
		daxctl_set_log_fn(dax, log_daxctl);
		daxctl_set_log_priority(dax, LOG_ERR);
	}
	*ret_context = context;
	return 0;
}

void region_context_unref(struct ndctl_ctx **context)
{
	if (*context)
		ndctl_unref(*context);
	*context = NULL;
}

void region_handle_close(struct region_handle *handle)
{
	region_context_unref(&handle->context);
	*handle = (struct region_handle){};
}

void region_handle_fill(struct ndctl_ctx *context, struct ndctl_region *region,
			struct region_handle *ret_handle)
{
	struct region_handle handle = { .context = context, .region = region };
	struct ndctl_namespace *namespace;

	ndctl_namespace_foreach(region, namespace) {
		/* Labelled regions have an extra one of size 0: the seed of the next namespace. */
		unsigned long long size = ndctl_namespace_get_size(namespace);

		if (size == 0 || size == ULLONG_MAX)
			continue;
		if (handle.namespaces++ == 0)
			handle.namespace = namespace;
	}
	if (handle.namespace)
		handle.dax = ndctl_namespace_get_dax(handle.namespace);
	if (handle.dax) {
		struct daxctl_region *dax_region = ndctl_dax_get_daxctl_region(handle.dax);

		if (dax_region)
			handle.device = daxctl_dev_get_first(dax_region);
	}
	*ret_handle = handle;
}

int region_handle_open(const struct region *region, struct region_handle *ret_handle)
{
	_cleanup_region_context_ struct ndctl_ctx *context = NULL;
	struct ndctl_bus *bus;
	int r = region_context(&context);

	if (r < 0)
		return report_error(r, "cannot use libndctl");
	ndctl_bus_foreach(context, bus) {
		struct ndctl_region *candidate;

		if (strcmp(ndctl_bus_get_provider(bus), region->provider) != 0)
			continue;
		ndctl_bus_wait_probe(bus);
		ndctl_region_foreach(bus, candidate) {
			if (strcmp(ndctl_region_get_devname(candidate), region->name) != 0)
				continue;
			region_handle_fill(context, candidate, ret_handle);
			context = NULL;
			return 0;
		}
	}
	return report_error(-ENODEV, "%s on bus %s is gone", region->name, region->provider);
}

int region_handle_open_namespace(const struct region *region, struct region_handle *ret_handle)
{
	struct region_handle handle;
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	if (!handle.namespace) {
		region_handle_close(&handle);
		return report_error(-ENODEV, "%s no longer has a namespace", region->name);
	}
	*ret_handle = handle;
	return 0;
}

int region_handle_open_device(const struct region *region, struct region_handle *ret_handle)
{
	struct region_handle handle;
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	if (!handle.device) {
		region_handle_close(&handle);
		return report_error(-ENODEV, "%s has no dax device; load the module dax_pmem",
				    region->name);
	}
	*ret_handle = handle;
	return 0;
}

int region_handle_ranges(const struct region_handle *handle, struct memory_range **ret_ranges,
			 size_t *ret_count)
{
	struct memory_range *ranges;
	struct daxctl_mapping *mapping;
	size_t count = 0;

	if (!handle->device)
		return -ENODEV;
	daxctl_mapping_foreach(handle->device, mapping)
		count++;
	ranges = calloc(count ? count : 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	if (count) {
		count = 0;
		daxctl_mapping_foreach(handle->device, mapping)
			ranges[count++] = (struct memory_range){
				.start = daxctl_mapping_get_start(mapping),
				.bytes = daxctl_mapping_get_size(mapping),
			};
	} else {
		*ranges = (struct memory_range){
			.start = daxctl_dev_get_resource(handle->device),
			.bytes = daxctl_dev_get_size(handle->device),
		};
		count = 1;
	}
	for (size_t i = 0; i < count; i++) {
		/* What the library returns if the address cannot be read or is hidden. */
		if (!ranges[i].start || ranges[i].start == ULLONG_MAX) {
			free(ranges);
			return -EPERM;
		}
	}
	*ret_ranges = ranges;
	*ret_count = count;
	return 0;
}
