// SPDX-License-Identifier: GPL-2.0-or-later
#include "hotremove.h"

#include "block-order.h"
#include "memory-blocks.h"
#include "report.h"
#include "sysfs.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NS_PER_MS     1000000ull
#define ROLLBACK_MS   15000
#define BUSY_TRIES    3
#define BUSY_PAUSE_MS 100
/* The driver's own deadline ends first, so that it is the one that says why. */
#define DRIVER_SLACK_MS 2000

struct attempt {
	const char *device;
	struct memory_blocks *blocks;
	const struct hot_remove_limits *limits;
	struct memory_block *before; /* what the blocks were */
	struct block_use *order;     /* in which they go offline */
	size_t *steps;		     /* how many have; shared with the child that does it */
	uint64_t deadline_ns;
	size_t steps_reported;
	unsigned int reported;
	sigset_t old_signals;
};

static void device_path(char *path, size_t size, const char *device, const char *attribute)
{
	snprintf(path, size, "/sys/bus/dax/devices/%s/%s", device, attribute);
}

bool hot_remove_has_state(const char *device)
{
	char path[128];

	device_path(path, sizeof(path), device, "state");
	return sysfs_exists(-1, path);
}

int hot_remove_read_state(const char *device, char *buffer, size_t size)
{
	char path[128];

	device_path(path, sizeof(path), device, "state");
	return sysfs_read(-1, path, buffer, size);
}

static int attempt_begin(struct attempt *attempt)
{
	const struct memory_blocks *blocks = attempt->blocks;
	sigset_t signals;

	attempt->deadline_ns = now_ns() + attempt->limits->deadline_ms * NS_PER_MS;
	attempt->before = calloc(blocks->count + 1, sizeof(*attempt->before));
	attempt->order = blocks_emptiest_first(blocks);
	attempt->steps = mmap(NULL, sizeof(*attempt->steps), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* Also for the child: some kernels give up offlining for any signal, half way. */
	sigprocmask(SIG_BLOCK, &signals, &attempt->old_signals);
	if (!attempt->before || !attempt->order || attempt->steps == MAP_FAILED)
		return fail(-ENOMEM, "%s", attempt->device);
	for (size_t i = 0; i < blocks->count; i++)
		attempt->before[i] = blocks->block[i];
	return 0;
}

static void attempt_end(struct attempt *attempt)
{
	free(attempt->before);
	free(attempt->order);
	if (attempt->steps != MAP_FAILED)
		munmap(attempt->steps, sizeof(*attempt->steps));
	sigprocmask(SIG_SETMASK, &attempt->old_signals, NULL);
}

static bool interrupted(const struct attempt *attempt)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigismember(&pending, signals[i]) &&
		    !sigismember(&attempt->old_signals, signals[i]))
			return true;
	return false;
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

static void show_progress(struct attempt *attempt, unsigned int offline)
{
	if (!attempt->limits->progress || offline == attempt->reported)
		return;
	attempt->reported = offline;
	attempt->limits->progress(attempt->limits->data, offline,
				  (unsigned int)attempt->blocks->count);
}

static int tick_state(void *data)
{
	show_progress(data, count_offline(data));
	return interrupted(data) ? -EINTR : 0;
}

static const char *reason(int error, const struct memory_block *block)
{
	switch (-error) {
	case EBUSY:
	case EAGAIN:
		if (block && *block->zone && strcmp(block->zone, ZONE_MOVABLE) != 0)
			return "it holds kernel memory, as it is not in ZONE_MOVABLE";
		return "pages in it cannot be moved (pinned by a device or a virtual machine)";
	case ETIMEDOUT:
		return "what is in it did not move in time (pages are pinned, or too little memory "
		       "is free elsewhere)";
	case EINTR:
		return "interrupted";
	case ENOMEM:
		return "there is no memory free elsewhere to move it to";
	default:
		return strerror(-error);
	}
}

/* Brings online what was online before. Returns how many blocks are not back where they were. */
static unsigned int roll_back(const struct attempt *attempt)
{
	struct memory_blocks *blocks = attempt->blocks;
	unsigned int lost = 0;
	int r = memory_blocks_online_as(blocks, attempt->before,
					now_ns() + ROLLBACK_MS * NS_PER_MS);

	for (size_t i = 0; i < blocks->count; i++) {
		const struct memory_block *before = &attempt->before[i];

		if (memory_block_matches(&blocks->block[i], before))
			continue;
		lost++;
		warn("%s: %s is not back in zone %s%s%s", attempt->device,
		     block_text(before, blocks->block_bytes).text,
		     *before->zone ? before->zone : "(unknown)", r < 0 ? ": " : "",
		     r < 0 ? strerror(-r) : "");
	}
	return lost;
}

/* Rolls back and reports. @block: the one that would not go; NULL: the driver did not say. */
static int give_up(const struct attempt *attempt, const struct memory_block *block, int error)
{
	struct block_text what = { .text = "its memory" };
	unsigned int lost = roll_back(attempt);
	char outcome[160];

	if (block)
		what = block_text(block, attempt->blocks->block_bytes);
	if (lost)
		snprintf(outcome, sizeof(outcome),
			 "%u of %zu blocks could not be brought back, see 'lsmem' and 'daxctl "
			 "online-memory %s'",
			 lost, attempt->blocks->count, attempt->device);
	else
		snprintf(outcome, sizeof(outcome),
			 "everything is online again as it was; stop what pins "
			 "memory, free some, or give it a longer --deadline");
	return fail(-E_MEMORY, "%s: %s could not be taken offline: %s; %s", attempt->device,
		    what.text, reason(error, block), outcome);
}

