// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the index of an image to a tree. The index is not trusted: every offset and count is checked
 * before it is used, and the space of all inodes is accounted for, so that no image can
 * cause a read out of bounds, a loop, or memory use out of proportion to its size.
 */
#include "image/image-parse.h"

#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int parse_bad(const struct parse *parse, uint32_t index, const char *what)
{
	return report_error(-E_DAMAGED, "%s: the checkpoint is malformed: %s: %s",
			    parse->image->store->path,
			    parse->tree->count ? tree_path_text(parse->tree, index).text : "/",
			    what);
}

int parse_no_memory(const struct parse *parse, int r)
{
	return report_error(r, "%s: cannot read the checkpoint", parse->image->store->path);
}

/* The offset of inode @nid in the index, or UINT64_MAX if no inode can be there. */
static uint64_t inode_place(const struct parse *parse, uint64_t nid)
{
	uint64_t place;

	if (nid >= parse->area >> EROFS_NID_SHIFT)
		return UINT64_MAX;
	place = nid << EROFS_NID_SHIFT;
	if (place % INODE_BYTES || place < INODE_BYTES || place > parse->area - INODE_BYTES)
		return UINT64_MAX;
	return place;
}

/* Adds @length bytes of file data at block @block to the entry's extents. */
static int parse_data(struct parse *parse, uint32_t index, uint64_t block, uint64_t offset,
		      uint64_t length)
{
	struct image *image = parse->image;
	struct extent *last = image->extent_count ? &image->extents[image->extent_count - 1] : NULL;
	struct extent extent = { block * EROFS_BLOCK, offset, length, index };
	int r;

	if (extent.place < image->header.data_offset || extent.place > image->header.index_offset ||
	    length > image->header.index_offset - extent.place)
		return parse_bad(parse, index, "data outside of the data area");
	if (last && last->entry == index && last->offset + last->length == offset &&
	    last->place + last->length == extent.place) {
		last->length += length;
		return 0;
	}
	r = image_add_extent(image, &extent);
	parse->tree->entries[index].count++;
	return r < 0 ? parse_no_memory(parse, r) : 0;
}

static int parse_chunks(struct parse *parse, uint32_t index, uint32_t format, uint64_t place)
{
	struct entry *entry = &parse->tree->entries[index];
	unsigned int shift = EROFS_BLOCK_BITS + (format & EROFS_CHUNK_BITS_MASK);
	uint64_t chunks, chunk = 1ull << shift;
	int r;

	if (format & ~EROFS_CHUNK_BITS_MASK || entry->size == 0)
		return parse_bad(parse, index, "chunk format");
	chunks = ((entry->size - 1) >> shift) + 1;
	if (chunks > (parse->area - place) / 4)
		return parse_bad(parse, index, "chunk index");
	r = parse_claim(parse, index, place, 4 * chunks);
	if (r < 0)
		return r;
	entry->flags |= ENTRY_SPARSE;
	entry->chunk_bits = format & EROFS_CHUNK_BITS_MASK;
	for (uint64_t i = 0; i < chunks; i++) {
		uint64_t offset = i << shift;
		uint32_t block;

		memcpy(&block, parse->image->index + place + 4 * i, sizeof(block));
		if (block == EROFS_NULL_BLOCK)
			continue;
		r = parse_data(parse, index, block, offset,
			       entry->size - offset < chunk ? entry->size - offset : chunk);
		if (r < 0)
			return r;
		entry = &parse->tree->entries[index];
	}
	return 0;
}

/* Finds the bytes of a directory or link, in the area. */
static int parse_tail(struct parse *parse, uint32_t index, const struct erofs_inode *inode,
		      enum erofs_data_layout layout, uint64_t place)
{
	struct entry *entry = &parse->tree->entries[index];
	uint64_t first = parse->image->header.index_offset / EROFS_BLOCK;
	uint64_t block = inode->data;

	if (layout == EROFS_PLAIN && block >= first)
		place = (block - first) * EROFS_BLOCK;
	else if (layout != EROFS_INLINE || block || place % EROFS_BLOCK + entry->size > EROFS_BLOCK)
		return parse_bad(parse, index, "location of a directory or link");
	if (entry->size == 0 || place > parse->area || entry->size > parse->area - place)
		return parse_bad(parse, index, "location of a directory or link");
	entry->data = place;
	return parse_claim(parse, index, place, entry->size);
}

