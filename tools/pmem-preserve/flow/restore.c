// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/restore.h"

#include "auth/counter.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/report.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/image-json.h"
#include "flow/place.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>

static void tell_timeline(const struct image_header *header)
{
	const uint64_t *at = header->timeline.at;
	uint64_t begin = at[TIMELINE_BEGIN], committed = at[TIMELINE_COMMITTED];
	uint64_t restore = at[TIMELINE_RESTORE], now = unix_ns();

	/* The clock may have been set anew by the next kernel. */
	if (!begin || committed < begin || restore < committed || now < restore)
		return;
	inform("It was away for %.1f s: %.1f to save, %.1f to boot, %.1f to restore",
	       (double)(now - begin) / 1e9, (double)(committed - begin) / 1e9,
	       (double)(restore - committed) / 1e9, (double)(now - restore) / 1e9);
}

static void on_damaged(void *data, const char *path)
{
	struct context *context = data;
	struct json_object *damaged;

	warn("damaged: %s", path);
	if (json_object_object_get_ex(context->result, "damaged", &damaged))
		json_append(damaged, path_to_json(path));
}

/* What is whole is there, or would be; the checkpoint is as it was. */
static int end_salvage(const struct options *options)
{
	if (options->dry_run)
		inform("Nothing was changed; all but what is listed here can be restored");
	else
		inform("All but what is listed here is restored and was checked. The checkpoint stays: \"restore --salvage --into\" another directory tries again, \"discard\" gives it up");
	return -E_DAMAGED;
}

static void explain_by_hand(const struct store *store)
{
	warn("nothing can be salvaged when it is not known what was whole. By hand, unchecked: \"mount -t erofs -o ro %s DIR\", or \"fsck.erofs --extract=DIR %s\"%s, which gets files with holes wrong; where these find no superblock, pmem-preserve(8) says how to put the second one in its place",
	     store->path, store->path,
	     store->kind == STORE_DAX ? " (of a dax device: from a copy, made with daxio)" : "");
}

/* What was restored, given up or followed by a newer one before is not to be brought back. */
static int refuse_old(const struct options *options, const struct place *place,
		      const struct image_header *header)
{
	uint64_t counter;
	int r = counter_read(options->counter_file, &counter);

	if (r < 0 || header->generation >= counter)
		return r;
	return report_error(-E_REFUSED,
			    "%s: the checkpoint is an old one, put back: it has generation %llu, and generations from %llu on are expected; if it is wanted all the same, write %llu into %s",
			    place_name(place), (unsigned long long)header->generation,
			    (unsigned long long)counter, (unsigned long long)header->generation,
			    options->counter_file);
}

static void on_left_out(void *data, const char *path, const char *what)
{
	struct json_object *object = json_object_new_object(), *list = NULL;
	struct context *context = data;

	json_add(object, "path", path_to_json(path));
	json_add(object, "what", json_object_new_string(what));
	json_object_object_get_ex(context->result, "left_out", &list);
	json_append(list, object);
	inform("left out: %s: %s", path, what);
}

int restore_run(struct context *context, const struct options *options, const struct place *place)
{
	struct extract_options extract = {
		.into = options->into ? options->into : "/",
		.overwrite = options->overwrite,
		.salvage = options->salvage,
		.dry_run = options->dry_run,
		.threads = options->threads,
		.damaged = on_damaged,
		.data = context,
	};
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	bool keep = options->keep || options->dry_run;
	uint64_t start = now_ns(), began = unix_ns();
	int r;

	if (options->no_special) {
		extract.left_out = on_left_out;
		json_add(context->result, "left_out", json_object_new_array());
	}
	r = store_open(place->path, keep ? STORE_READ : STORE_UPDATE, &store);
	if (r == 0)
		r = image_open(store, options->key, options->salvage ? IMAGE_ALLOW_LOST_HEADER : 0,
			       &image);
	if (r == -E_DAMAGED && options->salvage)
		explain_by_hand(store);
	if (r == 0)
		r = refuse_old(options, place, &image->header);
	if (r == 0 && !keep)
		r = counter_is_writable(options->counter_file);
	if (r < 0)
		return r;
	image->header.timeline.at[TIMELINE_RESTORE] = began;
	if (options->salvage) {
		json_add(context->result, "image", image_to_json(&image->header));
		json_add(context->result, "damaged", json_object_new_array());
	}
	inform("%s holds the state of %s, %s: %llu files with %s", place_name(place),
	       (const char *)image->header.hostname, time_text(image->header.created_ns).text,
	       (unsigned long long)image->header.files, size_text(image->header.file_bytes).text);
	r = image_extract(image, &extract);
	if (r == -E_DAMAGED && options->salvage)
		return end_salvage(options);
	if (r < 0)
		return r;
	if (options->dry_run) {
		json_add(context->result, "image", image_to_json(&image->header));
		inform("Nothing was changed; nothing is in the way of it");
		return 0;
	}
	image->header.timeline.at[TIMELINE_RESTORED] = unix_ns();
	if (!keep) {
		r = image_set_phase(store, IMAGE_PHASE_RESTORED, &image->header.timeline);
		if (r < 0)
			return r;
		image->header.phase = IMAGE_PHASE_RESTORED;
		if (counter_raise(options->counter_file, image->header.generation + 1) < 0)
			warn("this checkpoint may be restored once more, if somebody says that it was not");
	}
	json_add(context->result, "image", image_to_json(&image->header));
	inform("All of it is restored and was checked (%.2f s)%s", (double)(now_ns() - start) / 1e9,
	       keep ? "; the checkpoint stays" : "");
	tell_timeline(&image->header);
	return 0;
}
