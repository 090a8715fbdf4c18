// SPDX-License-Identifier: GPL-2.0-or-later
/* The metadata of an image: inodes, xattrs, directories, and the table of extra xattrs. */
#include "image/image-internal.h"
#include "image/xattr-prefix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Inodes begin at multiples of this, so that none crosses a block. */
#define INODE_ALIGN sizeof(struct erofs_inode)

/* The most inline xattrs that an inode can have: the count has 16 bits. */
#define INLINE_XATTRS_MAX (4ull * (EROFS_INLINE_XATTR_COUNT_MAX - 1))

static bool holds_inode(const struct tree *tree, uint32_t index)
{
	return tree->entries[index].inode_entry == index;
}

static uint64_t xattr_entry_bytes(const struct xattr *xattr, const struct xattr_prefix *prefix)
{
	return align_up(sizeof(struct erofs_xattr_entry) + strlen(xattr->name) - prefix->length +
				xattr->value_length,
			4);
}

/* The prefix if the xattr is stored after the inode (adds to *used); NULL: in the extra table. */
static const struct xattr_prefix *inline_prefix(const struct xattr *xattr, uint64_t *used)
{
	const struct xattr_prefix *prefix = xattr_prefix_of(xattr->name);
	uint64_t bytes;

	if (!prefix || xattr->value_length > EROFS_XATTR_VALUE_MAX)
		return NULL;
	bytes = xattr_entry_bytes(xattr, prefix);
	if (*used + bytes > INLINE_XATTRS_MAX)
		return NULL;
	*used += bytes;
	return prefix;
}

static uint64_t extra_record_bytes(const struct xattr *xattr)
{
	return align_up(sizeof(struct image_extra_xattr) + strlen(xattr->name) +
				xattr->value_length,
			8);
}

/* Bytes of xattrs after the inode, with their header; adds those in the extra table to *extra. */
static uint64_t measure_xattrs(const struct tree *tree, uint32_t set, uint64_t *extra)
{
	const uint8_t *cursor = NULL;
	struct xattr xattr;
	uint64_t used = 0;

	while (tree_next_xattr(tree, set, &cursor, &xattr))
		if (!inline_prefix(&xattr, &used))
			*extra += extra_record_bytes(&xattr);
	return used ? used + sizeof(struct erofs_xattr_header) : 0;
}

/* The names in a directory, sorted, including "." and "..". */
struct listing {
	const struct tree *tree;
	uint32_t directory;
	uint32_t dot, dotdot; /* children that sort before them */
	uint32_t count;
};

static struct listing list(const struct tree *tree, uint32_t directory)
{
	const struct entry *entry = &tree->entries[directory];
	struct listing listing = { .tree = tree,
				   .directory = directory,
				   .count = entry->count + 2 };

	while (listing.dot < entry->count &&
	       strcmp(tree_name(tree, entry->first + listing.dot), ".") < 0)
		listing.dot++;
	listing.dotdot = listing.dot;
	while (listing.dotdot < entry->count &&
	       strcmp(tree_name(tree, entry->first + listing.dotdot), "..") < 0)
		listing.dotdot++;
	return listing;
}

static const char *listing_at(const struct listing *listing, uint32_t at, uint32_t *ret_entry)
{
	const struct entry *directory = &listing->tree->entries[listing->directory];

	if (at == listing->dot) {
		*ret_entry = listing->directory;
		return ".";
	}
	if (at == listing->dotdot + 1) {
		*ret_entry = directory->parent;
		return "..";
	}
	at -= (at > listing->dot) + (at > listing->dotdot + 1);
	*ret_entry = directory->first + at;
	return tree_name(listing->tree, directory->first + at);
}

static uint8_t file_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return EROFS_TYPE_REGULAR;
	case S_IFDIR:
		return EROFS_TYPE_DIRECTORY;
	case S_IFCHR:
		return EROFS_TYPE_CHARACTER;
	case S_IFBLK:
		return EROFS_TYPE_BLOCK;
	case S_IFIFO:
		return EROFS_TYPE_FIFO;
	case S_IFSOCK:
		return EROFS_TYPE_SOCKET;
	case S_IFLNK:
		return EROFS_TYPE_SYMLINK;
	default:
		return EROFS_TYPE_UNKNOWN;
	}
}

