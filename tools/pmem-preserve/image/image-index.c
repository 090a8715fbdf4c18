// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The index of an image: everything that says what the image holds, and the tree of digests. It is
 * there twice, and each of its blocks is taken from wherever it is good.
 */
#include "base/cleanup.h"
#include "image/image-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* As many blocks as one block of digests covers. */
#define RUN (IMAGE_SEGMENT / IMAGE_BLOCK)

int image_index_allocate(struct image *image)
{
	void *index = mmap(NULL, image->header.index_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (index == MAP_FAILED)
		return -ENOMEM;
	image->index = index;
	return 0;
}

/* The number of a block of the index, wherever it was read. */
static uint64_t number_of(const struct image *image, uint64_t offset)
{
	return (image->header.index_offset + offset) / IMAGE_BLOCK;
}

int image_index_seal(struct image *image)
{
	const struct image_header *header = &image->header;
	struct image_level levels[IMAGE_LEVELS_MAX];
	uint64_t metadata = header->inodes_bytes + header->tables_bytes, bytes;
	unsigned int count = image_levels(image_leaves(header), levels, &bytes);
	int r = image_seal_blocks(image->seal, number_of(image, 0), image->index,
				  metadata / IMAGE_BLOCK, image_leaf(image, header->index_offset));

	for (unsigned int i = 0; i < count && r == 0; i++) {
		struct image_digest *above =
			i + 1 < count
				? (struct image_digest *)(image_tree(image) + levels[i + 1].offset)
				: &image->header.root_digest;

		r = image_seal_blocks(image->seal, number_of(image, metadata + levels[i].offset),
				      image_tree(image) + levels[i].offset, levels[i].blocks,
				      above);
	}
	return r;
}

/* The digest that the block at @offset must have, and *ret_count of the next ones. */
static const struct image_digest *digests_for(const struct image *image, uint64_t offset,
					      uint64_t *ret_count)
{
	const struct image_header *header = &image->header;
	struct image_level levels[IMAGE_LEVELS_MAX];
	uint64_t metadata = header->inodes_bytes + header->tables_bytes, bytes;
	unsigned int count = image_levels(image_leaves(header), levels, &bytes), i;

	if (offset < metadata) {
		*ret_count = (metadata - offset) / IMAGE_BLOCK;
		return image_leaf(image, header->index_offset + offset);
	}
	offset -= metadata;
	for (i = 0; i + 1 < count && offset >= levels[i + 1].offset; i++)
		;
	*ret_count = levels[i].blocks - (offset - levels[i].offset) / IMAGE_BLOCK;
	if (i + 1 == count)
		return &header->root_digest;
	return (struct image_digest *)(image_tree(image) + levels[i + 1].offset) +
	       (offset - levels[i].offset) / IMAGE_BLOCK;
}

int image_index_check(const struct image *image, uint64_t offset, const uint8_t *blocks,
		      size_t count, struct image_bad *bad)
{
	struct image_digest digests[RUN];

	for (size_t done = 0, some; done < count; done += some) {
		uint64_t here;
		const struct image_digest *expected =
			digests_for(image, offset + done * IMAGE_BLOCK, &here);
		int r;

		some = count - done;
		some = some < here ? some : here;
		some = some < RUN ? some : RUN;
		r = image_seal_blocks(image->seal, number_of(image, offset) + done,
				      blocks + done * IMAGE_BLOCK, some, digests);
		if (r < 0)
			return report_error(r, "%s: cannot compute its digests",
					    image->store->path);
		for (size_t i = 0; i < some; i++)
			if (!image_digest_same(&digests[i], &expected[i]))
				image_set_bad(bad, done + i);
	}
	return 0;
}

/* One run of blocks that is being read. */
struct run {
	struct image *image;
	uint8_t *buffer;
	uint64_t offset; /* in the index */
	size_t count;
	struct image_bad missing; /* blocks that have not been found yet */
};

/* Takes what is good of the copy at @base. */
static int read_copy(struct run *run, uint64_t base)
{
	const struct image *image = run->image;
	struct image_bad bad;
	const uint8_t *bytes;
	int r = image_view(image, run->buffer, base + run->offset,
			   base + run->offset + run->count * IMAGE_BLOCK, &bytes, &bad);

	/* Into our own memory, so that nobody can change it after the check. */
	if (r == 0 && bytes != run->buffer)
		memcpy(run->buffer, bytes, run->count * IMAGE_BLOCK);
	if (r == 0)
		r = image_index_check(image, run->offset, run->buffer, run->count, &bad);
	if (r < 0)
		return r;
	if (bad.any)
		/* Prints a warning if the reason is that the memory has failed. */
		store_check(image->store, run->count * IMAGE_BLOCK, base + run->offset);
	for (size_t i = 0; i < run->count; i++)
		if (image_is_bad(&run->missing, i) && !image_is_bad(&bad, i))
			memcpy(image->index + run->offset + i * IMAGE_BLOCK,
			       run->buffer + i * IMAGE_BLOCK, IMAGE_BLOCK);
	for (size_t i = 0; i < IMAGE_VIEW_BLOCKS / 64; i++)
		run->missing.bits[i] &= bad.bits[i];
	run->missing.any = false;
	for (size_t i = 0; i < run->count; i++)
		run->missing.any |= image_is_bad(&run->missing, i);
	return 0;
}

/* Blocks of the index that had to be taken from the copy, and those that are lost. */
struct found {
	uint64_t copied, first_copied;
	uint64_t lost, first_lost;
};

static void note(const struct run *run, const struct image_bad *bad, uint64_t *count,
		 uint64_t *first)
{
	for (size_t i = 0; i < run->count; i++)
		if (image_is_bad(bad, i) && (*count)++ == 0)
			*first = run->offset + i * IMAGE_BLOCK;
}

/* What is lost stays zero: no block has such a digest. */
static int read_run(struct run *run, struct found *found)
{
	const struct image_header *header = &run->image->header;
	struct image_bad damaged;
	int r;

	run->missing = (struct image_bad){ .any = true };
	for (size_t i = 0; i < run->count; i++)
		image_set_bad(&run->missing, i);
	r = read_copy(run, header->index_offset);
	if (r < 0 || !run->missing.any)
		return r;
	damaged = run->missing;
	r = read_copy(run, header->index_copy_offset);
	if (r < 0)
		return r;
	note(run, &damaged, &found->copied, &found->first_copied);
	note(run, &run->missing, &found->lost, &found->first_lost);
	return 0;
}

/* Reads the blocks from @offset to @end. Nothing is read that a lost block of digests covers. */
static int read_part(struct run *run, uint64_t offset, uint64_t end, struct found *found)
{
	static const struct image_digest none;
	int r = 0;

	for (; offset < end && r == 0; offset += run->count * IMAGE_BLOCK) {
		uint64_t count = (end - offset) / IMAGE_BLOCK, here;
		const struct image_digest *expected = digests_for(run->image, offset, &here);

		run->offset = offset;
		run->count = count < RUN ? count : RUN;
		if (image_digest_same(expected, &none) && found->lost++ == 0)
			found->first_lost = offset;
		else if (!image_digest_same(expected, &none))
			r = read_run(run, found);
		if (found->lost && offset < run->image->header.inodes_bytes)
			return r;
	}
	return r;
}

static int read_parts(struct run *run, struct found *ret_digests, struct found *ret_metadata)
{
	const struct image_header *header = &run->image->header;
	struct image_level levels[IMAGE_LEVELS_MAX];
	uint64_t metadata = header->inodes_bytes + header->tables_bytes, bytes;
	unsigned int count = image_levels(image_leaves(header), levels, &bytes);
	int r = 0;

	for (unsigned int i = count; i > 0 && r == 0; i--) {
		uint64_t start = metadata + levels[i - 1].offset;

		r = read_part(run, start, start + levels[i - 1].blocks * IMAGE_BLOCK, ret_digests);
	}
	return r < 0 ? r : read_part(run, 0, metadata, ret_metadata);
}

/* What is left of the last block of each level is zero; so is a block that was lost. */
static bool is_padded(const struct image *image)
{
	struct image_level levels[IMAGE_LEVELS_MAX];
	uint64_t digests = image_leaves(&image->header), bytes;
	unsigned int count = image_levels(digests, levels, &bytes);

	for (unsigned int i = 0; i < count; i++) {
		const uint8_t *level = image_tree(image) + levels[i].offset;

		for (uint64_t at = digests * sizeof(struct image_digest);
		     at < levels[i].blocks * IMAGE_BLOCK; at++)
			if (level[at])
				return false;
		digests = levels[i].blocks;
	}
	return true;
}

int image_index_read(struct image *image)
{
	_cleanup_free_ uint8_t *buffer = store_buffer(IMAGE_SEGMENT);
	struct run run = { .image = image, .buffer = buffer };
	struct found digests = { 0 }, metadata = { 0 };
	const char *path = image->store->path;
	int r;

	if (!buffer || image_index_allocate(image) < 0)
		return report_error(-ENOMEM, "%s: cannot read the index of the checkpoint", path);
	r = read_parts(&run, &digests, &metadata);
	if (r < 0)
		return r;
	if (metadata.lost)
		return report_error(-E_DAMAGED,
				    "%s: the directories and inodes of the checkpoint are damaged, and so is their copy",
				    path);
	if (!is_padded(image))
		return report_error(-E_DAMAGED,
				    "%s: the checkpoint is malformed: bytes behind its digests are not zero",
				    path);
	if (digests.lost)
		warn("%s: digests of the checkpoint are damaged, and so is their copy: the files that they cover are lost",
		     path);
	else if (digests.copied || metadata.copied)
		warn("%s: the index of the checkpoint is damaged at offset %llu; its copy is used",
		     path,
		     (unsigned long long)(image->header.index_offset +
					  (metadata.copied ? metadata.first_copied
							   : digests.first_copied)));
	return 0;
}
