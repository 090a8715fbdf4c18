// SPDX-License-Identifier: GPL-2.0-or-later
#include "invariants.h"

#include "image/image-internal.h"

#include <limits.h>
#include <string.h>

static bool is_name(const char *name)
{
	return *name && strlen(name) <= EROFS_NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static const char *check_directory(const struct tree *tree, uint32_t index)
{
	const struct entry *entry = &tree->entries[index];

	if (entry->inode_entry != index)
		return "a directory has two names";
	if (entry->count > tree->count || entry->first > tree->count - entry->count)
		return "children of a directory do not exist";
	for (uint32_t i = entry->first; i < entry->first + entry->count; i++) {
		if (i <= index || tree->entries[i].parent != index)
			return "children of a directory have another parent";
		if (i > entry->first && strcmp(tree_name(tree, i - 1), tree_name(tree, i)) >= 0)
			return "a directory is not sorted";
	}
	return NULL;
}

static const char *check_entry(const struct tree *tree, uint32_t index)
{
	const struct entry *entry = &tree->entries[index];
	const struct entry *first = &tree->entries[entry->inode_entry];

	if (index && (entry->parent >= index || !S_ISDIR(tree->entries[entry->parent].mode)))
		return "the parent of an entry is not a directory";
	if (index && !is_name(tree_name(tree, index)))
		return "a name is not valid";
	if (entry->inode_entry > index || first->inode_entry != entry->inode_entry ||
	    first->mode != entry->mode || first->inode != entry->inode)
		return "a hard link differs from its inode";
	if (S_ISLNK(entry->mode) && (entry->size == 0 || entry->size >= PATH_MAX ||
				     strlen(tree_target(tree, index)) != entry->size))
		return "the target of a link is not valid";
	return S_ISDIR(entry->mode) ? check_directory(tree, index) : NULL;
}

/* Extents are sorted and disjoint, and each is within the data area and within its file. */
static const char *check_extents(const struct image *image)
{
	uint64_t end = image->header.data_offset, dense = 0;

	for (size_t i = 0; i < image->extent_count; i++) {
		const struct extent *extent = &image->extents[i];
		const struct entry *entry = &image->tree->entries[extent->entry];

		if (!S_ISREG(entry->mode) || entry->inode_entry != extent->entry)
			return "an extent does not belong to a file";
		if (extent->place < end || extent->place % EROFS_BLOCK || extent->length == 0 ||
		    extent->length > image->header.index_offset ||
		    extent->place > image->header.index_offset - extent->length)
			return "an extent overlaps, or is outside of the data area";
		if (extent->offset > entry->size || extent->length > entry->size - extent->offset)
			return "an extent is beyond the end of its file";
		end = extent->place + extent->length;
		dense += entry->flags & ENTRY_SPARSE ? 0 : extent->length;
	}
	for (uint32_t i = 0; i < image->tree->count; i++) {
		const struct entry *entry = &image->tree->entries[i];

		if (S_ISREG(entry->mode) && entry->inode_entry == i &&
		    !(entry->flags & ENTRY_SPARSE))
			dense -= entry->size;
	}
	return dense ? "a file does not have all of its data" : NULL;
}

static const char *check_paths(const struct tree *tree)
{
	if (tree->path_count == 0)
		return "nothing was checkpointed";
	for (size_t i = 0; i < tree->path_count; i++) {
		uint32_t index;

		if (!tree_find_path(tree, tree->paths[i], &index) ||
		    !(tree->entries[index].flags & ENTRY_ROOT))
			return "a path that was checkpointed does not exist";
	}
	for (uint32_t i = 1; i < tree->count; i++)
		if ((tree->entries[tree->entries[i].parent].flags & ENTRY_ANCESTOR) &&
		    !(tree->entries[i].flags & (ENTRY_ANCESTOR | ENTRY_ROOT)))
			return "the tree has something that was not checkpointed";
	return NULL;
}

const char *broken_invariant(const struct image *image)
{
	const struct tree *tree = image->tree;
	const char *what = NULL;

	if (tree->count == 0 || !S_ISDIR(tree->entries[0].mode))
		return "there is no root";
	for (uint32_t i = 0; i < tree->count && !what; i++)
		what = check_entry(tree, i);
	if (!what)
		what = check_extents(image);
	return what ? what : check_paths(tree);
}
