// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From an image back to a tree, the mirror of image-write.c: a table of steps. Directories come
 * first; links and the attributes of directories come last, since every new name in a directory
 * changes its time.
 */
#include "image/image-extract.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "image/image-worker.h"
#include "tree/extract-check.h"
#include "tree/extract-inode.h"
#include "tree/extract-ordinary.h"
#include "tree/extract-publish.h"
#include "tree/extract-staging.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_AT_ONCE 256u

static int create_directories(struct extract_job *job)
{
	int r = extract_stagings_make(job->extraction);

	return r < 0 ? r : extract_directories(job->extraction);
}

/* Files whose data does not lie within one piece are created first and finished last. */
static void find_split_files(struct extract_job *job)
{
	const struct image *image = job->image;
	uint64_t start = image->header.data_offset;

	for (size_t i = 0; i < image->extent_count; i++) {
		const struct extent *extent = &image->extents[i];
		uint64_t last = extent->place + extent->length - 1;

		if (image->tree->entries[extent->entry].count != 1 ||
		    (extent->place - start) / job->piece != (last - start) / job->piece)
			job->extraction->flags[extent->entry] |= EXTRACT_SPLIT;
	}
}

static int for_entries(struct image_worker *worker, uint64_t item,
		       int (*visit)(struct image_worker *worker, uint32_t index))
{
	const struct extract_job *job = worker->job;
	uint64_t end = (item + 1) * ENTRIES_AT_ONCE;
	int r = 0;

	if (end > job->image->tree->count)
		end = job->image->tree->count;
	for (uint64_t i = item * ENTRIES_AT_ONCE; i < end && r == 0; i++)
		r = visit(worker, (uint32_t)i);
	return r;
}

static int work_on_entries(struct extract_job *job, parallel_function *run)
{
	const struct tree *tree = job->image->tree;
	const struct image_work work = {
		.tree = tree,
		.root = -1,
		.threads = job->options->threads,
		.job = job,
	};

	return image_work(&work, (tree->count + ENTRIES_AT_ONCE - 1) / ENTRIES_AT_ONCE, run);
}

/* Everything without data: links, devices, empty files; and split files, which are still empty. */
static int create_entry(struct image_worker *worker, uint32_t index)
{
	const struct extract_job *job = worker->job;
	struct extraction *extraction = job->extraction;
	const struct tree *tree = extraction->tree;
	const struct entry *entry = &tree->entries[index];
	uint8_t flags = extraction->flags[index];
	_cleanup_close_ int fd = -1;
	int parent;

	if (S_ISDIR(entry->mode) || entry->inode_entry != index || (entry->flags & ENTRY_DAMAGED) ||
	    (flags & EXTRACT_LEFT_OUT) ||
	    (S_ISREG(entry->mode) && entry->count && !(flags & EXTRACT_SPLIT)))
		return 0;
	parent = extract_open_parent(extraction, &worker->cursor, index);
	if (parent < 0)
		return parent;
	if (!S_ISREG(entry->mode))
		return extract_special(extraction, index, parent);
	fd = extract_create(extraction, index, parent);
	if (fd < 0)
		return fd;
	if (entry->size && ftruncate(fd, (off_t)entry->size) < 0)
		return extract_failed(tree, index, -errno, "cannot set its size");
	return flags & EXTRACT_SPLIT ? 0 : extract_attributes(extraction, index, fd);
}

static int create_some_entries(void *worker, uint64_t item)
{
	return for_entries(worker, item, create_entry);
}

static int create_entries(struct extract_job *job)
{
	return work_on_entries(job, create_some_entries);
}

static int finish_file(struct image_worker *worker, uint32_t index)
{
	const struct extract_job *job = worker->job;
	const struct entry *entry = &job->image->tree->entries[index];
	_cleanup_close_ int fd = -1;
	int parent;

	if (!(job->extraction->flags[index] & EXTRACT_SPLIT) || (entry->flags & ENTRY_DAMAGED) ||
	    entry->inode_entry != index)
		return 0;
	parent = extract_open_parent(job->extraction, &worker->cursor, index);
	if (parent < 0)
		return parent;
	fd = extract_open_again(job->extraction, index, parent);
	if (fd < 0)
		return fd;
	return extract_attributes(job->extraction, index, fd);
}

