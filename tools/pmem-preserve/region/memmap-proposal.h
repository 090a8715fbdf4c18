/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A range of RAM to set aside with memmap=. Pure functions on the text of /proc/iomem. */
#ifndef PMEM_PRESERVE_MEMMAP_PROPOSAL_H
#define PMEM_PRESERVE_MEMMAP_PROPOSAL_H

#include <stdint.h>

struct memmap_proposal {
	uint64_t start, size; /* bytes, both multiples of the memory block size */
};

/*
 * At least @wanted bytes at the end of the largest range of RAM, above 4 GiB where there is enough:
 * what the kernel itself needs at boot lies low. Never more than half of all RAM.
 * -ENOSPC: no range has room; -EACCES: @iomem shows no addresses, as for all but root.
 */
int memmap_propose(const char *iomem, uint64_t wanted, uint64_t block_bytes,
		   struct memmap_proposal *ret_proposal);

/* "2G!4G", as the kernel's command line takes it. */
struct memmap_text {
	char text[48];
};
struct memmap_text memmap_text(const struct memmap_proposal *proposal);

#endif