static int parse_link(struct parse *parse, uint32_t index, const uint8_t *target)
{
	struct entry *entry = &parse->tree->entries[index];
	uint32_t offset;
	int r;

	if (entry->size >= PATH_MAX || memchr(target, '\0', entry->size))
		return parse_bad(parse, index, "target of the symbolic link");
	r = tree_add_string(parse->tree, (const char *)target, entry->size, &offset);
	if (r < 0)
		return parse_no_memory(parse, r);
	entry->first = offset;
	return 0;
}

static int parse_inode(struct parse *parse, uint32_t index, uint64_t place)
{
	struct entry *entry = &parse->tree->entries[index];
	struct erofs_inode inode;
	uint64_t xattrs = 0, behind;
	uint32_t format, layout;
	int r;

	memcpy(&inode, parse->image->index + place, sizeof(inode));
	format = inode.format;
	layout = format >> 1;
	if (!(format & 1) || inode.reserved ||
	    !parse_is_zero(inode.reserved2, sizeof(inode.reserved2)) ||
	    (layout != EROFS_PLAIN && layout != EROFS_INLINE && layout != EROFS_CHUNKS))
		return parse_bad(parse, index, "inode format");
	if (inode.xattr_count)
		xattrs = sizeof(struct erofs_xattr_header) + 4ull * (inode.xattr_count - 1u);
	behind = place + INODE_BYTES + xattrs;
	if (behind > parse->area)
		return parse_bad(parse, index, "extended attributes");
	r = parse_claim(parse, index, place, INODE_BYTES + xattrs);
	if (r < 0)
		return r;
	entry->mode = inode.mode;
	entry->size = inode.size;
	entry->uid = inode.uid;
	entry->gid = inode.gid;
	entry->mtime = inode.mtime;
	entry->mtime_nsec = inode.mtime_nsec;
	entry->inode = place >> EROFS_NID_SHIFT;
	/* The owner -1 is not valid: to chown(2) it means "unchanged". */
	if (entry->mtime_nsec >= 1000000000 || entry->size > INT64_MAX ||
	    entry->uid == UINT32_MAX || entry->gid == UINT32_MAX)
		return parse_bad(parse, index, "inode");
	r = parse_xattrs(parse, index, place, xattrs);
	if (r < 0)
		return r;
	entry = &parse->tree->entries[index];

	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		if (layout == EROFS_CHUNKS)
			return parse_chunks(parse, index, inode.data, behind);
		if (layout != EROFS_PLAIN || (entry->size == 0 && inode.data))
			return parse_bad(parse, index, "inode format");
		return entry->size ? parse_data(parse, index, inode.data, 0, entry->size) : 0;
	case S_IFDIR:
	case S_IFLNK:
		r = parse_tail(parse, index, &inode, layout, behind);
		if (r < 0 || S_ISDIR(entry->mode))
			return r;
		return parse_link(parse, index, parse->image->index + entry->data);
	case S_IFCHR:
	case S_IFBLK:
		entry->device = inode.data;
		/* fallthrough */
	case S_IFIFO:
	case S_IFSOCK:
		return layout == EROFS_PLAIN && entry->size == 0 && inode.data == entry->device
			       ? 0
			       : parse_bad(parse, index, "inode format");
	default:
		return parse_bad(parse, index, "file type");
	}
}

static uint8_t type_of(uint32_t mode)
{
	static const uint8_t types[16] = {
		[S_IFREG >> 12] = EROFS_TYPE_REGULAR,	[S_IFDIR >> 12] = EROFS_TYPE_DIRECTORY,
		[S_IFCHR >> 12] = EROFS_TYPE_CHARACTER, [S_IFBLK >> 12] = EROFS_TYPE_BLOCK,
		[S_IFIFO >> 12] = EROFS_TYPE_FIFO,	[S_IFSOCK >> 12] = EROFS_TYPE_SOCKET,
		[S_IFLNK >> 12] = EROFS_TYPE_SYMLINK,
	};

	return types[(mode & S_IFMT) >> 12];
}

