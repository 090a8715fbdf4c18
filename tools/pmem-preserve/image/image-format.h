/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our images have in addition to EROFS: the header in the first 1024 bytes, tables, digests, and
 * a copy of all that says what an image holds. Specified in Documentation/image-format.rst.
 *
 * All numbers in an image, those of EROFS as well, are little endian, and are read and written
 * without conversion: the program does not build for big-endian machines.
 *
 *	0	    header
 *	1024	    EROFS superblock
 *	1 MiB + 4K  copy of these 4 KiB, with a magic of its own
 *	1 MiB + 8K  copy of the index
 *	data	    file data, each extent from a block's start
 *	index	    inodes, directory blocks; typed tables; a tree of digests, one for each block
 */
#ifndef PMEM_PRESERVE_IMAGE_FORMAT_H
#define PMEM_PRESERVE_IMAGE_FORMAT_H

#include <endian.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "images are little endian");

#define IMAGE_MAGIC	   "pmem-preserve\r\n\x1a"
#define IMAGE_COPY_MAGIC   "pmem-preserve\r\n\x1b"
#define IMAGE_VERSION	   3u
#define IMAGE_HEADER_BYTES 1024u
#define IMAGE_BLOCK	   4096u
#define IMAGE_FIRST_BLOCK  4096u      /* header and superblock */
#define IMAGE_SEGMENT	   (1u << 20) /* what a block of leaves covers, and a thread writes at once */
#define IMAGE_SPAN	   (2u << 20) /* one huge page; large files begin at multiples of it */

/* No damaged range of this size hits both copies of anything. */
#define IMAGE_APART	   (1u << 20)
#define IMAGE_COPY_OFFSET  (IMAGE_APART + IMAGE_FIRST_BLOCK)
#define IMAGE_INDEX_COPY   (IMAGE_COPY_OFFSET + IMAGE_FIRST_BLOCK)
#define IMAGE_DATA_MINIMUM 12288u /* so that the copies of a small index lie that far apart */

/* Bits that this program knows. Unknown ones: ignored; not to be changed; not to be read. */
#define IMAGE_FEATURES_COMPAT	 0u
#define IMAGE_FEATURES_RO_COMPAT 0u
#define IMAGE_FEATURES_INCOMPAT	 0u

#define IMAGE_GENERATION_MAX (UINT64_MAX / 2)

/*
 * The phase is one aligned 64-bit word that is not covered by the header's digest, so that a commit
 * is one atomic store. Any two values differ in at least 25 bits, so that a few flipped bits cannot
 * turn one into another.
 */
#define IMAGE_PHASE_WRITING   0x5752495449e74e47ull
#define IMAGE_PHASE_COMMITTED 0xa4d3b2ab961ab1b8ull
#define IMAGE_PHASE_RESTORED  0x3c5a6996c3a5c33cull

struct image_digest {
	uint8_t bytes[16]; /* XXH3-128, canonical (big endian) form; or a MAC */
};

/* How the digests of segments and table are made. */
#define IMAGE_SEAL_PLAIN 0u /* XXH3-128 */
#define IMAGE_SEAL_KEYED 1u /* Poly1305 and HMAC-SHA-256, with keys derived from the key file */

enum timeline_event {
	TIMELINE_NONE,
	TIMELINE_BEGIN,		 /* checkpoint was called */
	TIMELINE_MEMORY_REMOVED, /* the range is no longer RAM */
	TIMELINE_WRITE,		 /* copying begins */
	TIMELINE_COMMITTED,
	TIMELINE_RESTORE, /* restore was called */
	TIMELINE_RESTORED,
	TIMELINE_STOP, /* the services began to stop, for the kexec */
	TIMELINE_EVENTS,
};

/* When things happened, in ns since the Unix epoch; 0 if they did not. For information only. */
struct image_timeline {
	uint64_t at[16]; /* by timeline_event */
	struct image_digest digest;
};

struct image_header {
	uint8_t magic[16];
	uint64_t phase;
	uint32_t version;
	uint32_t header_bytes;
	uint32_t feature_compat;
	uint32_t feature_ro_compat;
	uint32_t feature_incompat;
	uint32_t seal; /* IMAGE_SEAL_* */
	uint8_t uuid[16];
	uint64_t generation;  /* one more than that of the previous image there */
	uint64_t store_bytes; /* size of the device it was written to; 0: a regular file */
	uint64_t image_bytes; /* total size, a multiple of 4096 */
	uint64_t data_offset;
	uint64_t index_offset;
	uint64_t index_bytes;	    /* of one of the two */
	uint64_t index_copy_offset; /* IMAGE_INDEX_COPY */
	uint64_t inodes_bytes;	    /* inodes and directories, the first part of the index */
	uint64_t tables_bytes;	    /* the second part: a directory of tables, and these */
	uint64_t table_count;
	uint64_t digests_bytes; /* the third part */
	uint64_t files;		/* names in the image, including directories */
	uint64_t file_bytes;	/* sum of the sizes of regular files */
	uint64_t marked;	/* inodes that changed while they were saved */
	uint64_t unsaved;	/* paths that could not be saved */
	uint64_t created_ns;
	uint8_t hostname[64]; /* NUL padded */
	uint8_t kernel[64];
	struct image_digest root_digest;  /* of the top of the tree of digests */
	struct image_digest super_digest; /* of what follows the header in the first block */
	struct image_digest header_mac;	  /* of the header, what changes zeroed; plain: zero */
	uint8_t reserved[496];
	struct image_timeline timeline;	   /* with its own digest; not covered by the header's */
	struct image_digest header_digest; /* of the header with phase, timeline and this zeroed */
};
_Static_assert(sizeof(struct image_header) == IMAGE_HEADER_BYTES, "image header");

/* A record of the directory of tables. */
struct image_table_record {
	uint32_t type; /* enum image_table_type */
	uint32_t flags;
	uint64_t offset; /* from the index's start */
	uint64_t length; /* bytes, not padded */
	uint64_t reserved;
};
_Static_assert(sizeof(struct image_table_record) == 32, "record of a table");

#define IMAGE_TABLE_INCOMPATIBLE 1u /* whoever does not know it must not read the image */

enum image_table_type {
	IMAGE_TABLE_PATHS = 1,	 /* absolute paths that were checkpointed, NUL-terminated */
	IMAGE_TABLE_EXTRA = 2,	 /* xattrs that EROFS cannot represent */
	IMAGE_TABLE_MARKS = 3,	 /* a bit for each i_ino from 1 on: it changed while it was saved */
	IMAGE_TABLE_UNSAVED = 4, /* paths that could not be saved, and why */
	IMAGE_TABLE_TYPES,
};

/*
 * A record of the table of extra xattrs; name and value follow, padded to 8 bytes. EROFS cannot
 * represent a value of 64 KiB, an unknown prefix, or more than 256 KiB per inode.
 */
struct image_extra_xattr {
	uint64_t nid;
	uint32_t value_length;
	uint32_t name_length;
};

/* A record of the table of unsaved paths; the path follows, padded to 8 bytes. */
struct image_unsaved {
	uint32_t error; /* errno, positive */
	uint32_t path_length;
};

#endif
