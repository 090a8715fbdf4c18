// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From an image back to a tree, the mirror of image-write.c: directories first, then each thread
 * takes the next 2 MiB, checks their digests, and writes the files that lie there while they are in
 * the cache; at last links and what belongs to directories, since every new name changes their
 * time.
 */
#include "base/cleanup.h"
#include "base/fault.h"
#include "image/erofs.h"
#include "image/image-worker.h"
#include "image/image.h"
#include "tree/beneath.h"
#include "tree/extract-check.h"
#include "tree/extract-inode.h"
#include "tree/extract-ordinary.h"
#include "tree/extract-undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)
#define JOB(worker)	  ((struct job *)(worker)->job)
#define ENTRIES_AT_ONCE	  256u
#define NOT_MADE	  (ENTRY_DAMAGED | ENTRY_LEFT_OUT)

struct job {
	struct image *image;
	const struct extract_options *options;
	struct progress progress;
	uint64_t piece; /* of the image, in bytes: what a thread takes at a time */
	int root;
};

/* The open directory that entry @index lies in; an error is reported. */
static int open_parent(struct tree_cursor *cursor, uint32_t index)
{
	int fd = tree_cursor_open(cursor, cursor->tree->entries[index].parent);

	if (fd == -ELOOP || fd == -ENOTDIR)
		return extract_blocked(cursor->tree, cursor->tree->entries[index].parent);
	return fd < 0 ? report_error(fd, "%s: cannot open",
				     PATH(cursor->tree, cursor->tree->entries[index].parent))
		      : fd;
}

static int make_directory(struct job *job, struct tree_cursor *cursor, uint32_t index)
{
	struct tree *tree = job->image->tree;
	struct entry *entry = &tree->entries[index];
	const char *name = tree_name(tree, index);
	bool may_exist = entry->flags & (ENTRY_ROOT | ENTRY_ANCESTOR);
	int parent = open_parent(cursor, index);
	struct stat stat;

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0700) == 0) {
		extract_new_directory(tree, index, parent);
	} else if (errno != EEXIST) {
		return extract_failed(tree, index, -errno, "cannot create");
	} else {
		if (fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
			return extract_failed(tree, index, -errno, "cannot create");
		if (!S_ISDIR(stat.st_mode) && (entry->flags & ENTRY_ANCESTOR))
			return extract_blocked(tree, index);
		if (!job->options->overwrite && !(may_exist && S_ISDIR(stat.st_mode)))
			return extract_exists(tree, index);
		if (!S_ISDIR(stat.st_mode)) {
			if (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0700) < 0)
				return extract_failed(tree, index, -errno, "cannot replace");
			extract_new_directory(tree, index, parent);
		}
	}
	return 0;
}

static int make_directories(struct job *job)
{
	const struct tree *tree = job->image->tree;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, job->root);
	for (uint32_t i = 1; i < tree->count && r == 0; i++)
		if (S_ISDIR(tree->entries[i].mode))
			r = make_directory(job, &cursor, i);
	tree_cursor_close(&cursor);
	return r;
}

/* Files whose data does not lie within one piece are made first and finished last. */
static void find_split_files(struct image *image, uint64_t piece)
{
	for (size_t i = 0; i < image->extent_count; i++) {
		const struct extent *extent = &image->extents[i];
		struct entry *entry = &image->tree->entries[extent->entry];

		if (entry->count != 1 ||
		    extent->place / piece != (extent->place + extent->length - 1) / piece)
			entry->flags |= ENTRY_SPLIT;
	}
}

/* Everything that needs no data: links, devices, empty files, and the split files' names. */
static int make_entry(struct image_worker *worker, uint32_t index)
{
	const struct job *job = worker->job;
	struct tree *tree = job->image->tree;
	const struct entry *entry = &tree->entries[index];
	_cleanup_close_ int fd = -1;
	int parent;

	if (S_ISDIR(entry->mode) || entry->inode_entry != index || (entry->flags & NOT_MADE) ||
	    (S_ISREG(entry->mode) && entry->count && !(entry->flags & ENTRY_SPLIT)))
		return 0;
	parent = open_parent(&worker->cursor, index);
	if (parent < 0)
		return parent;
	if (!S_ISREG(entry->mode))
		return extract_special(tree, index, parent, job->options->overwrite);
	fd = extract_create(tree, index, parent, job->options->overwrite);
	if (fd < 0)
		return fd;
	if (entry->size && ftruncate(fd, (off_t)entry->size) < 0)
		return extract_failed(tree, index, -errno, "cannot give it its size");
	return entry->flags & ENTRY_SPLIT ? 0 : extract_attributes(tree, index, fd);
}

