/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A restore, as image-extract.c and image-extract-data.c share it. */
#ifndef PMEM_PRESERVE_IMAGE_EXTRACT_H
#define PMEM_PRESERVE_IMAGE_EXTRACT_H

#include "base/report.h"
#include "image/image-internal.h"
#include "tree/extract.h"

struct extract_job {
	struct image *image;
	const struct extract_options *options;
	struct extraction *extraction;
	struct progress progress;
	uint64_t piece; /* bytes of the image that a thread takes at a time */
};

/* For image_work(): checks the piece of the image called @item, and writes the files in it. */
int image_extract_piece(void *worker, uint64_t item);

#endif
