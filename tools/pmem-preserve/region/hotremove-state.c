// SPDX-License-Identifier: GPL-2.0-or-later
/* By one write to the driver of the dax device, which takes all of its memory or none. */
#include "base/child.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "region/block-order.h"
#include "region/hotremove-attempt.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The driver's own deadline ends first, so that it is the one that says why. */
#define DRIVER_SLACK_MS 2000
/* It undoes its work before the write ends, even that of a process that was killed. */
#define DRIVER_GRACE_MS	       60000
#define DRIVER_DEADLINE_MIN_MS 1ull
#define DRIVER_DEADLINE_MAX_MS 3600000ull

static void device_path(char *path, size_t size, const char *device, const char *attribute)
{
	snprintf(path, size, "/sys/bus/dax/devices/%s/%s", device, attribute);
}

static bool has_attribute(const char *device, const char *attribute)
{
	char path[128];

	device_path(path, sizeof(path), device, attribute);
	return sysfs_exists(-1, path);
}

bool hot_remove_has_state(const char *device)
{
	return has_attribute(device, "state");
}

bool hot_remove_has_deadline(const char *device)
{
	return has_attribute(device, "unplug_timeout_ms");
}

int hot_remove_read_state(const char *device, char *buffer, size_t size)
{
	char path[128];

	device_path(path, sizeof(path), device, "state");
	return sysfs_read(-1, path, buffer, size);
}

/* Looks at every block; those that are gone or not online are off. */
static unsigned int count_offline(const struct attempt *attempt)
{
	unsigned int offline = 0;

	for (size_t i = 0; i < attempt->blocks->count; i++) {
		struct memory_block now = { .number = attempt->blocks->block[i].number };

		offline += memory_block_refresh(&now) < 0 || !now.online;
	}
	return offline;
}

/* The driver counts by itself, where it can: "N M", N of M blocks are not online. */
static unsigned int read_progress(const struct attempt *attempt)
{
	char path[128], text[64];
	unsigned int offline, blocks;

	device_path(path, sizeof(path), attempt->device, "progress");
	if (sysfs_read(-1, path, text, sizeof(text)) < 0 ||
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
	inform("%s: interrupted; what is offline goes online again", attempt->device);
	return -EINTR;
}

static int write_timeout(const struct attempt *attempt, const char *value)
{
	char path[128];
	int r;

	device_path(path, sizeof(path), attempt->device, "unplug_timeout_ms");
	r = sysfs_write(-1, path, value);
	if (r < 0)
		detail("%s: cannot be set to %s: %s", path, value, strerror(-r));
	return r;
}

/* Tells the driver how long it has. @ret_before: what it was told before, "" when not known. */
static void set_timeout(const struct attempt *attempt, char *ret_before, size_t size)
{
	uint64_t now = now_ns(), left_ms = DRIVER_DEADLINE_MIN_MS;
	char path[128], value[32];

	device_path(path, sizeof(path), attempt->device, "unplug_timeout_ms");
	if (sysfs_read(-1, path, ret_before, size) < 0)
		*ret_before = '\0';
	if (now + NS_PER_MS < attempt->deadline_ns)
		left_ms = (attempt->deadline_ns - now) / NS_PER_MS;
	if (left_ms > DRIVER_DEADLINE_MAX_MS)
		left_ms = DRIVER_DEADLINE_MAX_MS;
	snprintf(value, sizeof(value), "%" PRIu64, left_ms);
	write_timeout(attempt, value);
}

/* Removes it all by the attribute, in what is left of the time. */
static int unplug(struct attempt *attempt, const struct child_limit *wait)
{
	char path[128], state[64] = "";
	int r;

	device_path(path, sizeof(path), attempt->device, "state");
	r = sysfs_write_within(-1, path, "unplugged", wait);
	/* What the attribute says now counts, not what the write said. */
	if (sysfs_read(-1, path, state, sizeof(state)) == 0 && strcmp(state, "unplugged") == 0)
		return 0;
	return r < 0 ? r : -EIO;
}

/* Whether so much has to move that its order matters more than the time of some writes. */
static bool order_matters(const struct attempt *attempt)
{
	uint64_t used = 0;

	for (size_t i = 0; i < attempt->blocks->count; i++)
		used += attempt->order[i].used_bytes;
	return used >= attempt->blocks->block_bytes / 2;
}

/*
 * The kernel's own driver takes the blocks in the order of their addresses, and so moves the same
 * pages over and over. Where there is much to move, the blocks are taken offline before that, in
 * the better order; the driver then only removes them.
 */
static int remove_in_order(struct attempt *attempt, const struct memory_block **ret_block)
{
	const struct child_limit wait = { .deadline_ns = attempt->deadline_ns,
					  .tick = tick_state,
					  .data = attempt };
	int r = order_matters(attempt) ? attempt_offline_all(attempt, ret_block) : 0;

	return r < 0 ? r : unplug(attempt, &wait);
}

/* Ours knows the order, ends in time, and goes back by itself. */
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
	/* It goes for an unbind, too, and whoever set it meant it to. */
	if (r < 0 && *before)
		write_timeout(attempt, before);
	return r;
}

/* What the driver tells, unless that is about something else than @error of this attempt. */
static struct memory_failure find_failure(const struct attempt *attempt,
					  const struct memory_block *block, int error)
{
	const struct memory_blocks *blocks = attempt->blocks;
	struct memory_failure told, guess = memory_failure_guess(error, block, blocks->block_bytes);
	bool was_killed = error == -EINTR || error == -ETIMEDOUT;

	if (memory_failure_read(attempt->device, blocks->block_bytes, &told) < 0 ||
	    strcmp(told.operation, "unplug") != 0 ||
	    (told.has_block && !memory_blocks_have(blocks, told.block)))
		return guess;
	if (told.error == error)
		return told;
	/* To the driver it makes no difference why its writer was killed. */
	if (!was_killed || strcmp(told.class, "interrupted") != 0)
		return guess;
	told.error = guess.error;
	strcpy(told.class, guess.class);
	return told;
}

int hot_remove_by_state(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits)
{
	struct attempt attempt = { .device = device, .blocks = blocks, .limits = limits };
	const struct memory_block *block = NULL;
	bool by_driver = hot_remove_has_deadline(device);
	int r = attempt_begin(&attempt);

	if (r == 0 && !by_driver)
		r = attempt_find_order(&attempt);
	if (r < 0)
		goto out;
	if (by_driver)
		r = remove_by_driver(&attempt);
	else
		r = remove_in_order(&attempt, &block);
	if (r < 0) {
		r = attempt_give_up(&attempt, find_failure(&attempt, block, r));
	} else {
		attempt_show_progress(&attempt, (unsigned int)blocks->count);
		blocks->count = 0;
	}
out:
	attempt_end(&attempt);
	return r;
}
