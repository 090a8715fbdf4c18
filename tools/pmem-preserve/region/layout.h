/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a region holds a checkpoint: the modes that "layout =" and --layout choose from. */
#ifndef PMEM_PRESERVE_LAYOUT_H
#define PMEM_PRESERVE_LAYOUT_H

enum layout {
	LAYOUT_RAW,    /* /dev/pmemN, which can be mounted */
	LAYOUT_DEVDAX, /* /dev/daxX.Y */
};

/* "raw" or "devdax"; else -EINVAL. */
int layout_parse(const char *text, enum layout *ret_layout);
const char *layout_name(enum layout layout);

#endif
