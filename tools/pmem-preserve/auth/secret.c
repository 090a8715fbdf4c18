// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth/secret.h"

#include <string.h>
#include <sys/mman.h>

void *secret_new(size_t bytes)
{
	void *secret =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (secret == MAP_FAILED)
		return NULL;
	/* A user may not be allowed to lock any memory; the key can be used nevertheless. */
	(void)mlock(secret, bytes);
	madvise(secret, bytes, MADV_DONTDUMP);
	madvise(secret, bytes, MADV_WIPEONFORK);
	return secret;
}

void secret_free(void *secret, size_t bytes)
{
	if (!secret)
		return;
	explicit_bzero(secret, bytes);
	munmap(secret, bytes);
}
