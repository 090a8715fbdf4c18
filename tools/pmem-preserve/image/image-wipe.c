// SPDX-License-Identifier: GPL-2.0-or-later
/* Overwriting all of an image. */
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
		return report_error(-ENOMEM, "%s: cannot wipe", store->path);
	memset(zeroes, 0, PIECE);
	for (uint64_t at = IMAGE_FIRST_BLOCK; at < end && r == 0; at += PIECE) {
		uint64_t piece = end - at < PIECE ? end - at : PIECE;

		r = store_write(store, zeroes, piece, at);
		progress_add(progress, piece);
	}
	if (r < 0)
		return r;
	return store_flush(store);
}

/*
 * The phase is changed first and the header is erased last: after an interruption there is nothing
 * to restore, but the size of the image is still known and the wipe can be repeated.
 */
int image_wipe(struct store *store, uint64_t bytes)
{
	uint64_t end = bytes < store->capacity ? bytes : store->capacity;
	struct progress progress;
	int r = image_set_phase(store, IMAGE_PHASE_WRITING, NULL);

	if (r < 0)
		return r;
	/* A file may have any size; a device has whole blocks. */
	end = store->kind == STORE_FILE ? align_up(end, EROFS_BLOCK) : end & ~(EROFS_BLOCK - 1ull);
	progress_begin(&progress, "Wiping", end);
	r = wipe_payload(store, end, &progress);
	progress_end(&progress);
	if (r < 0)
		return r;
	return image_erase(store);
}
