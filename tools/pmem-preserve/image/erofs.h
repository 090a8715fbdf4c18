/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the EROFS on-disk format that our images use: uncompressed, 4 KiB blocks, extended
 * inodes, as in Linux 5.15 and later. Documentation/image-format.rst describes how the parts are put
 * together; on byte order, see image-format.h.
 */
#ifndef PMEM_PRESERVE_EROFS_H
#define PMEM_PRESERVE_EROFS_H

#include <stdint.h>

#define EROFS_MAGIC		     0xe0f5e1e2u
#define EROFS_SUPER_OFFSET	     1024
#define EROFS_BLOCK_BITS	     12
#define EROFS_BLOCK		     4096u
#define EROFS_COMPAT_MTIME	     0x2u
#define EROFS_INCOMPAT_CHUNKED	     0x4u
#define EROFS_NID_SHIFT		     5 /* a nid is a 32-byte slot, counted from the metadata's start */
#define EROFS_NULL_BLOCK	     0xffffffffu
#define EROFS_CHUNK_BITS_MASK	     0x1fu
#define EROFS_CHUNK_BITS_MAX	     31u
#define EROFS_NAME_MAX		     255u
#define EROFS_XATTR_VALUE_MAX	     65535u
#define EROFS_INLINE_XATTR_COUNT_MAX 65535u

struct erofs_super {
	uint32_t magic;
	uint32_t checksum;
	uint32_t feature_compat;
	uint8_t block_bits;
	uint8_t extension_slots;
	uint16_t root_nid;
	uint64_t inodes;
	uint64_t build_time;
	uint32_t build_time_nsec;
	uint32_t blocks;
	uint32_t meta_block;
	uint32_t xattr_block;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint16_t compression;
	uint16_t extra_devices;
	uint16_t device_table_slot;
	uint8_t directory_block_bits;
	uint8_t reserved[37];
};
_Static_assert(sizeof(struct erofs_super) == 128, "EROFS superblock");

enum erofs_data_layout {
	EROFS_PLAIN = 0,  /* one run of blocks */
	EROFS_INLINE = 2, /* the tail follows the inode, within one block */
	EROFS_CHUNKS = 4, /* an array of block addresses, one per chunk */
};

struct erofs_inode {
	uint16_t format; /* bit 0: extended; bits 1 to 3: erofs_data_layout */
	uint16_t xattr_count;
	uint16_t mode;
	uint16_t reserved;
	uint64_t size;
	uint32_t data; /* first block; device number; or chunk format */
	uint32_t ino;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t links;
	uint8_t reserved2[16];
};
_Static_assert(sizeof(struct erofs_inode) == 64, "EROFS extended inode");

struct erofs_dirent {
	uint64_t nid;
	uint16_t name_offset;
	uint8_t type;
	uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "EROFS directory entry");

enum erofs_file_type {
	EROFS_TYPE_UNKNOWN,
	EROFS_TYPE_REGULAR,
	EROFS_TYPE_DIRECTORY,
	EROFS_TYPE_CHARACTER,
	EROFS_TYPE_BLOCK,
	EROFS_TYPE_FIFO,
	EROFS_TYPE_SOCKET,
	EROFS_TYPE_SYMLINK,
};

/* After the inode if xattr_count is not 0; with all xattrs 12 + 4 * (xattr_count - 1) bytes. */
struct erofs_xattr_header {
	uint32_t name_filter;
	uint8_t shared_count;
	uint8_t reserved[7];
};
_Static_assert(sizeof(struct erofs_xattr_header) == 12, "EROFS xattr header");

/* Followed by the name without its prefix, and the value; padded to 4 bytes. */
struct erofs_xattr_entry {
	uint8_t name_length;
	uint8_t prefix;
	uint16_t value_length;
};

enum erofs_xattr_prefix {
	EROFS_XATTR_USER = 1,
	EROFS_XATTR_ACL_ACCESS = 2,
	EROFS_XATTR_ACL_DEFAULT = 3,
	EROFS_XATTR_TRUSTED = 4,
	EROFS_XATTR_SECURITY = 6,
};

static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

#endif
