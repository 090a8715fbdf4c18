// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/memory-blocks.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/sysfs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_DIRECTORY "/sys/devices/system/memory"

void memory_blocks_clear(struct memory_blocks *blocks)
{
	free(blocks->block);
	*blocks = (struct memory_blocks){};
}

int memory_block_bytes(uint64_t *ret_bytes)
{
	uint64_t bytes;
	int r = sysfs_read_number(-1, MEMORY_DIRECTORY "/block_size_bytes", 16, &bytes);

	if (r < 0)
		return r;
	if (!bytes || bytes & (bytes - 1))
		return -EINVAL;
	*ret_bytes = bytes;
	return 0;
}

struct memory_range memory_range_whole_blocks(struct memory_range range, uint64_t block_bytes)
{
	uint64_t end = (range.start + range.bytes) & ~(block_bytes - 1);
	uint64_t start = (range.start + block_bytes - 1) & ~(block_bytes - 1);

	return (struct memory_range){ .start = start, .bytes = start < end ? end - start : 0 };
}

struct block_path {
	char text[96];
};

static struct block_path block_path(uint64_t number, const char *attribute)
{
	struct block_path path;

	snprintf(path.text, sizeof(path.text), MEMORY_DIRECTORY "/memory%" PRIu64 "/%s", number,
		 attribute);
	return path;
}

int memory_block_write_state(uint64_t number, const char *value)
{
	return sysfs_write(-1, block_path(number, "state").text, value);
}

int memory_block_refresh(struct memory_block *block)
{
	char text[64];
	int r = sysfs_read(-1, block_path(block->number, "state").text, text, sizeof(text));

	if (r < 0)
		return r;
	block->online = strcmp(text, "online") == 0;
	block->zone[0] = '\0';
	if (!block->online)
		return 0;
	/* An online block lists only its own zone, an offline one all zones that it may join. */
	r = sysfs_read(-1, block_path(block->number, "valid_zones").text, text, sizeof(text));
	if (r < 0)
		return r;
	if (strcmp(text, "none") != 0 && !strchr(text, ' ') && strlen(text) < sizeof(block->zone))
		strcpy(block->zone, text);
	return 0;
}

int memory_blocks_read(const struct memory_range *ranges, size_t count,
		       struct memory_blocks *ret_blocks)
{
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};
	size_t room = 0;
	int r = memory_block_bytes(&blocks.block_bytes);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		room += ranges[i].bytes / blocks.block_bytes;
	blocks.block = calloc(room ? room : 1, sizeof(*blocks.block));
	if (!blocks.block)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct memory_range range =
			memory_range_whole_blocks(ranges[i], blocks.block_bytes);
		uint64_t number = range.start / blocks.block_bytes;

		for (; range.bytes; range.bytes -= blocks.block_bytes, number++) {
			struct memory_block *block = &blocks.block[blocks.count];

			block->number = number;
			r = memory_block_refresh(block);
			if (r == -ENOENT)
				continue;
			if (r < 0)
				return r;
			blocks.count++;
		}
	}
	*ret_blocks = blocks;
	blocks = (struct memory_blocks){};
	return 0;
}

bool memory_blocks_have(const struct memory_blocks *blocks, uint64_t number)
{
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->block[i].number == number)
			return true;
	return false;
}

size_t memory_blocks_online(const struct memory_blocks *blocks)
{
	size_t online = 0;

	for (size_t i = 0; i < blocks->count; i++)
		online += blocks->block[i].online;
	return online;
}

size_t memory_blocks_movable(const struct memory_blocks *blocks)
{
	size_t movable = 0;

	for (size_t i = 0; i < blocks->count; i++)
		movable +=
			blocks->block[i].online && strcmp(blocks->block[i].zone, ZONE_MOVABLE) == 0;
	return movable;
}

struct online_job {
	const struct memory_block *wanted;
	size_t count;
};

static int write_online(const struct memory_block *wanted)
{
	struct memory_block now = { .number = wanted->number };
	const char *value = "online_kernel";
	int r = memory_block_refresh(&now);

	if (r < 0 || now.online)
		return r;
	if (!*wanted->zone)
		value = "online";
	else if (strcmp(wanted->zone, ZONE_MOVABLE) == 0)
		value = "online_movable";
	return memory_block_write_state(wanted->number, value);
}

static int online_in_child(void *data)
{
	const struct online_job *job = data;
	int error = 0;

	for (size_t i = job->count; i-- > 0;) {
		int r = job->wanted[i].online ? write_online(&job->wanted[i]) : 0;

		if (r < 0 && !error)
			error = r;
	}
	return error;
}

int memory_blocks_online_as(struct memory_blocks *blocks, const struct memory_block *wanted,
			    uint64_t deadline_ns)
{
	struct online_job job = { .wanted = wanted, .count = blocks->count };
	const struct child_limit wait = { .deadline_ns = deadline_ns };
	int r = child_work(online_in_child, &job, &wait);

	for (size_t i = 0; i < blocks->count; i++)
		if (memory_block_refresh(&blocks->block[i]) < 0)
			blocks->block[i].online = false;
	return r;
}

bool memory_block_matches(const struct memory_block *block, const struct memory_block *wanted)
{
	if (!wanted->online)
		return true;
	return block->online && (!*wanted->zone || strcmp(block->zone, wanted->zone) == 0);
}

struct block_text block_text(uint64_t number, uint64_t block_bytes)
{
	struct block_text text;

	snprintf(text.text, sizeof(text.text), "memory%" PRIu64 " (0x%" PRIx64 "-0x%" PRIx64 ")",
		 number, number * block_bytes, (number + 1) * block_bytes - 1);
	return text;
}
