// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/tree.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Makes room for @more items after @used ones; doubles the array, so that growing is cheap. */
static int grow(void **array, size_t *capacity, size_t used, size_t more, size_t item)
{
	size_t wanted = *capacity ? *capacity : 64;
	void *larger;

	if (used + more <= *capacity)
		return 0;
	while (wanted < used + more)
		wanted *= 2;
	larger = reallocarray(*array, wanted, item);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*capacity = wanted;
	return 0;
}

static int grow32(void **array, uint32_t *capacity, uint32_t used, size_t item)
{
	size_t wide = *capacity;
	int r;

	if (used == UINT32_MAX)
		return -EOVERFLOW;
	r = grow(array, &wide, used, 1, item);
	*capacity = wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
	return r;
}

int tree_new(struct tree **ret_tree)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	uint32_t offset;
	int r;

	if (!tree)
		return -ENOMEM;
	/* Offset 0 of names and xattrs means "none". */
	r = tree_add_string(tree, "", 0, &offset);
	if (r == 0)
		r = grow((void **)&tree->xattrs, &tree->xattrs_capacity, 0, 8, 1);
	if (r < 0) {
		tree_free(tree);
		return r;
	}
	memset(tree->xattrs, 0, 8);
	tree->xattrs_used = 8;
	*ret_tree = tree;
	return 0;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->path_count; i++)
		free(tree->paths[i]);
	free(tree->paths);
	for (uint32_t i = 0; i < tree->unsaved_count; i++)
		free(tree->unsaved[i].path);
	free(tree->unsaved);
	free(tree->entries);
	free(tree->names);
	free(tree->xattrs);
	free(tree->ranges);
	free(tree);
}

int tree_add_string(struct tree *tree, const char *text, size_t length, uint32_t *ret_offset)
{
	int r;

	if (tree->names_used + length + 1 > UINT32_MAX)
		return -EOVERFLOW;
	r = grow((void **)&tree->names, &tree->names_capacity, tree->names_used, length + 1, 1);
	if (r < 0)
		return r;
	memcpy(tree->names + tree->names_used, text, length);
	tree->names[tree->names_used + length] = '\0';
	*ret_offset = (uint32_t)tree->names_used;
	tree->names_used += length + 1;
	return 0;
}

int tree_add(struct tree *tree, uint32_t parent, const char *name, size_t name_length,
	     uint32_t *ret_index)
{
	struct entry *entry;
	uint32_t offset;
	int r;

	r = grow32((void **)&tree->entries, &tree->capacity, tree->count, sizeof(*tree->entries));
	if (r < 0)
		return r;
	r = tree_add_string(tree, name, name_length, &offset);
	if (r < 0)
		return r;
	entry = &tree->entries[tree->count];
	*entry = (struct entry){ .parent = parent, .name = offset, .inode_entry = tree->count };
	*ret_index = tree->count++;
	return 0;
}

int tree_add_unsaved(struct tree *tree, const char *path, int error)
{
	struct tree_unsaved *larger =
		reallocarray(tree->unsaved, tree->unsaved_count + 1, sizeof(*tree->unsaved));

	if (!larger)
		return -ENOMEM;
	tree->unsaved = larger;
	larger[tree->unsaved_count] = (struct tree_unsaved){ strdup(path), error };
	if (!larger[tree->unsaved_count].path)
		return -ENOMEM;
	tree->unsaved_count++;
	return 0;
}

