// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-undo.h"

#include "base/fault.h"
#include "base/report.h"

#include <fcntl.h>
#include <unistd.h>

void extract_undo(const struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	unsigned long long removed = 0, left = 0;
	struct tree_cursor cursor;

	tree_cursor_init(&cursor, tree, extraction->root);
	/* Children before parents. */
	for (uint32_t i = tree->count; i-- > 1;) {
		const struct entry *entry = &tree->entries[i];
		int parent;

		if (!(extraction->flags[i] & EXTRACT_CREATED))
			continue;
		parent = tree_cursor_open(&cursor, entry->parent);
		if (fault(FAULT_UNDO_ENTRY) == 0 && parent >= 0 &&
		    unlinkat(parent, tree_name(tree, i), S_ISDIR(entry->mode) ? AT_REMOVEDIR : 0) ==
			    0)
			removed++;
		else
			left++;
	}
	tree_cursor_close(&cursor);
	if (left)
		warn("%llu files of the failed restore could not be removed", left);
	else if (removed)
		inform("What the failed restore had created was removed");
}