/* Writes the directory's blocks to @out unless it is NULL. Returns their size in bytes. */
static uint64_t emit_directory(const struct tree *tree, uint32_t directory, uint8_t *out)
{
	struct listing listing = list(tree, directory);
	uint64_t total = 0;
	uint32_t at = 0, unused;

	while (at < listing.count) {
		size_t used = 0, length, name_offset;
		uint32_t end = at;

		for (; end < listing.count; end++) {
			length = sizeof(struct erofs_dirent) +
				 strlen(listing_at(&listing, end, &unused));
			if (used + length > EROFS_BLOCK)
				break;
			used += length;
		}
		name_offset = (end - at) * sizeof(struct erofs_dirent);
		for (uint32_t i = at; out && i < end; i++) {
			uint32_t index;
			const char *name = listing_at(&listing, i, &index);
			const struct entry *entry = &tree->entries[index];
			struct erofs_dirent dirent = {
				.nid = tree->entries[entry->inode_entry].data >> EROFS_NID_SHIFT,
				.name_offset = (uint16_t)name_offset,
				.type = file_type(entry->mode),
			};

			memcpy(out + total + (i - at) * sizeof(dirent), &dirent, sizeof(dirent));
			memcpy(out + total + name_offset, name, strlen(name));
			name_offset += strlen(name);
		}
		total += end < listing.count ? EROFS_BLOCK : used;
		at = end;
	}
	return total;
}

/* The size of what may follow an inode and its xattrs: a directory, or the target of a link. */
static uint64_t tail_bytes(const struct entry *entry)
{
	return S_ISDIR(entry->mode) || S_ISLNK(entry->mode) ? entry->size : 0;
}

/* All of it has to fit into one block; the root cannot begin with one, since there is no nid of 0. */
static bool tail_is_inline(const struct tree *tree, uint32_t index, uint64_t xattrs)
{
	uint64_t tail = tail_bytes(&tree->entries[index]);

	return tail && (index ? 0 : INODE_ALIGN) + sizeof(struct erofs_inode) + xattrs + tail <=
			       EROFS_BLOCK;
}

static uint64_t chunk_index_bytes(const struct entry *entry)
{
	unsigned int shift = EROFS_BLOCK_BITS + entry->chunk_bits;

	if (!(entry->flags & ENTRY_SPARSE) || entry->size == 0)
		return 0;
	return 4 * (((entry->size - 1) >> shift) + 1);
}

uint64_t image_measure_metadata(struct image *image, uint64_t *ret_blocks)
{
	struct tree *tree = image->tree;
	/* Not at 0: a nid of 0 would be inode number 0. */
	uint64_t place = INODE_ALIGN, blocks = 0, extra = 0;

	for (uint32_t i = 0; i < tree->count; i++) {
		struct entry *entry = &tree->entries[i];
		uint64_t xattrs, tail;

		if (S_ISDIR(entry->mode))
			entry->size = emit_directory(tree, i, NULL);
		if (!holds_inode(tree, i))
			continue;
		xattrs = measure_xattrs(tree, entry->xattrs, &extra);
		tail = tail_bytes(entry);
		place = align_up(place, INODE_ALIGN);
		if (tail_is_inline(tree, i, xattrs)) {
			uint64_t start = place + sizeof(struct erofs_inode) + xattrs;

			if (start / EROFS_BLOCK != (start + tail - 1) / EROFS_BLOCK)
				place = align_up(place, EROFS_BLOCK);
		}
		entry->data = place;
		place += sizeof(struct erofs_inode) + xattrs;
		if (tail_is_inline(tree, i, xattrs))
			place += tail;
		else
			blocks += align_up(tail, EROFS_BLOCK);
		place += chunk_index_bytes(entry);
	}
	*ret_blocks = align_up(place, EROFS_BLOCK);
	image->header.inodes_bytes = *ret_blocks + blocks;
	return extra;
}

