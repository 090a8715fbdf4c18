/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory tree as a list of entries, read from disk (walk.h) or from an image. Parents come
 * before their children; the children of a directory are consecutive and sorted by name, bytewise.
 */
#ifndef PMEM_PRESERVE_TREE_H
#define PMEM_PRESERVE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum entry_flags {
	ENTRY_ANCESTOR = 1 << 0, /* only leads to what is checkpointed: "/var" of /var/state */
	ENTRY_ROOT = 1 << 1,	 /* one of the paths that are checkpointed */
	ENTRY_SPARSE = 1 << 2,	 /* a regular file with holes; it may have no data at all */
	ENTRY_DAMAGED = 1 << 3,	 /* in the image, some of its data is damaged (image_verify()) */
	ENTRY_CHANGED =
		1 << 4, /* changed while a lenient checkpoint read it; of a directory: its names */
	ENTRY_LEADS = 1 << 5, /* only if read from disk: a directory above one of the paths */
};

struct entry {
	uint64_t size;	/* regular: bytes; symlink: length of the target */
	uint64_t inode; /* st_ino; in an image, its nid */
	uint64_t data; /* in metadata, offset of: inode; parsed directory: blocks; walk: mount id */
	int64_t mtime;
	int64_t ctime; /* only if read from disk */
	uint32_t mtime_nsec;
	uint32_t ctime_nsec;
	uint32_t parent;
	uint32_t name;	      /* see tree_name() */
	uint32_t inode_entry; /* the first entry of the same inode: itself, except for hard links */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t device; /* character and block devices: see device_encode() */
	uint32_t links;	 /* names of this inode in the tree (counted at inode_entry) */
	uint32_t xattrs; /* a set, see tree_xattrs_begin(); 0: none */
	uint32_t first;	 /* directory: first child; sparse: first range; symlink: target in names */
	uint32_t count;	 /* directory: children; sparse: ranges; in an image, regular: extents */
	uint32_t filesystem; /* st_dev, encoded; only if read from disk */
	uint16_t flags;	     /* enum entry_flags */
	uint8_t chunk_bits;  /* sparse, in an image: a chunk has 4096 << chunk_bits bytes */
};

/* Data ranges of sparse files begin and end at multiples of this, or at the end of the file. */
#define TREE_BLOCK 4096u

/* A range of data of a sparse file, in bytes. */
struct range {
	uint64_t offset;
	uint64_t length;
};

/*
 * What a lenient checkpoint left out: a path with all that is beneath it, the data of a file that is
 * zeroes now, or the extended attributes of what is there.
 */
struct tree_unsaved {
	char *path; /* absolute, or as it was named if it does not exist */
	int error;  /* -errno */
};

struct tree {
	struct entry *entries; /* [0] is "/" */
	uint32_t count, capacity;
	char *names; /* NUL-terminated strings */
	size_t names_used, names_capacity;
	uint8_t *xattrs; /* sets: struct xattr_set */
	size_t xattrs_used, xattrs_capacity;
	struct range *ranges;
	uint32_t range_count, range_capacity;
	char **paths; /* absolute: the paths that are checkpointed */
	size_t path_count;
	uint64_t file_bytes; /* sum of the sizes of regular files, each inode once */
	bool lenient; /* saves what it can: marks files that change, leaves out what it cannot read */
	struct tree_unsaved *unsaved;
	uint32_t unsaved_count;
};

/* The xattrs of one inode: followed by @bytes bytes of packed records {lengths, name, value}. */
struct xattr_set {
	uint32_t bytes;
	uint32_t count;
};
struct xattr {
	const char *name; /* full, "user.x"; NUL-terminated */
	const uint8_t *value;
	uint32_t value_length;
};

int tree_new(struct tree **ret_tree);
void tree_free(struct tree *tree);
static inline void cleanup_tree(struct tree **tree)
{
	tree_free(*tree);
}
#define _cleanup_tree_ __attribute__((cleanup(cleanup_tree)))

/* Appends an entry, zeroed except @parent and @name. -ENOMEM, or -EOVERFLOW (beyond 2^32). */
int tree_add(struct tree *tree, uint32_t parent, const char *name, size_t name_length,
	     uint32_t *ret_index);
int tree_add_string(struct tree *tree, const char *text, size_t length, uint32_t *ret_offset);
int tree_add_range(struct tree *tree, uint64_t offset, uint64_t length);
int tree_add_unsaved(struct tree *tree, const char *path, int error);

/* Moves what @other has left out to the end of the list of @tree. */
int tree_adopt_unsaved(struct tree *tree, struct tree *other);

/*
 * Appends the strings, xattrs and ranges of @other. The @count entries of @tree in @owners have
 * offsets into those of @other, which are adjusted. -ENOMEM, or -EOVERFLOW (beyond 2^32).
 */
int tree_adopt(struct tree *tree, const struct tree *other, const uint32_t *owners, size_t count);

/* Xattr sets: add records between begin and end. A set equal to @previous_set is stored once. */
int tree_xattrs_begin(struct tree *tree, uint32_t *ret_set);
int tree_xattrs_add(struct tree *tree, uint32_t set, const char *name, size_t name_length,
		    const void *value, size_t value_length);
void tree_xattrs_end(struct tree *tree, uint32_t *set, uint32_t previous_set);

/* Iterates: *cursor is NULL at first. False at the end, and for set 0. */
bool tree_next_xattr(const struct tree *tree, uint32_t set, const uint8_t **cursor,
		     struct xattr *ret_xattr);

static inline const char *tree_name(const struct tree *tree, uint32_t index)
{
	return tree->names + tree->entries[index].name;
}

static inline const char *tree_target(const struct tree *tree, uint32_t index)
{
	return tree->names + tree->entries[index].first;
}

/* Counts links and bytes, once all entries have been added. */
void tree_count(struct tree *tree);

/* The child of that name; 0 if there is none, as the root is never a child. */
uint32_t tree_find_child(const struct tree *tree, uint32_t directory, const char *name,
			 size_t length);

/* The entry at the absolute @path; false if there is none. */
bool tree_find_path(const struct tree *tree, const char *path, uint32_t *ret_index);

size_t tree_path_length(const struct tree *tree, uint32_t index);

/* The absolute path of an entry, to be freed; NULL when out of memory. */
char *tree_path(const struct tree *tree, uint32_t index);

/* The same for messages: never NULL, and shortened in the middle if it is very long. */
struct path_text {
	char text[512];
};
struct path_text tree_path_text(const struct tree *tree, uint32_t index);

/* Device numbers in the kernel's 32-bit encoding, new_encode_dev(), which EROFS uses on disk. */
uint32_t device_encode(dev_t device);
dev_t device_decode(uint32_t encoded);

#endif
