/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a committed image to the tree. */
#ifndef PMEM_PRESERVE_RESTORE_H
#define PMEM_PRESERVE_RESTORE_H

#include "image/image-format.h"

#include <stdbool.h>
#include <stddef.h>

struct place;
struct trust;

/* What is wanted. Everything belongs to the caller. */
struct restore_request {
	const struct trust *trust; /* its key has been read */
	const char *into;	   /* the directory that stands for "/"; NULL: "/" itself */
	bool overwrite;		   /* replace files that exist */
	bool salvage;		   /* from a damaged image, all files that are whole */
	bool keep;		   /* the image is not marked as restored */
	bool special;		   /* bring devices, setuid bits and capabilities back */
	bool dry_run;		   /* reads and checks all of it, and changes nothing */
	bool again;		   /* an image in a regular file may have been restored before */
	unsigned int threads;	   /* 0: one per processor */
};

/* What a restore came to; valid whatever it returned. */
struct restored {
	bool has_header;
	bool is_marked; /* it has become a restored one */
	struct image_header header;
	char **damaged; /* paths that could not be salvaged */
	size_t damaged_count;
	struct left_out {
		char *path;
		const char *what; /* "device", "setuid bit"... */
	} * left_out;		  /* without request->special */
	size_t left_out_count;
};
void restored_clear(struct restored *restored);
#define _cleanup_restored_ __attribute__((cleanup(restored_clear)))

/*
 * Restores what lies in @place and marks it as restored. Errors as image_open() and
 * image_extract(), reported; the checkpoint stays then. -E_NOT_MARKED: the state is restored, but the
 * checkpoint could not be marked.
 */
int restore_run(const struct place *place, const struct restore_request *request,
		struct restored *ret_restored);

#endif
