// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-ordinary.h"

#include "base/cleanup.h"

#include <string.h>

bool xattr_is_special(const char *name)
{
	return strcmp(name, "security.capability") == 0;
}

static bool has_special_xattr(const struct tree *tree, const struct entry *entry)
{
	const uint8_t *cursor = NULL;
	struct xattr xattr;

	while (tree_next_xattr(tree, entry->xattrs, &cursor, &xattr))
		if (xattr_is_special(xattr.name))
			return true;
	return false;
}

/* On a directory setgid grants nothing: it selects the group of new files. */
static int make_ordinary(struct extraction *extraction, uint32_t index, left_out_function *left_out,
			 void *data)
{
	const struct tree *tree = extraction->tree;
	struct entry *entry = &tree->entries[index];
	bool device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
	uint32_t bits = S_ISDIR(entry->mode) ? 0 : entry->mode & (S_ISUID | S_ISGID);
	bool capability = has_special_xattr(tree, entry);
	_cleanup_free_ char *path = NULL;

	if (!device && !bits && !capability)
		return 0;
	path = tree_path(tree, index);
	if (!path)
		return -ENOMEM;
	extraction->flags[index] |= EXTRACT_PLAIN;
	entry->mode &= ~bits;
	if (device) {
		extraction->flags[index] |= EXTRACT_LEFT_OUT;
		left_out(data, path, "a device");
		return 0;
	}
	if (bits & S_ISUID)
		left_out(data, path, "setuid");
	if (bits & S_ISGID)
		left_out(data, path, "setgid");
	if (capability)
		left_out(data, path, "capabilities");
	return 0;
}

int extract_only_ordinary(struct extraction *extraction, left_out_function *left_out, void *data)
{
	int r = 0;

	for (uint32_t i = 0; i < extraction->tree->count && r == 0; i++)
		r = make_ordinary(extraction, i, left_out, data);
	return r;
}