int tree_adopt_unsaved(struct tree *tree, struct tree *other)
{
	struct tree_unsaved *larger;

	if (other->unsaved_count == 0)
		return 0;
	larger = reallocarray(tree->unsaved, (size_t)tree->unsaved_count + other->unsaved_count,
			      sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	memcpy(larger + tree->unsaved_count, other->unsaved,
	       other->unsaved_count * sizeof(*larger));
	tree->unsaved = larger;
	tree->unsaved_count += other->unsaved_count;
	other->unsaved_count = 0;
	return 0;
}

int tree_add_range(struct tree *tree, uint64_t offset, uint64_t length)
{
	int r = grow32((void **)&tree->ranges, &tree->range_capacity, tree->range_count,
		       sizeof(*tree->ranges));

	if (r < 0)
		return r;
	tree->ranges[tree->range_count++] = (struct range){ offset, length };
	return 0;
}

int tree_adopt(struct tree *tree, const struct tree *other, const uint32_t *owners, size_t count)
{
	size_t names = tree->names_used, xattrs = tree->xattrs_used, room = tree->range_capacity;
	uint32_t ranges = tree->range_count;
	int r;

	if (count == 0)
		return 0;
	if (names + other->names_used > UINT32_MAX || xattrs + other->xattrs_used > UINT32_MAX ||
	    (uint64_t)ranges + other->range_count > UINT32_MAX)
		return -EOVERFLOW;
	r = grow((void **)&tree->names, &tree->names_capacity, names, other->names_used, 1);
	if (r == 0)
		r = grow((void **)&tree->xattrs, &tree->xattrs_capacity, xattrs, other->xattrs_used,
			 1);
	if (r == 0)
		r = grow((void **)&tree->ranges, &room, ranges, other->range_count,
			 sizeof(*tree->ranges));
	if (r < 0)
		return r;
	tree->range_capacity = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
	memcpy(tree->names + names, other->names, other->names_used);
	tree->names_used += other->names_used;
	memcpy(tree->xattrs + xattrs, other->xattrs, other->xattrs_used);
	tree->xattrs_used += other->xattrs_used;
	if (other->range_count)
		memcpy(tree->ranges + ranges, other->ranges,
		       other->range_count * sizeof(*tree->ranges));
	tree->range_count += other->range_count;
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &tree->entries[owners[i]];

		if (entry->xattrs)
			entry->xattrs += (uint32_t)xattrs;
		if (S_ISLNK(entry->mode))
			entry->first += (uint32_t)names;
		else if (S_ISREG(entry->mode) && (entry->flags & ENTRY_SPARSE))
			entry->first += ranges;
	}
	return 0;
}

/* A record: two 32-bit lengths, the name with its NUL, the value. Unaligned, hence memcpy(). */
int tree_xattrs_begin(struct tree *tree, uint32_t *ret_set)
{
	int r = grow((void **)&tree->xattrs, &tree->xattrs_capacity, tree->xattrs_used,
		     sizeof(struct xattr_set), 1);

	if (r < 0)
		return r;
	if (tree->xattrs_used + sizeof(struct xattr_set) > UINT32_MAX)
		return -EOVERFLOW;
	*ret_set = (uint32_t)tree->xattrs_used;
	memset(tree->xattrs + tree->xattrs_used, 0, sizeof(struct xattr_set));
	tree->xattrs_used += sizeof(struct xattr_set);
	return 0;
}

int tree_xattrs_add(struct tree *tree, uint32_t set, const char *name, size_t name_length,
		    const void *value, size_t value_length)
{
	uint32_t lengths[2] = { (uint32_t)name_length, (uint32_t)value_length };
	size_t bytes = sizeof(lengths) + name_length + 1 + value_length;
	struct xattr_set header;
	uint8_t *at;
	int r;

	if (tree->xattrs_used + bytes > UINT32_MAX)
		return -EOVERFLOW;
	r = grow((void **)&tree->xattrs, &tree->xattrs_capacity, tree->xattrs_used, bytes, 1);
	if (r < 0)
		return r;
	at = tree->xattrs + tree->xattrs_used;
	memcpy(at, lengths, sizeof(lengths));
	memcpy(at + sizeof(lengths), name, name_length);
	at[sizeof(lengths) + name_length] = '\0';
	if (value_length)
		memcpy(at + sizeof(lengths) + name_length + 1, value, value_length);
	tree->xattrs_used += bytes;

	memcpy(&header, tree->xattrs + set, sizeof(header));
	header.bytes += (uint32_t)bytes;
	header.count++;
	memcpy(tree->xattrs + set, &header, sizeof(header));
	return 0;
}

void tree_xattrs_end(struct tree *tree, uint32_t *set, uint32_t previous_set)
{
	struct xattr_set header, previous;

	memcpy(&header, tree->xattrs + *set, sizeof(header));
	if (header.count == 0) {
		tree->xattrs_used = *set;
		*set = 0;
		return;
	}
	if (!previous_set)
		return;
	memcpy(&previous, tree->xattrs + previous_set, sizeof(previous));
	if (previous.bytes != header.bytes ||
	    memcmp(tree->xattrs + previous_set, tree->xattrs + *set, sizeof(header) + header.bytes))
		return;
	tree->xattrs_used = *set;
	*set = previous_set;
}