static int offline_block(const struct memory_block *block)
{
	char path[96];
	int r;

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%" PRIu64 "/state",
		 block->number);
	for (unsigned int try = 1;; try++) {
		struct memory_block now = { .number = block->number };

		r = sysfs_write(-1, path, "offline");
		/* What the block is counts, not what the write said. */
		if (memory_block_refresh(&now) == 0 && !now.online)
			return 0;
		if (r == 0)
			return -EIO;
		if ((r != -EBUSY && r != -EAGAIN) || try == BUSY_TRIES)
			return r;
		/* A page may have been on its way when the block was looked through. */
		poll(NULL, 0, BUSY_PAUSE_MS);
	}
}

/* One child for all blocks: a process for each would take longer than an empty block does. */
static int offline_in_child(void *data)
{
	struct attempt *attempt = data;

	for (size_t step = 0; step < attempt->blocks->count; step++) {
		const struct memory_block *block = &attempt->before[attempt->order[step].index];
		int r = block->online ? offline_block(block) : 0;

		if (r < 0)
			return r;
		__atomic_store_n(attempt->steps, step + 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static int tick_offline(void *data)
{
	struct attempt *attempt = data;
	size_t steps = __atomic_load_n(attempt->steps, __ATOMIC_RELAXED);

	for (; attempt->steps_reported < steps; attempt->steps_reported++) {
		const struct block_use *use = &attempt->order[attempt->steps_reported];

		detail("%s: %s is offline; about %s of it were in use", attempt->device,
		       block_text(&attempt->before[use->index], attempt->blocks->block_bytes).text,
		       size_text(use->used_bytes).text);
	}
	show_progress(attempt, (unsigned int)steps);
	return interrupted(attempt) ? -EINTR : 0;
}

/* All blocks, emptiest first. On error @ret_block is the one that would not go. */
static int offline_all(struct attempt *attempt, const struct memory_block **ret_block)
{
	const struct sysfs_tick tick = { .function = tick_offline, .data = attempt };
	struct memory_blocks *blocks = attempt->blocks;
	size_t steps;
	int r = sysfs_work_within(offline_in_child, attempt, attempt->deadline_ns, &tick);

	tick_offline(attempt);
	for (size_t i = 0; i < blocks->count; i++)
		if (memory_block_refresh(&blocks->block[i]) < 0)
			blocks->block[i].online = false;
	if (!memory_blocks_online(blocks))
		return 0;
	steps = *attempt->steps < blocks->count ? *attempt->steps : blocks->count - 1;
	*ret_block = &attempt->before[attempt->order[steps].index];
	return r < 0 ? r : -EIO;
}

int hot_remove_by_block(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits)
{
	struct attempt attempt = { .device = device, .blocks = blocks, .limits = limits };
	const struct memory_block *block;
	int r = attempt_begin(&attempt);

	if (r == 0) {
		r = offline_all(&attempt, &block);
		if (r < 0)
			r = give_up(&attempt, block, r);
	}
	attempt_end(&attempt);
	return r;
}

/* Tells our own driver how long it has. False: the kernel's has no such attribute. */
static bool set_driver_deadline(const struct attempt *attempt)
{
	uint64_t now = now_ns(), left_ms = 1;
	char path[128], value[32];
	int r;

	device_path(path, sizeof(path), attempt->device, "unplug_timeout_ms");
	if (!sysfs_exists(-1, path))
		return false;
	if (now + NS_PER_MS < attempt->deadline_ns)
		left_ms = (attempt->deadline_ns - now) / NS_PER_MS;
	snprintf(value, sizeof(value), "%" PRIu64, left_ms);
	r = sysfs_write(-1, path, value);
	if (r < 0)
		detail("%s: cannot be set to %s: %s", path, value, strerror(-r));
	return r == 0;
}

/* Whether so much has to move that its order matters more than the time of some writes. */
static bool order_matters(const struct attempt *attempt)
{
	uint64_t used = 0;

	for (size_t i = 0; i < attempt->blocks->count; i++)
		used += attempt->order[i].used_bytes;
	return used >= attempt->blocks->block_bytes / 2;
}

/* Removes it all by the attribute, in what is left of the deadline. */
static int unplug(struct attempt *attempt)
{
	const struct sysfs_tick tick = { .function = tick_state, .data = attempt };
	uint64_t deadline_ns = attempt->deadline_ns;
	char path[128], state[64] = "";
	int r;

	device_path(path, sizeof(path), attempt->device, "state");
	if (set_driver_deadline(attempt))
		deadline_ns += DRIVER_SLACK_MS * NS_PER_MS;
	r = sysfs_write_within(-1, path, "unplugged", deadline_ns, &tick);
	/* What the attribute says now counts, not what the write said. */
	if (sysfs_read(-1, path, state, sizeof(state)) == 0 && strcmp(state, "unplugged") == 0)
		return 0;
	return r < 0 ? r : -EIO;
}

/*
 * The driver takes the blocks in the order of their addresses, and so moves the same pages over and
 * over. Where there is much to move, the blocks are taken offline before that, in the better order;
 * the driver then only removes them.
 */
int hot_remove_by_state(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits)
{
	struct attempt attempt = { .device = device, .blocks = blocks, .limits = limits };
	const struct memory_block *block = NULL;
	int r = attempt_begin(&attempt);

	if (r < 0)
		goto out;
	if (order_matters(&attempt))
		r = offline_all(&attempt, &block);
	if (r == 0)
		r = unplug(&attempt);
	if (r < 0) {
		r = give_up(&attempt, block, r);
	} else {
		show_progress(&attempt, (unsigned int)blocks->count);
		blocks->count = 0;
	}
out:
	attempt_end(&attempt);
	return r;
}
