// SPDX-License-Identifier: GPL-2.0-or-later
/* Leaving nothing of an image where it lay. */
#include "base/cleanup.h"
#include "image/image-internal.h"

#include <errno.h>
#include <string.h>

#define PIECE (1u << 20)

static int wipe_payload(struct store *store, uint64_t end, struct progress *progress)
{
	_cleanup_free_ uint8_t *zeroes = store_buffer(PIECE);
	int r = 0;

	if (!zeroes)
		return report_error(-ENOMEM, "%s: cannot be wiped", store->path);
	memset(zeroes, 0, PIECE);
	for (uint64_t at = IMAGE_DATA_OFFSET; at < end && r == 0; at += PIECE) {
		uint64_t piece = end - at < PIECE ? end - at : PIECE;

		r = store_write(store, zeroes, piece, at);
		progress_add(progress, piece);
	}
	return r < 0 ? r : store_flush(store);
}

/*
 * The header goes last, and says from the beginning that there is nothing to restore: whoever comes
 * after an end half way knows how much there was, and can finish.
 */
int image_wipe(struct store *store, uint64_t bytes)
{
	uint64_t end = bytes < store->capacity ? bytes : store->capacity;
	struct progress progress;
	int r = image_set_phase(store, IMAGE_PHASE_WRITING, NULL);

	if (r < 0)
		return r;
	/* A file may end anywhere, a device does not. */
	end = store->kind == STORE_FILE ? align_up(end, EROFS_BLOCK) : end & ~(EROFS_BLOCK - 1ull);
	progress_begin(&progress, "Wiping", end);
	r = wipe_payload(store, end, &progress);
	progress_end(&progress);
	return r < 0 ? r : image_erase(store);
}