bool tree_next_xattr(const struct tree *tree, uint32_t set, const uint8_t **cursor,
		     struct xattr *ret_xattr)
{
	const uint8_t *start, *at;
	struct xattr_set header;
	uint32_t lengths[2];

	if (!set)
		return false;
	memcpy(&header, tree->xattrs + set, sizeof(header));
	start = tree->xattrs + set + sizeof(header);
	at = *cursor ? *cursor : start;
	if (at >= start + header.bytes)
		return false;
	memcpy(lengths, at, sizeof(lengths));
	at += sizeof(lengths);
	*ret_xattr = (struct xattr){ (const char *)at, at + lengths[0] + 1, lengths[1] };
	*cursor = at + lengths[0] + 1 + lengths[1];
	return true;
}

void tree_count(struct tree *tree)
{
	for (uint32_t i = 0; i < tree->count; i++)
		tree->entries[i].links = S_ISDIR(tree->entries[i].mode) ? 2 : 0;
	for (uint32_t i = 0; i < tree->count; i++) {
		const struct entry *entry = &tree->entries[i];

		if (!S_ISDIR(entry->mode))
			tree->entries[entry->inode_entry].links++;
		else if (i)
			tree->entries[entry->parent].links++;
		if (S_ISREG(entry->mode) && entry->inode_entry == i)
			tree->file_bytes += entry->size;
	}
}

uint32_t tree_find_child(const struct tree *tree, uint32_t directory, const char *name,
			 size_t length)
{
	const struct entry *entry = &tree->entries[directory];
	uint32_t low = 0, high = S_ISDIR(entry->mode) ? entry->count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *child = tree_name(tree, entry->first + middle);
		int order = strncmp(child, name, length);

		if (order == 0 && child[length] == '\0')
			return entry->first + middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

bool tree_find_path(const struct tree *tree, const char *path, uint32_t *ret_index)
{
	uint32_t index = 0;

	for (const char *name = path + 1; *name;) {
		size_t length = strcspn(name, "/");

		index = tree_find_child(tree, index, name, length);
		if (index == 0)
			return false;
		name += length;
		name += *name == '/';
	}
	*ret_index = index;
	return true;
}

size_t tree_path_length(const struct tree *tree, uint32_t index)
{
	size_t length = 0;

	for (uint32_t i = index; i != 0; i = tree->entries[i].parent)
		length += strlen(tree_name(tree, i)) + 1;
	return length;
}

char *tree_path(const struct tree *tree, uint32_t index)
{
	size_t length = tree_path_length(tree, index);
	char *path, *at;

	path = malloc(length ? length + 1 : 2);
	if (!path)
		return NULL;
	if (!length) {
		strcpy(path, "/");
		return path;
	}
	at = path + length;
	*at = '\0';
	for (uint32_t i = index; i != 0; i = tree->entries[i].parent) {
		size_t name_length = strlen(tree_name(tree, i));

		at -= name_length;
		memcpy(at, tree_name(tree, i), name_length);
		*--at = '/';
	}
	return path;
}

struct path_text tree_path_text(const struct tree *tree, uint32_t index)
{
	_cleanup_free_ char *path = tree_path(tree, index);
	const char *shown = path ? path : tree_name(tree, index);
	struct path_text text = { "" };
	size_t length = strlen(shown), part = sizeof(text.text) / 2 - 4;

	if (length < sizeof(text.text)) {
		memcpy(text.text, shown, length + 1);
	} else {
		memcpy(text.text, shown, part);
		memcpy(text.text + part, "[...]", 5);
		memcpy(text.text + part + 5, shown + length - part, part + 1);
	}
	return text;
}

uint32_t device_encode(dev_t device)
{
	uint32_t major_number = major(device), minor_number = minor(device);

	return (minor_number & 0xff) | (major_number << 8) | ((minor_number & ~0xffu) << 12);
}

dev_t device_decode(uint32_t encoded)
{
	return makedev((encoded & 0xfff00) >> 8, (encoded & 0xff) | ((encoded >> 12) & 0xfff00));
}
