// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/wipe.h"

#include "base/clock.h"
#include "base/report.h"
#include "image/image.h"
#include "region/region.h"

int wipe_region(const struct region *region)
{
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	char path[REGION_PATH_BYTES];
	uint64_t start = now_ns();
	int r;

	region_path(region, path);
	if (!path[0])
		return 0;
	r = store_open(path, STORE_UPDATE, &store);
	if (r < 0)
		return r;
	r = image_read_header(store, &header);
	if (r == -E_NO_CHECKPOINT)
		return 0;
	/* A damaged header does not say how large the image is. */
	if (r < 0)
		header.image_bytes = store->capacity;
	r = image_wipe(store, header.image_bytes);
	if (r == 0)
		inform("The remains of the checkpoint in %s are wiped (%.2f s)", region->name,
		       seconds_since(start));
	return r;
}
