// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/walk-holes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Adds a range, or makes the last one longer if it ends there; those from @first on are the file's. */
static int add_range(struct tree *tree, uint32_t first, uint64_t start, uint64_t end)
{
	struct range *last =
		tree->range_count > first ? &tree->ranges[tree->range_count - 1] : NULL;

	if (last && last->offset + last->length == start) {
		last->length += end - start;
		return 0;
	}
	return tree_add_range(tree, start, end - start);
}

int walk_find_data(struct tree *tree, int fd, uint64_t size, bool *ret_sparse)
{
	uint32_t first = tree->range_count;
	uint64_t end = 0, covered = 0;
	int r = 0;

	while (end < size && r == 0) {
		off_t data = lseek(fd, (off_t)end, SEEK_DATA), hole;
		uint64_t start;

		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		/* A file system that does not know its holes. */
		if (hole < 0 && errno == EINVAL) {
			covered = size;
			break;
		}
		if (hole < 0)
			return -errno;
		start = (uint64_t)data & ~(TREE_BLOCK - 1ull);
		if (start < end)
			start = end;
		end = ((uint64_t)hole + TREE_BLOCK - 1) & ~(TREE_BLOCK - 1ull);
		if (end > size)
			end = size;
		if (start >= end)
			continue;
		covered += end - start;
		r = add_range(tree, first, start, end);
	}
	if (r < 0)
		return r;
	*ret_sparse = covered != size;
	if (!*ret_sparse)
		tree->range_count = first;
	return 0;
}

int walk_compare_holes(const struct tree *tree, uint32_t index, int fd, bool *ret_same)
{
	const struct entry *entry = &tree->entries[index];
	_cleanup_tree_ struct tree *now = NULL;
	bool sparse;
	int r = tree_new(&now);

	if (r == 0)
		r = walk_find_data(now, fd, entry->size, &sparse);
	if (r < 0)
		return r;
	*ret_same = sparse && now->range_count == entry->count &&
		    (entry->count == 0 || memcmp(now->ranges, tree->ranges + entry->first,
						 entry->count * sizeof(*now->ranges)) == 0);
	return 0;
}