static void emit_xattrs(const struct image *image, uint32_t index, uint8_t *out, uint8_t **extra)
{
	const struct entry *entry = &image->tree->entries[index];
	uint8_t *at = out + sizeof(struct erofs_xattr_header);
	const uint8_t *cursor = NULL;
	struct xattr xattr;
	uint64_t used = 0;

	while (tree_next_xattr(image->tree, entry->xattrs, &cursor, &xattr)) {
		const struct xattr_prefix *prefix = inline_prefix(&xattr, &used);
		size_t name_length = strlen(xattr.name);

		if (prefix) {
			struct erofs_xattr_entry record = {
				.name_length = (uint8_t)(name_length - prefix->length),
				.prefix = prefix->number,
				.value_length = (uint16_t)xattr.value_length,
			};

			memcpy(at, &record, sizeof(record));
			memcpy(at + sizeof(record), xattr.name + prefix->length,
			       record.name_length);
			memcpy(at + sizeof(record) + record.name_length, xattr.value,
			       xattr.value_length);
			at += xattr_entry_bytes(&xattr, prefix);
		} else {
			struct image_extra_xattr record = {
				.nid = entry->data >> EROFS_NID_SHIFT,
				.value_length = xattr.value_length,
				.name_length = (uint32_t)name_length,
			};

			memcpy(*extra, &record, sizeof(record));
			memcpy(*extra + sizeof(record), xattr.name, name_length);
			memcpy(*extra + sizeof(record) + name_length, xattr.value,
			       xattr.value_length);
			*extra += extra_record_bytes(&xattr);
		}
	}
}

/* Block addresses of all chunks; @extent is the file's first extent. */
static size_t emit_chunks(const struct image *image, uint32_t index, size_t extent, uint8_t *out)
{
	const struct entry *entry = &image->tree->entries[index];
	unsigned int shift = EROFS_BLOCK_BITS + entry->chunk_bits;

	memset(out, 0xff, chunk_index_bytes(entry));
	for (; extent < image->extent_count && image->extents[extent].entry == index; extent++) {
		const struct extent *run = &image->extents[extent];

		for (uint64_t done = 0; done < run->length; done += 1ull << shift) {
			uint32_t block = (uint32_t)((run->place + done) / EROFS_BLOCK);

			memcpy(out + 4 * ((run->offset + done) >> shift), &block, sizeof(block));
		}
	}
	return extent;
}

void image_emit_metadata(struct image *image, uint64_t blocks)
{
	const struct tree *tree = image->tree;
	uint8_t *extra = image->index + image->tables[IMAGE_TABLE_EXTRA].offset;
	uint64_t ignored = 0;
	size_t extent = 0;

	for (uint32_t i = 0; i < tree->count; i++) {
		const struct entry *entry = &tree->entries[i];
		uint8_t *at = image->index + entry->data, *tail;
		enum erofs_data_layout layout = EROFS_PLAIN;
		struct erofs_inode inode;
		uint64_t xattrs;

		if (!holds_inode(tree, i))
			continue;
		xattrs = measure_xattrs(tree, entry->xattrs, &ignored);
		inode = (struct erofs_inode){
			.mode = (uint16_t)entry->mode,
			.size = S_ISREG(entry->mode) ? entry->size : tail_bytes(entry),
			.ino = i + 1,
			.uid = entry->uid,
			.gid = entry->gid,
			.mtime = entry->mtime,
			.mtime_nsec = entry->mtime_nsec,
			.links = entry->links,
		};
		if (xattrs)
			inode.xattr_count =
				(uint16_t)((xattrs - sizeof(struct erofs_xattr_header)) / 4 + 1);
		emit_xattrs(image, i, at + sizeof(inode), &extra);
		tail = at + sizeof(inode) + xattrs;
		if (tail_is_inline(tree, i, xattrs)) {
			layout = EROFS_INLINE;
		} else if (tail_bytes(entry)) {
			inode.data =
				(uint32_t)((image->header.index_offset + blocks) / EROFS_BLOCK);
			tail = image->index + blocks;
			blocks += align_up(entry->size, EROFS_BLOCK);
		}
		if (S_ISDIR(entry->mode)) {
			emit_directory(tree, i, tail);
		} else if (S_ISLNK(entry->mode)) {
			memcpy(tail, tree_target(tree, i), entry->size);
		} else if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) {
			inode.data = entry->device;
		} else if (S_ISREG(entry->mode) && entry->size && (entry->flags & ENTRY_SPARSE)) {
			layout = EROFS_CHUNKS;
			inode.data = entry->chunk_bits;
			extent = emit_chunks(image, i, extent, tail);
		} else if (S_ISREG(entry->mode) && entry->size) {
			inode.data = (uint32_t)(image->extents[extent++].place / EROFS_BLOCK);
		}
		inode.format = (uint16_t)(1 | layout << 1);
		memcpy(at, &inode, sizeof(inode));
	}
}
