/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a checkpoint is looked for, as the command line and the configuration say. */
#ifndef PMEM_PRESERVE_WHERE_H
#define PMEM_PRESERVE_WHERE_H

#include <stdbool.h>

struct where {
	const char *image;    /* a file or device that was named; it comes before all others */
	const char *region;   /* NULL: the only one that the machine has */
	bool region_named;    /* on the command line: the fallback file does not count */
	const char *fallback; /* the configuration's fallback file; NULL if there is none */
};

#endif