/* Adds the child @name; a further name of a known inode becomes a hard link. */
static int parse_child(struct parse *parse, uint32_t directory, const char *name, size_t length,
		       const struct erofs_dirent *dirent)
{
	uint64_t place = inode_place(parse, dirent->nid);
	uint32_t *known, index;
	int r;

	r = tree_add(parse->tree, directory, name, length, &index);
	if (r < 0)
		return parse_no_memory(parse, r);
	if (place == UINT64_MAX)
		return parse_bad(parse, index, "inode number");
	known = &parse->entry_of[place / INODE_BYTES];
	if (*known) {
		struct entry *entry = &parse->tree->entries[index];
		uint32_t name_offset = entry->name;

		if (S_ISDIR(parse->tree->entries[*known - 1].mode))
			return parse_bad(parse, index, "a directory with two names");
		*entry = parse->tree->entries[*known - 1];
		entry->parent = directory;
		entry->name = name_offset;
	} else {
		*known = index + 1;
		r = parse_inode(parse, index, place);
		if (r < 0)
			return r;
	}
	if (dirent->type != type_of(parse->tree->entries[index].mode))
		return parse_bad(parse, index, "file type");
	return 0;
}

/* What of a directory has been seen so far. */
struct listing {
	unsigned int dots;
	const char *last; /* the name before */
	size_t last_length;
};

/* Names are sorted bytewise, "." and ".." among them. */
static bool is_in_order(struct listing *listing, const char *name, size_t length)
{
	size_t common = length < listing->last_length ? length : listing->last_length;
	int order = listing->last ? memcmp(listing->last, name, common) : -1;
	bool in_order = order < 0 || (order == 0 && listing->last_length < length);

	listing->last = name;
	listing->last_length = length;
	return in_order;
}

