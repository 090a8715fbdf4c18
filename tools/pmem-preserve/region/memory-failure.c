// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/memory-failure.h"

#include "base/sysfs.h"
#include "region/dax-device.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRNO_MAX 4095

struct failure_class {
	const char *name, *reason, *advice;
};

static const struct failure_class classes[] = {
	{ "kernel-zone", "it holds kernel memory, as it is not in ZONE_MOVABLE",
	  "only a reboot empties it; let 'pmem-preserve hot-add' bring it online then" },
	{ "pinned", "a page in it is pinned by a device, a virtual machine or a pipe",
	  "stop what pins it, or use a longer --deadline if that ends by itself" },
	{ "hugetlb", "there is no other place for a huge page in it",
	  "stop what uses huge pages, or raise vm.nr_hugepages so that one is free elsewhere" },
	{ "reserved", "a page in it belongs to the kernel or to a driver and cannot be moved",
	  "only a reboot, or unloading that driver, frees it" },
	{ "poisoned", "a page in it has a memory error and is still in use",
	  "see 'dmesg' for \"Memory failure\" and stop the program that uses it; the memory module may have to be replaced" },
	{ "no-memory", "there is no free memory elsewhere to move its pages to",
	  "stop what needs much memory, or add swap" },
	{ "notifier", "a memory notifier of the kernel refused",
	  "see 'dmesg' for which one; unloading its module helps" },
	{ "slow", "its pages can be moved, but there were too many for the time",
	  "use a longer --deadline, or free some memory first" },
	{ "lock-held", "something else kept memory hot-plug to itself all the time",
	  "wait until it has ended: it changes another device, or writes to /sys/devices/system/memory" },
	{ "interrupted", "interrupted", "" },
};

/* NULL for "unknown" and other names. */
static const struct failure_class *find_class(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(name, classes[i].name) == 0)
			return &classes[i];
	return NULL;
}

static const char *const rollback_names[] = {
	[ROLLBACK_NONE] = "none",
	[ROLLBACK_COMPLETE] = "complete",
	[ROLLBACK_INCOMPLETE] = "incomplete",
};
#define ROLLBACKS (sizeof(rollback_names) / sizeof(rollback_names[0]))

static bool parse_number(const char *text, int base, uint64_t *ret_number)
{
	unsigned long long number;
	char *end;

	/* strtoull() accepts white space and signs. */
	if (!strchr("0123456789", *text) || !*text)
		return false;
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno || *end)
		return false;
	*ret_number = number;
	return true;
}

static enum memory_rollback parse_rollback(const char *value)
{
	/* "incomplete: 2 of 5 blocks are not online" */
	size_t length = strcspn(value, ":");

	for (size_t i = ROLLBACK_NONE; i < ROLLBACKS; i++)
		if (strlen(rollback_names[i]) == length &&
		    strncmp(rollback_names[i], value, length) == 0)
			return (enum memory_rollback)i;
	return ROLLBACK_UNKNOWN;
}

static void parse_line(const char *key, const char *value, struct memory_failure *failure)
{
	uint64_t number;

	if (strcmp(key, "operation") == 0) {
		if (strcmp(value, "unplug") == 0 || strcmp(value, "online") == 0)
			strcpy(failure->operation, value);
	} else if (strcmp(key, "errno") == 0) {
		if (*value == '-' && parse_number(value + 1, 10, &number) && number <= ERRNO_MAX)
			failure->error = -(int)number;
	} else if (strcmp(key, "block") == 0) {
		failure->has_block = strncmp(value, "memory", 6) == 0 &&
				     parse_number(value + 6, 10, &failure->block);
	} else if (strcmp(key, "pfn") == 0) {
		failure->has_pfn =
			strncmp(value, "0x", 2) == 0 && parse_number(value, 16, &failure->pfn);
	} else if (strcmp(key, "class") == 0) {
		if (find_class(value))
			strcpy(failure->class, value);
	} else if (strcmp(key, "rollback") == 0) {
		failure->rollback = parse_rollback(value);
	}
}

int memory_failure_parse(char *text, uint64_t block_bytes, struct memory_failure *ret_failure)
{
	struct memory_failure failure = { .class = "unknown", .block_bytes = block_bytes };
	char *line, *next;

	for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value = '\0';
		parse_line(line, value + 1, &failure);
	}
	if (!*failure.operation || !failure.error)
		return -ENODATA;
	failure.has_pfn &= failure.has_block;
	*ret_failure = failure;
	return 0;
}

int memory_failure_read(const char *device, uint64_t block_bytes,
			struct memory_failure *ret_failure)
{
	char text[4096];
	int r = sysfs_read(-1, dax_path(device, "last_failure").text, text, sizeof(text));

	return r < 0 ? r : memory_failure_parse(text, block_bytes, ret_failure);
}

struct memory_failure memory_failure_guess(int error, const struct memory_block *block,
					   uint64_t block_bytes)
{
	struct memory_failure failure = {
		.operation = "unplug",
		.error = error,
		.has_block = block,
		.block_bytes = block_bytes,
		.class = "unknown",
	};
	bool busy = error == -EBUSY || error == -EAGAIN;

	if (block)
		failure.block = block->number;
	if (error == -EINTR || error == -ECANCELED)
		strcpy(failure.class, "interrupted");
	else if (error == -ENOMEM)
		strcpy(failure.class, "no-memory");
	else if (busy && block && *block->zone && strcmp(block->zone, ZONE_MOVABLE) != 0)
		strcpy(failure.class, "kernel-zone");
	return failure;
}

struct failure_text memory_failure_block(const struct memory_failure *failure)
{
	struct failure_text text = { .text = "its memory" };

	if (failure->has_block)
		snprintf(text.text, sizeof(text.text), "%s",
			 block_text(failure->block, failure->block_bytes).text);
	return text;
}

static const char *reason_of_error(int error)
{
	switch (-error) {
	case EBUSY:
	case EAGAIN:
		return "pages in it cannot be moved (pinned by a device or a virtual machine)";
	case ETIMEDOUT:
		return "its pages did not move (they are pinned, or too little memory is free elsewhere)";
	default:
		return strerror(-error);
	}
}

struct failure_text memory_failure_reason(const struct memory_failure *failure)
{
	const struct failure_class *class = find_class(failure->class);
	struct failure_text text;

	if (!class)
		snprintf(text.text, sizeof(text.text), "%s", reason_of_error(failure->error));
	else if (strcmp(class->name, "notifier") == 0)
		snprintf(text.text, sizeof(text.text), "%s (%s)", class->reason,
			 strerror(-failure->error));
	else if (failure->has_pfn)
		snprintf(text.text, sizeof(text.text), "%s (page frame 0x%" PRIx64 ")",
			 class->reason, failure->pfn);
	else
		snprintf(text.text, sizeof(text.text), "%s", class->reason);
	return text;
}

const char *memory_failure_advice(const struct memory_failure *failure)
{
	const struct failure_class *class = find_class(failure->class);

	return class ? class->advice
		     : "stop what pins memory, free some, or use a longer --deadline";
}

const char *memory_rollback_name(enum memory_rollback rollback)
{
	return rollback_names[rollback];
}
