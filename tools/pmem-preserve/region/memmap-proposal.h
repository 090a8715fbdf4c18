/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proposes a range of RAM to reserve with memmap=, from the map in /proc/iomem. */
#ifndef PMEM_PRESERVE_MEMMAP_PROPOSAL_H
#define PMEM_PRESERVE_MEMMAP_PROPOSAL_H

#include <stdint.h>

struct memmap_proposal {
	uint64_t start, size; /* bytes, both multiples of the memory block size */
};

/*
 * At least @wanted bytes near the end of the largest range of RAM, above 4 GiB if there is enough, as
 * the kernel needs low memory at boot; with a memory block after it, if there is room for one. Never more than half of all RAM.
 * -ENOSPC: no range is large enough; -EACCES: @iomem has no addresses, as for all users but root.
 */
int memmap_propose(const char *iomem, uint64_t wanted, uint64_t block_bytes,
		   struct memmap_proposal *ret_proposal);

/*
 * The same for this machine: one and a half times @state_bytes, and at least 1 GiB. Also -ENOENT:
 * the kernel cannot add memory while it runs; or another -errno. Not reported.
 */
int memmap_propose_here(uint64_t state_bytes, struct memmap_proposal *ret_proposal);

/* "2G!4G", for the kernel command line. */
struct memmap_text {
	char text[48];
};
struct memmap_text memmap_text(const struct memmap_proposal *proposal);

#endif
