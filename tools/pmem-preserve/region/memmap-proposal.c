// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/memmap-proposal.h"

#include "base/cleanup.h"
#include "base/sysfs.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GIB	 (1ull << 30)
#define FOUR_GIB (4 * GIB)

struct ram {
	uint64_t start, end; /* the largest range of whole blocks; both 0 if there is none */
	uint64_t total;
};

static void consider(struct ram *ram, uint64_t start, uint64_t end, uint64_t block_bytes)
{
	uint64_t first = (start + block_bytes - 1) / block_bytes * block_bytes;
	uint64_t last = end / block_bytes * block_bytes;

	ram->total += end - start;
	if (last > first && last - first > ram->end - ram->start) {
		ram->start = first;
		ram->end = last;
	}
}

/* Only top-level lines: "100000000-23fffffff : System RAM". */
static int read_ram(const char *iomem, uint64_t block_bytes, struct ram *all, struct ram *high)
{
	for (const char *line = iomem; line && *line;) {
		unsigned long long start, end;
		int name = 0;

		if (sscanf(line, "%llx-%llx : %n", &start, &end, &name) == 2 && name > 0 &&
		    *line != ' ' && strncmp(line + name, "System RAM\n", 11) == 0) {
			if (end == 0)
				return -EACCES;
			consider(all, start, end + 1, block_bytes);
			if (end >= FOUR_GIB)
				consider(high, start > FOUR_GIB ? start : FOUR_GIB, end + 1,
					 block_bytes);
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return 0;
}

int memmap_propose(const char *iomem, uint64_t wanted, uint64_t block_bytes,
		   struct memmap_proposal *ret_proposal)
{
	uint64_t size = (wanted + block_bytes - 1) / block_bytes * block_bytes;
	struct ram all = { 0 }, high = { 0 }, *from;
	uint64_t after;
	int r = read_ram(iomem, block_bytes, &all, &high);

	if (r < 0)
		return r;
	from = high.end - high.start >= size ? &high : &all;
	if (size == 0 || from->end - from->start < size || size > all.total / 2)
		return -ENOSPC;
	/* Behind the last RAM, a kernel without an SRAT would know no NUMA node for it. */
	after = from->end - from->start >= size + block_bytes ? block_bytes : 0;
	*ret_proposal = (struct memmap_proposal){ from->end - after - size, size };
	return 0;
}

int memmap_propose_here(uint64_t state_bytes, struct memmap_proposal *ret_proposal)
{
	uint64_t block_bytes, wanted = state_bytes + state_bytes / 2;
	_cleanup_free_ char *iomem = NULL;
	int r = memory_block_bytes(&block_bytes);

	if (r == 0)
		r = sysfs_read_text(-1, "/proc/iomem", &iomem);
	return r < 0 ? r
		     : memmap_propose(iomem, wanted < GIB ? GIB : wanted, block_bytes,
				      ret_proposal);
}

static void print_number(char *text, size_t bytes, uint64_t number)
{
	static const char units[] = "KMG";
	int unit = -1;

	while (unit < 2 && number && number % 1024 == 0) {
		number /= 1024;
		unit++;
	}
	snprintf(text, bytes, "%llu%.*s", (unsigned long long)number, unit >= 0, units + unit);
}

struct memmap_text memmap_text(const struct memmap_proposal *proposal)
{
	struct memmap_text text;
	char size[24], start[24];

	print_number(size, sizeof(size), proposal->size);
	print_number(start, sizeof(start), proposal->start);
	snprintf(text.text, sizeof(text.text), "%s!%s", size, start);
	return text;
}
