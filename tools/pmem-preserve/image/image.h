/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: a tree laid out as EROFS with our header and digests, written to a store in one pass by
 * several threads, and read back the same way.
 *
 * Writing:  image_layout(), image_write()
 * Reading:  image_open(), then image_extract(), image_verify(), or image->tree
 *
 * Errors are reported, unless a function says otherwise.
 */
#ifndef PMEM_PRESERVE_IMAGE_H
#define PMEM_PRESERVE_IMAGE_H

#include "base/report.h"
#include "image/image-format.h"
#include "store/store.h"
#include "tree/tree.h"

struct key;
struct image_seal;
struct extent;

struct image {
	struct image_header header;
	struct tree *tree;
	bool header_lost;    /* it, or the superblock, was read from the copy */
	struct store *store; /* that it was read from; not owned */

	/* For image-*.c. */
	struct extent *extents;
	size_t extent_count, extent_capacity;
	uint8_t *index; /* header.index_bytes: inodes and directories, tables, digests */
	struct image_table {
		uint64_t offset; /* in the index */
		uint64_t length; /* 0: there is no such table */
	} tables[IMAGE_TABLE_TYPES];
	uint8_t super[IMAGE_FIRST_BLOCK - IMAGE_HEADER_BYTES]; /* what follows the header */
	struct image_seal *seal;     /* makes the digests; NULL: plain ones */
	struct image_damage *damage; /* what image_verify() has found */
	size_t damage_count, damage_capacity;
};

/* What lies in a part of an image. */
enum image_part {
	IMAGE_PART_HEADER, /* and the superblock */
	IMAGE_PART_HEADER_COPY,
	IMAGE_PART_GAP, /* nothing: it must be zero */
	IMAGE_PART_INDEX,
	IMAGE_PART_INDEX_COPY,
	IMAGE_PART_FILES,
};

/* A damaged range of an image, in bytes. */
struct image_damage {
	uint64_t offset;
	uint64_t length;
	enum image_part part;
};

/* "copy of the index". */
const char *image_part_name(enum image_part part);

void image_free(struct image *image);
static inline void cleanup_image(struct image **image)
{
	image_free(*image);
}
#define _cleanup_image_ __attribute__((cleanup(cleanup_image)))

/*
 * Decides where in the image everything is placed, which gives header.image_bytes. The image takes
 * over the tree, also on error. -E_NO_FIT beyond the 16 TiB of EROFS.
 */
int image_layout(struct tree *tree, struct image **ret_image);

/* -E_NO_FIT if the image is larger than the @capacity of @name. */
int image_fits(const struct image *image, uint64_t capacity, const char *name);

struct image_write_options {
	unsigned int threads; /* 0: one per processor */
	uint64_t generation;
	const uint64_t *timeline; /* TIMELINE_EVENTS times, or NULL */
	const struct key *key;	  /* to seal it with; NULL: plain digests */
	/*
	 * What its uuid begins with, or NULL. The last four bytes are always random: the keys of a seal
	 * are derived from the uuid, so no two images may have the same.
	 */
	const uint8_t *uuid_begin;
};

/*
 * Reads the files of the tree and writes the image: header (writing), payload, digests, header,
 * flush, committed, flush. After an error the store holds no committed image.
 */
int image_write(struct image *image, struct store *store,
		const struct image_write_options *options);

/*
 * Reads the header alone. -E_NO_CHECKPOINT, not reported: there is no image; -E_DAMAGED: there is
 * one, but the header is lost, damaged or of another version. The digest only detects accidental
 * changes; image_authenticate() detects forged ones.
 */
int image_read_header(struct store *store, struct image_header *ret_header);

/*
 * Reads the copy of a header that is lost or damaged, as it was before the commit: without a phase.
 * -E_NO_CHECKPOINT, not reported: there is no copy, or only that of an unfinished image.
 */
int image_read_copy(struct store *store, struct image_header *ret_header);

/* Whether the store begins with an image, even if it is damaged or of another device. */
bool image_is_ours(struct store *store);

/*
 * Checks that the header was sealed with @key or, if that is NULL, that it has no seal. -E_DAMAGED:
 * it is not authentic; -E_REFUSED: it has a seal, but there is no key. Reported with @name.
 */
int image_authenticate(const struct image_header *header, const struct key *key, const char *name);

/* The same without a report. Without a key, every header is credible. */
bool image_is_credible(const struct image_header *header, const struct key *key);

const char *image_phase_name(uint64_t phase);

/* Changes the phase of the image in @store atomically, and @timeline unless it is NULL. */
int image_set_phase(struct store *store, uint64_t phase, const struct image_timeline *timeline);

/* Overwrites header, superblock and their copy with zeroes, so that there is no image. */
int image_erase(struct store *store);

/*
 * The same for the first @bytes, or the whole store if it is smaller. An interrupted wipe leaves an
 * image that counts as unfinished.
 */
int image_wipe(struct store *store, uint64_t bytes);

enum image_open_flags {
	IMAGE_ALLOW_RESTORED = 1 << 0,
	IMAGE_ALLOW_LOST_HEADER = 1 << 1, /* or superblock; image->header_lost says so */
	IMAGE_FOR_UPDATE = 1 << 2,	  /* its phase is to be changed */
};

/*
 * Reads and checks header and index, and makes the tree of it. A block of the index that is damaged
 * is taken from the copy, with a warning. -E_DAMAGED; -E_NO_CHECKPOINT: there is no committed image;
 * -E_REFUSED: IMAGE_FOR_UPDATE, and it has features that forbid that; or an error of
 * image_authenticate().
 */
int image_open(struct store *store, const struct key *key, unsigned int flags,
	       struct image **ret_image);

/*
 * Reads all of the image, both copies of what there is twice, and compares the digests; what cannot
 * be read is damaged. Each damaged range is added to image->damage, sorted by offset. Each name of a
 * damaged file is marked in the tree (ENTRY_DAMAGED) and passed to damaged(). -E_DAMAGED if there is
 * damage or the header was lost.
 */
int image_verify(struct image *image, unsigned int threads,
		 void (*damaged)(void *data, const char *path), void *data);

struct extract_options {
	const char *into;     /* the directory that stands for "/" */
	bool overwrite;	      /* replace what exists; the image is verified first */
	bool salvage;	      /* verify the image, and restore all but the damaged files */
	bool dry_run;	      /* only do the checks that come before any change */
	unsigned int threads; /* 0: one per processor */
	void (*damaged)(void *data, const char *path); /* by verification */
	/* Leave out devices, setuid bits and capabilities, and call this for each. May be NULL. */
	void (*left_out)(void *data, const char *path, const char *what);
	void *data;
};

/*
 * Creates the tree beneath options->into. Every byte is checked against its digest before it is
 * written. -E_REFUSED: something exists already, and nothing was changed. -E_DAMAGED: nothing is
 * left of the restore or, with options->salvage, all intact files were restored. All data has been
 * flushed when this returns 0.
 */
int image_extract(struct image *image, const struct extract_options *options);

#endif
