/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our images have beside EROFS: the header in the first 1024 bytes and its copy, the tables
 * behind the metadata and the digests. Little endian. Specified in Documentation/image-format.rst.
 *
 *	0	   header
 *	1024	   EROFS superblock
 *	4096	   copy of these 4 KiB, with a magic of its own
 *	8192	   file data, each extent from a block's start
 *	meta	   inodes; directory blocks; extra xattrs; names of what was checkpointed
 *	digests	   one XXH3-128, or MAC, for each MiB of file data, then for each of metadata
 */
#ifndef PMEM_PRESERVE_IMAGE_FORMAT_H
#define PMEM_PRESERVE_IMAGE_FORMAT_H

#include <stdint.h>

#define IMAGE_MAGIC	     "pmem-preserve\r\n\x1a"
#define IMAGE_COPY_MAGIC     "pmem-preserve\r\n\x1b"
#define IMAGE_VERSION	     2u
#define IMAGE_HEADER_BYTES   1024u
#define IMAGE_FIRST_BLOCK    4096u /* header and superblock; their copy follows */
#define IMAGE_DATA_OFFSET    8192u
#define IMAGE_SPAN	     (2u << 20) /* large files begin at multiples of it: one huge page */
#define IMAGE_SEGMENT	     (1u << 20) /* what one digest covers */
#define IMAGE_GENERATION_MAX (UINT64_MAX / 2)

/*
 * The phase is one aligned 64-bit word outside the header's digest, so that a commit is one atomic
 * store; any two values differ in 25 bits or more, so that no few flipped bits
 * make one of another.
 */
#define IMAGE_PHASE_WRITING   0x5752495449e74e47ull
#define IMAGE_PHASE_COMMITTED 0xa4d3b2ab961ab1b8ull
#define IMAGE_PHASE_RESTORED  0x3c5a6996c3a5c33cull

struct image_digest {
	uint8_t bytes[16]; /* XXH3-128, canonical (big endian) form; or a MAC */
};

/* What the digests of segments and table are. */
#define IMAGE_SEAL_PLAIN 0u /* XXH3-128 */
#define IMAGE_SEAL_KEYED 1u /* Poly1305 and HMAC-SHA-256, with keys made of the key file */

enum timeline_event {
	TIMELINE_NONE,
	TIMELINE_BEGIN,		 /* checkpoint was called */
	TIMELINE_MEMORY_REMOVED, /* the range is no longer RAM */
	TIMELINE_WRITE,		 /* copying begins */
	TIMELINE_COMMITTED,
	TIMELINE_RESTORE, /* restore was called */
	TIMELINE_RESTORED,
	TIMELINE_EVENTS,
};

/* When things happened, in ns of the Unix epoch; 0: it did not. Told, never relied upon. */
struct image_timeline {
	uint64_t at[16]; /* by timeline_event */
	struct image_digest digest;
};

struct image_header {
	uint8_t magic[16];
	uint64_t phase;
	uint32_t version;
	uint32_t header_bytes;
	uint8_t uuid[16];
	uint64_t generation;  /* one more than that of the image that lay there before */
	uint64_t store_bytes; /* size of the device it was written to; 0: a regular file */
	uint64_t image_bytes; /* all of it, a multiple of 4096 */
	uint64_t meta_offset;
	uint64_t meta_bytes;
	uint64_t inodes_bytes; /* of the metadata, inodes and directories */
	uint64_t extra_offset; /* xattrs that EROFS has no way to hold */
	uint64_t extra_bytes;
	uint64_t paths_offset; /* what was checkpointed: absolute paths, each ended by a NUL */
	uint64_t paths_bytes;
	uint64_t digests_offset;
	uint64_t digests_count;
	uint64_t files;	     /* names in the image, directories too */
	uint64_t file_bytes; /* sum of the sizes of regular files */
	uint64_t created_ns;
	uint8_t hostname[64]; /* NUL padded */
	uint8_t kernel[64];
	struct image_digest root_digest;  /* of the digest table */
	uint32_t seal;			  /* IMAGE_SEAL_* */
	struct image_digest header_mac;	  /* of the header with what changes zeroed; plain: zero */
	struct image_digest super_digest; /* of what follows the header in the first block */
	uint8_t reserved[516];
	struct image_timeline timeline;	   /* has its own digest; outside the header's */
	struct image_digest header_digest; /* of the header with phase, timeline and this zeroed */
};
_Static_assert(sizeof(struct image_header) == IMAGE_HEADER_BYTES, "image header");

/*
 * Extra xattrs: records of this, the name and the value, each record padded to 8 bytes. They exist
 * because EROFS cannot hold a value of 64 KiB, a foreign prefix, or more than 256 KiB per inode.
 */
struct image_extra_xattr {
	uint64_t nid;
	uint32_t value_length;
	uint32_t name_length;
};

#endif