static int parse_directory_block(struct parse *parse, uint32_t directory, const uint8_t *block,
				 size_t bytes, bool whole, struct listing *listing)
{
	const struct tree *tree = parse->tree;
	struct erofs_dirent dirent, next;
	size_t count, first_name;
	int r;

	if (bytes < sizeof(dirent))
		return parse_bad(parse, directory, "directory block");
	memcpy(&dirent, block, sizeof(dirent));
	first_name = dirent.name_offset;
	count = first_name / sizeof(dirent);
	if (first_name % sizeof(dirent) || count == 0 || first_name > bytes)
		return parse_bad(parse, directory, "directory block");
	for (size_t i = 0; i < count; i++) {
		size_t start, end;
		const char *name;

		memcpy(&dirent, block + i * sizeof(dirent), sizeof(dirent));
		if (dirent.reserved)
			return parse_bad(parse, directory, "directory block");
		start = dirent.name_offset;
		end = bytes;
		if (i + 1 < count) {
			memcpy(&next, block + (i + 1) * sizeof(next), sizeof(next));
			end = next.name_offset;
		}
		if (start < first_name || end <= start || end > bytes)
			return parse_bad(parse, directory, "directory block");
		name = (const char *)block + start;
		/* Only the last name in a whole block may be followed by padding. */
		if (i + 1 == count && whole)
			end = start + strnlen(name, end - start);
		if (end == start || memchr(name, '\0', end - start) ||
		    end - start > EROFS_NAME_MAX || memchr(name, '/', end - start))
			return parse_bad(parse, directory, "name in the directory");
		if (i + 1 == count && !parse_is_zero(block + end, bytes - end))
			return parse_bad(parse, directory, "directory block");
		if (!is_in_order(listing, name, end - start))
			return parse_bad(parse, directory, "order of the directory");
		if (end - start <= 2 && memcmp(name, "..", end - start) == 0) {
			uint32_t other =
				end - start == 1 ? directory : tree->entries[directory].parent;

			if (dirent.type != EROFS_TYPE_DIRECTORY ||
			    dirent.nid != tree->entries[other].inode)
				return parse_bad(parse, directory,
						 "\".\" or \"..\" in the directory");
			listing->dots |= 1u << (end - start);
			continue;
		}
		r = parse_child(parse, directory, name, end - start, &dirent);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_directory(struct parse *parse, uint32_t index)
{
	uint64_t size = parse->tree->entries[index].size, data = parse->tree->entries[index].data;
	struct listing listing = { 0 };
	int r;

	parse->tree->entries[index].first = parse->tree->count;
	for (uint64_t at = 0; at < size; at += EROFS_BLOCK) {
		r = parse_directory_block(parse, index, parse->image->index + data + at,
					  size - at < EROFS_BLOCK ? size - at : EROFS_BLOCK,
					  size - at > EROFS_BLOCK, &listing);
		if (r < 0)
			return r;
	}
	if (listing.dots != (1u << 1 | 1u << 2))
		return parse_bad(parse, index, "no \".\" or \"..\" in the directory");
	parse->tree->entries[index].count = parse->tree->count - parse->tree->entries[index].first;
	return 0;
}

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* No byte of the image belongs to two files, so that a restore is never larger than the image. */
static int check_extents(struct parse *parse)
{
	struct image *image = parse->image;

	if (image->extent_count > 1)
		qsort(image->extents, image->extent_count, sizeof(*image->extents),
		      compare_extents);
	for (size_t i = 1; i < image->extent_count; i++)
		if (image->extents[i - 1].place + image->extents[i - 1].length >
		    image->extents[i].place)
			return parse_bad(parse, image->extents[i].entry,
					 "data shared with another file");
	return 0;
}

/* What is said twice agrees: in header, superblock, inodes, and by the tree itself. */
static int check_counts(struct parse *parse)
{
	const struct image_header *header = &parse->image->header;
	const struct tree *tree = parse->tree;
	_cleanup_free_ uint8_t *seen = calloc(tree->count / 8 + 1, 1);
	struct erofs_super super;
	uint64_t inodes = 0;
	bool chunks = false;

	if (!seen)
		return parse_no_memory(parse, -ENOMEM);
	if (header->files != tree->count || header->file_bytes != tree->file_bytes)
		return parse_bad(parse, 0, "number or size of the files");
	for (uint32_t i = 0; i < tree->count; i++) {
		const struct entry *entry = &tree->entries[i];
		struct erofs_inode inode;

		if (entry->inode_entry != i)
			continue;
		memcpy(&inode, parse->image->index + (entry->inode << EROFS_NID_SHIFT),
		       sizeof(inode));
		if (inode.links != entry->links)
			return parse_bad(parse, i, "number of links");
		if (inode.ino == 0 || inode.ino > tree->count ||
		    seen[inode.ino / 8] & 1u << inode.ino % 8)
			return parse_bad(parse, i, "inode number");
		seen[inode.ino / 8] |= (uint8_t)(1u << inode.ino % 8);
		inodes++;
		chunks |= entry->flags & ENTRY_SPARSE;
	}
	super = image_super(header, inodes, chunks);
	if (memcmp(&super, parse->image->super, sizeof(super)) ||
	    !parse_is_zero(parse->image->super + sizeof(super),
			   sizeof(parse->image->super) - sizeof(super)))
		return parse_bad(parse, 0, "superblock");
	if (parse->extra_used != parse->extra_count)
		return parse_bad(parse, 0, "table of extra attributes");
	return 0;
}

static int parse_tree(struct parse *parse)
{
	struct tree *tree = parse->tree;
	uint64_t place = inode_place(parse, INODE_BYTES >> EROFS_NID_SHIFT);
	uint32_t index;
	int r;

	if (place == UINT64_MAX)
		return parse_bad(parse, 0, "no room for the root inode");
	r = tree_add(tree, 0, "", 0, &index);
	if (r < 0)
		return parse_no_memory(parse, r);
	parse->entry_of[place / INODE_BYTES] = 1;
	r = parse_inode(parse, 0, place);
	if (r == 0 && !S_ISDIR(tree->entries[0].mode))
		return parse_bad(parse, 0, "is not a directory");
	for (index = 0; index < tree->count && r == 0; index++)
		if (S_ISDIR(tree->entries[index].mode))
			r = parse_directory(parse, index);
	return r;
}

static int parse_all(struct parse *parse)
{
	int r;

	parse->entry_of = calloc(parse->area / INODE_BYTES + 1, sizeof(*parse->entry_of));
	if (!parse->entry_of)
		return parse_no_memory(parse, -ENOMEM);
	r = parse_table_directory(parse);
	if (r < 0)
		return r;
	r = parse_extra_table(parse);
	if (r < 0)
		return r;
	r = parse_tree(parse);
	if (r < 0)
		return r;
	r = check_extents(parse);
	if (r < 0)
		return r;
	r = parse_check_claims(parse);
	if (r < 0)
		return r;
	tree_count(parse->tree);
	r = check_counts(parse);
	return r < 0 ? r : parse_tables(parse);
}

int image_parse(struct image *image)
{
	struct parse parse = {
		.image = image,
		.tree = image->tree,
		.area = image->header.inodes_bytes,
		.left = image->header.inodes_bytes,
	};
	int r = parse_all(&parse);

	free(parse.entry_of);
	free(parse.claims);
	free(parse.extra);
	return r;
}
