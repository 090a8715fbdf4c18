/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: a tree laid out as EROFS with our header and digests, written to a store in one pass by
 * several threads, and read back the same way. Must not know of persistent memory.
 *
 * Writing:  image_layout() -> image_write()
 * Reading:  image_open() -> image_extract(), image_verify(), or a look at image->tree
 */
#ifndef PMEM_PRESERVE_IMAGE_H
#define PMEM_PRESERVE_IMAGE_H

#include "image/image-digest.h"
#include "image/image-format.h"
#include "image/image-seal.h"
#include "base/report.h"
#include "store/store.h"
#include "tree/tree.h"

/* A run of image bytes that are a run of a file's bytes. Sorted by place, and disjoint. */
struct extent {
	uint64_t place;	 /* in the image, a multiple of 4096 */
	uint64_t offset; /* in the file */
	uint64_t length; /* not padded */
	uint32_t entry;
};

struct image {
	struct image_header header;
	struct tree *tree;
	struct extent *extents;
	size_t extent_count, extent_capacity;
	uint8_t *meta; /* from header.meta_offset on; whole blocks, fit for a store */
	uint8_t super[IMAGE_FIRST_BLOCK - IMAGE_HEADER_BYTES]; /* what follows the header */
	struct image_digest *digests;			       /* header.digests_count of them */
	struct image_seal *seal; /* what they are made with; NULL: plain */
	struct store *store;	 /* where it was read from; not owned */
	bool header_lost;	 /* or the superblock; what is here is from the copy */
};

void image_free(struct image *image);
static inline void cleanup_image(struct image **image)
{
	image_free(*image);
}
#define _cleanup_image_ __attribute__((cleanup(cleanup_image)))

/*
 * Lays @tree out: the place of everything is known afterwards, header.image_bytes among it.
 * The image owns the tree from then on (also on error). -E_NO_FIT past EROFS's 16 TiB.
 */
int image_layout(struct tree *tree, struct image **ret_image);

/* The image's metadata (image-meta.c): sizes first, then bytes. Called by image_layout(). */
int image_layout_metadata(struct image *image);

/* Appends an extent; -ENOMEM. */
int image_add_extent(struct image *image, const struct extent *extent);

/* The first extent that ends beyond @place, or extent_count. */
size_t image_find_extent(const struct image *image, uint64_t place);

/*
 * What one digest covers. Segments begin anew where the metadata does, so that damage to a file's
 * data never puts the directories in doubt.
 */
struct segment {
	uint64_t start;
	uint64_t end;
};
struct segment image_segment(const struct image_header *header, uint64_t number);
uint64_t image_data_segments(const struct image_header *header);
uint64_t image_segments(const struct image_header *header);

/* -E_NO_FIT, reported with both sizes, when the image is larger than the place called @name. */
int image_fits(const struct image *image, uint64_t capacity, const char *name);

struct image_write_options {
	unsigned int threads;	  /* 0: one per processor */
	uint64_t generation;	  /* of this image */
	const uint64_t *timeline; /* TIMELINE_EVENTS of them; may be NULL */
	const struct key *key;	  /* to seal it with; NULL: plain digests */
};

/*
 * Reads the files of the tree and writes the image: header (writing), payload, digests, header,
 * flush, committed, flush. Errors are reported; the store then holds no committed image.
 */
int image_write(struct image *image, struct store *store,
		const struct image_write_options *options);

/*
 * The header alone. -E_NO_CHECKPOINT: no image there (not reported, as that may be fine);
 * -E_DAMAGED: there is one, but the header is lost, damaged or of another version (reported).
 * What it says was not changed by chance; that it was not changed at all, image_authenticate()
 * says.
 */
int image_read_header(struct store *store, struct image_header *ret_header);

/*
 * Its copy, where the header itself is lost or damaged: as it was before the commit, without a
 * phase. -E_NO_CHECKPOINT: there is none, or of an image that was only begun (not reported).
 */
int image_read_copy(struct store *store, struct image_header *ret_header);

/* Whether an image of ours begins there, be it damaged or not meant for this device. */
bool image_is_ours(struct store *store);

/*
 * Whether the header was sealed with @key; NULL: whether it is a plain one. -E_DAMAGED: it is not
 * authentic; -E_REFUSED: it has a seal, and there is no key. Reported, with @name.
 */
int image_authenticate(const struct image_header *header, const struct key *key, const char *name);

/* The same without a word. Without a key, all that headers say is believed. */
bool image_is_credible(const struct image_header *header, const struct key *key);

const char *image_phase_name(uint64_t phase);

/* The digests of header and timeline; its MAC, too, when it is the final one (@seal not NULL). */
int image_header_seal(struct image_header *header, const struct image_seal *seal);

/* Header and superblock as they are in @image, and their copy, in one write. */
int image_write_header(const struct image *image, struct store *store);

/* One atomic change of the phase of what lies in @store; the timeline too unless it is NULL. */
int image_set_phase(struct store *store, uint64_t phase, const struct image_timeline *timeline);

/* Overwrites header, superblock and their copy with zeroes: there is no image any more. */
int image_erase(struct store *store);

/*
 * The same for all of the first @bytes, or as many as there are. An end half way leaves an image
 * that was never finished.
 */
int image_wipe(struct store *store, uint64_t bytes);

enum image_open_flags {
	IMAGE_ALLOW_RESTORED = 1 << 0,
	IMAGE_ALLOW_LOST_HEADER = 1 << 1, /* or superblock; image->header_lost says so */
};

/*
 * Reads header, digests and metadata, checks them, and lists the tree. Damage (-E_DAMAGED), no
 * committed image (-E_NO_CHECKPOINT), and what image_authenticate() says are reported.
 */
int image_open(struct store *store, const struct key *key, unsigned int flags,
	       struct image **ret_image);

/* image-parse.c: the tree and the extents from checked metadata. Reported. */
int image_parse(struct image *image);

/*
 * Whether segment @number, which is in @buffer, has its digest: 0; -E_DAMAGED, which is for the
 * caller to report; or what kept it from being known (reported).
 */
int image_check_segment(const struct image *image, uint64_t number, const uint8_t *buffer);

/*
 * Reads everything and compares the digests. What cannot be read is damaged, too. Each name of a
 * damaged file is marked in the tree (ENTRY_DAMAGED) and goes to damaged(). -E_DAMAGED when there
 * is damage, or the header is lost (the summary is reported).
 */
int image_verify(struct image *image, unsigned int threads,
		 void (*damaged)(void *data, const char *path), void *data);

struct extract_options {
	const char *into; /* directory that stands for "/" */
	bool overwrite;	  /* replace what exists; the image is verified before anything is */
	bool salvage;	  /* the image is verified, and what is damaged left out */
	bool dry_run;	  /* only what can be checked before anything is touched */
	unsigned int threads;
	void (*damaged)(void *data, const char *path); /* called when it is verified */
	/* Is told what stays out: devices, setuid bits, capabilities. NULL: they come back. */
	void (*left_out)(void *data, const char *path, const char *what);
	void *data;
};

/*
 * Creates the tree beneath options->into. Each byte has been checked against its digest before it
 * is written. -E_REFUSED (nothing was touched) when something is there already; all reported. Data
 * has reached its file system when this returns 0. -E_DAMAGED: nothing of it is there; with
 * options->salvage all that is whole.
 */
int image_extract(struct image *image, const struct extract_options *options);

#endif
