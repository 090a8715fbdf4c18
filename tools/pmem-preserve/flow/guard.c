// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/guard.h"

#include "auth/counter.h"
#include "auth/trust.h"
#include "base/report.h"
#include "base/text.h"
#include "image/image.h"

#include <blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What other data a device holds, as libblkid recognizes it; "" if there is none. */
static void find_foreign(struct store *store, char *name, size_t bytes)
{
	blkid_probe probe =
		store->kind == STORE_BLOCK ? blkid_new_probe_from_filename(store->path) : NULL;
	const char *type = NULL;

	name[0] = '\0';
	if (image_is_ours(store))
		snprintf(name, bytes, "an image that was made for a device of another size");
	if (!probe)
		return;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_enable_partitions(probe, 1);
	if (blkid_do_safeprobe(probe) == 0 &&
	    (blkid_probe_lookup_value(probe, "TYPE", &type, NULL) == 0 ||
	     blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL) == 0))
		snprintf(name, bytes, "%s", type);
	blkid_free_probe(probe);
}

static int refuse(const char *name, bool replace, const char *what)
{
	if (!replace)
		return report_error(-E_REFUSED, "%s holds %s; --replace gives it up", name, what);
	warn("%s holds %s; --replace gives it up", name, what);
	return 0;
}

int checkpoint_guard_path(const char *path, const char *name, bool replace,
			  struct image_header *ret_header)
{
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	char what[200], foreign[64];
	int r;

	*ret_header = (struct image_header){ 0 };
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = store_open(path, STORE_READ, &store);
	if (r < 0)
		return r;
	r = image_read_header(store, &header);
	if (r == -E_DAMAGED) {
		image_read_copy(store, ret_header);
		return refuse(name, replace, "a damaged checkpoint (see above)");
	}
	if (r == -E_NO_CHECKPOINT) {
		find_foreign(store, foreign, sizeof(foreign));
		snprintf(what, sizeof(what), "something else%s%s%s", foreign[0] ? " (" : "",
			 foreign, foreign[0] ? ")" : "");
		if (foreign[0] || (store->kind == STORE_FILE && store->capacity > 0))
			return refuse(name, replace, what);
		return 0;
	}
	if (r < 0)
		return r;
	*ret_header = header;
	if (header.phase != IMAGE_PHASE_COMMITTED)
		return 0;
	snprintf(what, sizeof(what), "a checkpoint of %s that was not restored",
		 time_text(header.created_ns).text);
	if (!replace)
		return report_error(-E_REFUSED,
				    "%s holds %s: \"restore\" or \"discard\" it first (or give checkpoint, prepare or hot-add --replace)",
				    name, what);
	return refuse(name, true, what);
}

int checkpoint_guard(const struct region *region, bool replace, struct image_header *ret_header)
{
	char path[REGION_PATH_BYTES];

	*ret_header = (struct image_header){ 0 };
	region_path(region, path);
	return path[0] ? checkpoint_guard_path(path, region->name, replace, ret_header) : 0;
}

int checkpoint_forget(struct trust *trust, const struct image_header *header)
{
	int r = trust_read_key(trust);

	if (r < 0 || !trust->key || !image_is_credible(header, trust->key))
		return r;
	return counter_raise(trust->counter_file, header->generation + 1);
}