static int finish_entry(struct image_worker *worker, uint32_t index)
{
	const struct tree *tree = JOB(worker)->image->tree;
	_cleanup_close_ int fd = -1;
	int parent;

	if ((tree->entries[index].flags & (ENTRY_SPLIT | ENTRY_DAMAGED)) != ENTRY_SPLIT ||
	    tree->entries[index].inode_entry != index)
		return 0;
	parent = open_parent(&worker->cursor, index);
	if (parent < 0)
		return parent;
	fd = extract_open_again(tree, index, parent);
	if (fd < 0)
		return fd;
	return extract_attributes(tree, index, fd);
}

static int for_entries(struct image_worker *worker, uint64_t item,
		       int (*visit)(struct image_worker *worker, uint32_t index))
{
	uint64_t end = (item + 1) * ENTRIES_AT_ONCE;
	int r = 0;

	if (end > JOB(worker)->image->tree->count)
		end = JOB(worker)->image->tree->count;
	for (uint64_t i = item * ENTRIES_AT_ONCE; i < end && r == 0; i++)
		r = visit(worker, (uint32_t)i);
	return r;
}

static int make_entries(void *worker, uint64_t item)
{
	return for_entries(worker, item, make_entry);
}

static int finish_entries(void *worker, uint64_t item)
{
	return for_entries(worker, item, finish_entry);
}

