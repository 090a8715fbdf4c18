// SPDX-License-Identifier: GPL-2.0-or-later
/* With one write to the attribute "state" of the dax device, which removes all memory or none. */
#include "base/child.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "region/block-order.h"
#include "region/dax-device.h"
#include "region/hotremove-attempt.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The driver's timeout ends before our deadline, as only the driver knows the reason. */
#define DRIVER_SLACK_MS 2000
/* The driver rolls back before the write returns, even if the writer was killed. */
#define DRIVER_GRACE_MS	       60000
#define DRIVER_DEADLINE_MIN_MS 1ull
#define DRIVER_DEADLINE_MAX_MS 3600000ull

bool hot_remove_has_state(const char *device)
{
	return sysfs_exists(-1, dax_path(device, "state").text);
}

bool hot_remove_has_deadline(const char *device)
{
	return sysfs_exists(-1, dax_path(device, "unplug_timeout_ms").text);
}

int hot_remove_read_state(const char *device, char *buffer, size_t size)
{
	return sysfs_read(-1, dax_path(device, "state").text, buffer, size);
}

/* Reads all blocks; those that are gone count as offline. */
static unsigned int count_offline(const struct attempt *attempt)
{
	unsigned int offline = 0;

	for (size_t i = 0; i < attempt->blocks->count; i++) {
		struct memory_block now = { .number = attempt->blocks->block[i].number };

		offline += memory_block_refresh(&now) < 0 || !now.online;
	}
	return offline;
}

/* From the driver's "progress", if it has that: "N M", N of M blocks are not online. */
static unsigned int read_progress(const struct attempt *attempt)
{
	char text[64];
	unsigned int offline, blocks;

	if (sysfs_read(-1, dax_path(attempt->device, "progress").text, text, sizeof(text)) < 0 ||
	    sscanf(text, "%u %u", &offline, &blocks) != 2 || offline > blocks ||
	    blocks != attempt->blocks->count)
		return count_offline(attempt);
	return offline;
}

static int tick_state(void *data)
{
	struct attempt *attempt = data;

	attempt_show_progress(attempt, read_progress(attempt));
	if (!attempt_interrupted(attempt))
		return attempt->reported ? fault(FAULT_REMOVE_BLOCKS) : 0;
	inform("%s: interrupted; bringing its blocks online again", attempt->device);
	return -EINTR;
}

static int write_timeout(const struct attempt *attempt, const char *value)
{
	const struct dax_path path = dax_path(attempt->device, "unplug_timeout_ms");
	int r = sysfs_write(-1, path.text, value);

	if (r < 0)
		detail("cannot set %s to %s: %s", path.text, value, strerror(-r));
	return r;
}

/* Sets the driver's timeout to the time that is left. @ret_before: its old value, or "". */
static void set_timeout(const struct attempt *attempt, char *ret_before, size_t size)
{
	uint64_t now = now_ns(), left_ms = DRIVER_DEADLINE_MIN_MS;
	char value[32];

	if (sysfs_read(-1, dax_path(attempt->device, "unplug_timeout_ms").text, ret_before, size) <
	    0)
		*ret_before = '\0';
	if (now + NS_PER_MS < attempt->deadline_ns)
		left_ms = (attempt->deadline_ns - now) / NS_PER_MS;
	if (left_ms > DRIVER_DEADLINE_MAX_MS)
		left_ms = DRIVER_DEADLINE_MAX_MS;
	snprintf(value, sizeof(value), "%" PRIu64, left_ms);
	write_timeout(attempt, value);
}

/* Removes all memory with the attribute, within the time that is left. */
static int unplug(struct attempt *attempt, const struct child_limit *wait)
{
	char state[64];
	int r = sysfs_write_within(-1, dax_path(attempt->device, "state").text, "unplugged", wait);

	/* The value of the attribute counts, not the result of the write. */
	if (hot_remove_read_state(attempt->device, state, sizeof(state)) == 0 &&
	    strcmp(state, "unplugged") == 0)
		return 0;
	return r < 0 ? r : -EIO;
}

/* Whether so much must be migrated that the order of blocks matters more than the extra writes. */
static bool order_matters(const struct attempt *attempt)
{
	uint64_t used = 0;

	for (size_t i = 0; i < attempt->blocks->count; i++)
		used += attempt->order[i].used_bytes;
	return used >= attempt->blocks->block_bytes / 2;
}

/*
 * The kernel's own driver takes blocks offline in the order of their addresses, and so migrates the
 * same pages repeatedly. If there is much to migrate, blocks are taken offline in a better order
 * first; the driver then only removes them.
 */
static int remove_in_order(struct attempt *attempt, const struct memory_block **ret_block)
{
	const struct child_limit wait = { .deadline_ns = attempt->deadline_ns,
					  .tick = tick_state,
					  .data = attempt };
	int r = order_matters(attempt) ? attempt_offline_all(attempt, ret_block) : 0;

	return r < 0 ? r : unplug(attempt, &wait);
}

/* Our driver uses the best order, has a timeout, and rolls back by itself. */
static int remove_by_driver(struct attempt *attempt)
{
	const struct child_limit wait = {
		.deadline_ns = attempt->deadline_ns + DRIVER_SLACK_MS * NS_PER_MS,
		.grace_ms = DRIVER_GRACE_MS,
		.tick = tick_state,
		.data = attempt,
	};
	char before[32];
	int r;

	set_timeout(attempt, before, sizeof(before));
	r = unplug(attempt, &wait);
	/* It also applies to unbinding, for which somebody else may have set it. */
	if (r < 0 && *before)
		write_timeout(attempt, before);
	return r;
}

/* The driver's report, unless that is not about @error of this attempt. */
static struct memory_failure find_failure(const struct attempt *attempt,
					  const struct memory_block *block, int error)
{
	const struct memory_blocks *blocks = attempt->blocks;
	struct memory_failure report;
	struct memory_failure guess = memory_failure_guess(error, block, blocks->block_bytes);
	bool was_killed = error == -EINTR || error == -ETIMEDOUT;

	if (memory_failure_read(attempt->device, blocks->block_bytes, &report) < 0 ||
	    strcmp(report.operation, "unplug") != 0 ||
	    (report.has_block && !memory_blocks_have(blocks, report.block)))
		return guess;
	if (report.error == error)
		return report;
	/* The driver does not know why its writer was killed. */
	if (!was_killed || strcmp(report.class, "interrupted") != 0)
		return guess;
	report.error = guess.error;
	strcpy(report.class, guess.class);
	return report;
}

static int remove_or_roll_back(struct attempt *attempt)
{
	const struct memory_block *block = NULL;
	int r;

	if (hot_remove_has_deadline(attempt->device)) {
		r = remove_by_driver(attempt);
	} else {
		r = attempt_find_order(attempt);
		if (r < 0)
			return r;
		r = remove_in_order(attempt, &block);
	}
	if (r < 0)
		return attempt_roll_back(attempt, find_failure(attempt, block, r));
	attempt_show_progress(attempt, (unsigned int)attempt->blocks->count);
	attempt->blocks->count = 0;
	return 0;
}

int hot_remove_by_state(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits)
{
	struct attempt attempt = { .device = device, .blocks = blocks, .limits = limits };
	int r = attempt_begin(&attempt);

	if (r == 0)
		r = remove_or_roll_back(&attempt);
	attempt_end(&attempt);
	return r;
}