static int finish_some_files(void *worker, uint64_t item)
{
	return for_entries(worker, item, finish_file);
}

static int write_files(struct extract_job *job)
{
	const struct image *image = job->image;
	const struct image_work work = {
		.tree = image->tree,
		.root = -1,
		.threads = job->options->threads,
		.job = job,
	};
	uint64_t bytes = image->header.index_offset - image->header.data_offset;
	uint64_t pieces = (bytes + job->piece - 1) / job->piece;
	int r = image_work(&work, pieces, image_extract_piece);

	if (r < 0)
		return r;
	return work_on_entries(job, finish_some_files);
}

static int create_links(struct extract_job *job)
{
	return extract_links(job->extraction);
}

static int finish_directories(struct extract_job *job)
{
	return extract_finish_directories(job->extraction);
}

static int publish(struct extract_job *job)
{
	return extract_publish(job->extraction);
}

/*
 * Before it is published, as nobody may find half of a file after a power failure; and again, as it
 * must be in its place for good before the checkpoint counts as restored.
 */
static int flush(struct extract_job *job)
{
	return extract_sync(job->extraction);
}

static const struct step {
	const char *what;
	int (*run)(struct extract_job *job);
	enum fault_point done;
} steps[] = {
	{ "create the directories", create_directories, FAULT_RESTORE_DIRECTORIES },
	{ "create everything without data", create_entries, FAULT_RESTORE_ENTRIES },
	{ "write the files", write_files, FAULT_RESTORE_FILES },
	{ "create hard links", create_links, FAULT_RESTORE_LINKS },
	{ "set the attributes of directories", finish_directories, FAULT_RESTORE_ATTRIBUTES },
	{ "flush", flush, FAULT_RESTORE_STAGED },
	{ "move everything to its place", publish, FAULT_RESTORE_PUBLISHED },
	{ "flush", flush, FAULT_RESTORE_FLUSHED },
};

static int extract_all(struct extract_job *job)
{
	int r = fault(FAULT_RESTORE_BEGIN);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == 0; i++) {
		detail("restore: %s", steps[i].what);
		r = steps[i].run(job);
		if (r == 0)
			r = fault(steps[i].done);
	}
	return r;
}

/* Bytes that the data needs at least; sparse files may need less than is in the image. */
static uint64_t data_bytes(const struct image *image)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < image->extent_count; i++)
		if (!(image->tree->entries[image->extents[i].entry].flags & ENTRY_SPARSE))
			bytes += image->extents[i].length;
	return bytes;
}

int image_extract(struct image *image, const struct extract_options *options)
{
	_cleanup_extraction_ struct extraction extraction = { 0 };
	struct extract_job job = {
		.image = image,
		.options = options,
		.extraction = &extraction,
		.piece = IMAGE_SPAN,
	};
	int r, verified = 0;
	mode_t mask;

	r = extract_begin(&extraction, image->tree, options->into, options->overwrite);
	if (r < 0)
		return r;
	r = extract_check(&extraction, data_bytes(image));
	if (r < 0)
		return r;
	if (options->left_out &&
	    extract_only_ordinary(&extraction, options->left_out, options->data) < 0)
		return report_error(-ENOMEM, "%s: cannot restore there", options->into);
	if (options->dry_run || options->salvage)
		verified = image_verify_files(image, options->threads, options->damaged,
					      options->data);
	if (options->dry_run || (verified < 0 && !(options->salvage && verified == -E_DAMAGED)))
		return verified;
	find_split_files(&job);
	/* It is the umask of the whole process, but nothing else creates files meanwhile. */
	mask = umask(0);
	progress_begin(&job.progress, "Restoring",
		       image->header.index_offset - image->header.data_offset);
	r = extract_all(&job);
	progress_end(&job.progress);
	umask(mask);
	if (r < 0) {
		extract_undo(&extraction);
		return r;
	}
	extract_conclude(&extraction);
	return verified;
}