static int write_all(int fd, const uint8_t *data, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t put = pwrite(fd, data, length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		length -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

static bool is_zero(const uint8_t *data, size_t length)
{
	return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

/* A chunk of a sparse file holds its neighbouring holes as zeroes: those stay holes. */
static int write_sparse(int fd, const uint8_t *data, size_t length, uint64_t offset)
{
	size_t start = 0, at = 0;
	int r = 0;

	while (at < length && r == 0) {
		size_t block = length - at < EROFS_BLOCK ? length - at : EROFS_BLOCK;
		bool zero = is_zero(data + at, block);

		if (zero && at > start)
			r = write_all(fd, data + start, at - start, offset + start);
		at += block;
		if (zero)
			start = at;
	}
	if (r == 0 && at > start)
		r = write_all(fd, data + start, at - start, offset + start);
	return r;
}

/* -EFAULT, not reported: @data is mapped memory, and the kernel cannot read it. */
static int extract_data(struct image_worker *worker, const struct extent *extent,
			const uint8_t *data, size_t length, uint64_t offset)
{
	struct tree *tree = JOB(worker)->image->tree;
	const struct entry *entry = &tree->entries[extent->entry];
	bool split = entry->flags & ENTRY_SPLIT, sparse = entry->flags & ENTRY_SPARSE;
	int parent = open_parent(&worker->cursor, extent->entry);
	_cleanup_close_ int fd = -1;
	int r;

	if (parent < 0)
		return parent;
	fd = split ? extract_open_again(tree, extent->entry, parent)
		   : extract_create(tree, extent->entry, parent, JOB(worker)->options->overwrite);
	if (fd < 0)
		return fd;
	if (!split && sparse && ftruncate(fd, (off_t)entry->size) < 0)
		return extract_failed(tree, extent->entry, -errno, "cannot give it its size");
	r = (sparse ? write_sparse : write_all)(fd, data, length, offset);
	if (r == -EFAULT)
		return r;
	if (r < 0)
		return extract_failed(tree, extent->entry, r, "cannot write");
	return split ? 0 : extract_attributes(tree, extent->entry, fd);
}

static int report_damage(const struct job *job, uint64_t start, uint64_t end)
{
	const struct image *image = job->image;
	size_t first = image_find_extent(image, start), count = 0;

	for (size_t i = first; i < image->extent_count && image->extents[i].place < end; i++)
		count++;
	if (job->options->salvage)
		return report_error(-E_FAILED,
				    "%s: what was whole at %llu a moment ago is damaged now; try again",
				    image->store->path, (unsigned long long)start);
	if (count == 0)
		return report_error(-E_DAMAGED, "%s: the checkpoint is damaged at %llu",
				    image->store->path, (unsigned long long)start);
	return report_error(-E_DAMAGED,
			    "%s: the checkpoint is damaged: %s%s; \"verify\" lists all that is, \"restore --salvage\" brings back the rest",
			    image->store->path, PATH(image->tree, image->extents[first].entry),
			    count > 1 ? " or a file next to it" : "");
}

/* Image bytes @start to @end, which begin with a segment, each segment checked by its digest. */
static int view_segments(struct image_worker *worker, uint64_t start, uint64_t end,
			 const uint8_t **ret_bytes)
{
	const struct job *job = worker->job;
	const struct image *image = job->image;
	int r;

	for (uint64_t at = start, length; at < end; at += length) {
		uint64_t number = at / IMAGE_SEGMENT;
		const struct segment segment = image_segment(&image->header, number);
		const uint8_t *bytes;

		length = segment.end - at;
		r = store_view(image->store, worker->buffer + (at - start), length, at, &bytes);
		if (r == 0) {
			r = image_check_segment(image, number, bytes);
			/* It may be that the memory has failed, which is worth a line. */
			if (r == -E_DAMAGED)
				store_check(image->store, length, at);
		}
		if (r == -E_DAMAGED)
			return report_damage(job, at, segment.end);
		if (r < 0)
			return r;
		if (at == start)
			*ret_bytes = bytes;
	}
	return 0;
}

/* What a thread takes holds nothing but files that are left out: it may be what is damaged. */
static bool is_left_out(const struct image *image, uint64_t start, uint64_t end)
{
	for (size_t i = image_find_extent(image, start);
	     i < image->extent_count && image->extents[i].place < end; i++)
		if (!(image->tree->entries[image->extents[i].entry].flags & ENTRY_DAMAGED))
			return false;
	return true;
}

static int extract_piece(void *data, uint64_t item)
{
	struct image_worker *worker = data;
	struct job *job = worker->job;
	const struct image *image = job->image;
	uint64_t from = item * job->piece, to = from + job->piece;
	const uint8_t *bytes = NULL;
	int r;

	if (item == 0)
		from = IMAGE_DATA_OFFSET;
	if (to > image->header.meta_offset)
		to = image->header.meta_offset;
	progress_add(&job->progress, to - from);
	if (job->options->salvage && is_left_out(image, from, to))
		return 0;
	r = view_segments(worker, from, to, &bytes);
	for (size_t i = image_find_extent(image, from);
	     r == 0 && i < image->extent_count && image->extents[i].place < to; i++) {
		const struct extent *extent = &image->extents[i];
		uint64_t start = extent->place > from ? extent->place : from;
		uint64_t stop = extent->place + extent->length;

		if (image->tree->entries[extent->entry].flags & ENTRY_DAMAGED)
			continue;
		if (stop > to)
			stop = to;
		r = extract_data(worker, extent, bytes + (start - from), stop - start,
				 extent->offset + (start - extent->place));
	}
	/* They were right when they were digested, and must have been so when they were written. */
	if (r == -EFAULT || (r == 0 && store_check(image->store, to - from, from) < 0))
		return report_damage(job, from, to);
	return r < 0 ? r : fault(FAULT_RESTORE_SPAN);
}

static int make_hard_links(struct job *job)
{
	struct tree *tree = job->image->tree;
	struct tree_cursor first, cursor;
	int r = 0;

	tree_cursor_init(&first, tree, job->root);
	tree_cursor_init(&cursor, tree, job->root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		int first_parent, parent;

		if (tree->entries[i].inode_entry == i || (tree->entries[i].flags & NOT_MADE))
			continue;
		first_parent = open_parent(&first, tree->entries[i].inode_entry);
		parent = open_parent(&cursor, i);
		r = first_parent < 0 ? first_parent : parent < 0 ? parent : 0;
		if (r == 0)
			r = extract_link(tree, i, first_parent, parent, job->options->overwrite);
	}
	tree_cursor_close(&first);
	tree_cursor_close(&cursor);
	return r;
}

/* Children before parents. A directory that only led to the state and was there is left alone. */
static int finish_directories(struct job *job)
{
	const struct tree *tree = job->image->tree;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, job->root);
	for (uint32_t i = tree->count; i-- > 0 && r == 0;) {
		const struct entry *entry = &tree->entries[i];
		int fd;

		if (!S_ISDIR(entry->mode) ||
		    ((entry->flags & ENTRY_ANCESTOR) && !(entry->flags & ENTRY_CREATED)))
			continue;
		fd = tree_cursor_open(&cursor, i);
		r = fd < 0 ? report_error(fd, "%s: cannot open", PATH(tree, i))
			   : extract_attributes(tree, i, fd);
	}
	tree_cursor_close(&cursor);
	return r;
}

/* What was restored must be safe before the checkpoint counts as restored. */
static int sync_roots(struct job *job)
{
	const struct tree *tree = job->image->tree;
	struct tree_cursor cursor;
	struct stat stat = { 0 };
	dev_t last = 0;
	int r = 0;

	tree_cursor_init(&cursor, tree, job->root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		_cleanup_close_ int fd = -1;
		int directory;

		if (!(tree->entries[i].flags & ENTRY_ROOT))
			continue;
		directory = tree_cursor_open(&cursor, S_ISDIR(tree->entries[i].mode)
							      ? i
							      : tree->entries[i].parent);
		fd = directory < 0 ? -1 : openat(directory, ".", O_RDONLY | O_CLOEXEC);
		/* One file system after the other, not one path after the other. */
		if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_dev == last)
			continue;
		last = stat.st_dev;
		if (fd < 0 || syncfs(fd) < 0)
			r = report_error(directory < 0 ? directory : -errno,
					 "%s: cannot be flushed", PATH(tree, i));
	}
	tree_cursor_close(&cursor);
	return r;
}

static int extract_all(struct job *job)
{
	const struct image *image = job->image;
	const struct image_work work = { image->tree, job->root, job->options->threads, job };
	uint64_t entry_items = (image->tree->count + ENTRIES_AT_ONCE - 1) / ENTRIES_AT_ONCE;
	uint64_t data_items = (image->header.meta_offset + job->piece - 1) / job->piece;
	int r = fault(FAULT_RESTORE_BEGIN);

	if (r == 0)
		r = make_directories(job);
	if (r == 0)
		r = fault(FAULT_RESTORE_DIRECTORIES);
	if (r == 0)
		r = image_work(&work, entry_items, make_entries);
	if (r == 0)
		r = fault(FAULT_RESTORE_ENTRIES);
	/* The metadata was checked when the image was opened. */
	if (r == 0)
		r = image_work(&work, data_items, extract_piece);
	if (r == 0)
		r = image_work(&work, entry_items, finish_entries);
	if (r == 0)
		r = fault(FAULT_RESTORE_FILES);
	if (r == 0)
		r = make_hard_links(job);
	if (r == 0)
		r = fault(FAULT_RESTORE_LINKS);
	if (r == 0)
		r = finish_directories(job);
	if (r == 0)
		r = fault(FAULT_RESTORE_ATTRIBUTES);
	if (r == 0)
		r = sync_roots(job);
	return r < 0 ? r : fault(FAULT_RESTORE_FLUSHED);
}

int image_extract(struct image *image, const struct extract_options *options)
{
	_cleanup_close_ int root = open(options->into, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct job job = {
		.image = image,
		.options = options,
		/* Damage is found a segment at a time: with it, no file beside it is left out. */
		.piece = options->salvage ? IMAGE_SEGMENT : IMAGE_SPAN,
		.root = root,
	};
	int r, verified = 0;
	mode_t mask;

	if (root < 0)
		return report_error(-errno, "%s: cannot restore there (it must be a directory)",
				    options->into);
	r = extract_check(image, root, options->overwrite);
	if (r == 0 && options->left_out &&
	    extract_only_ordinary(image->tree, options->left_out, options->data) < 0)
		r = report_error(-ENOMEM, "%s: cannot restore there", options->into);
	if (r < 0 || (options->dry_run && !options->salvage))
		return r;
	/* What is replaced cannot be brought back when damage shows half way. */
	if (options->overwrite || options->salvage)
		verified = image_verify(image, options->threads, options->damaged, options->data);
	if (options->dry_run || (verified < 0 && !(options->salvage && verified == -E_DAMAGED)))
		return verified;
	find_split_files(image, job.piece);
	/* Of this process; nothing else creates files meanwhile. */
	mask = umask(0);
	progress_begin(&job.progress, "Restoring", image->header.digests_offset);
	r = extract_all(&job);
	progress_end(&job.progress);
	umask(mask);
	if (r < 0)
		extract_undo(image->tree, root);
	return r < 0 ? r : verified;
}
