// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What status, list and verify do with an untrusted image: header, tables, tree, digests. An image
 * that was written to a device, according to its header, is read as from a mapped device.
 */
#include "base/cleanup.h"
#include "commands/command.h"
#include "settings/config.h"
#include "fuzz.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "invariants.h"
#include "pack.h"
#include "sandbox.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>

enum choice {
	CHOICE_LONG = 1 << 0,
	CHOICE_TEXT = 1 << 1,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sandbox_enter();
	return 0;
}

static void count_damaged(void *data, const char *path)
{
	*(size_t *)data += strlen(path);
}

static void tell(struct json_object *object)
{
	json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY);
	json_object_put(object);
}

static void list(const char *path, uint8_t choice)
{
	const struct config config = { 0 };
	struct context context = { .config = &config, .json = !(choice & CHOICE_TEXT) };
	char *words[] = { (char *)"list", (char *)"--image", (char *)path,
			  choice & CHOICE_LONG ? (char *)"-l" : NULL, NULL };

	context.result = json_object_new_object();
	if (cmd_list(&context, choice & CHOICE_LONG ? 4 : 3, words) < 0)
		sandbox_finding("an image that can be opened cannot be listed");
	tell(context.result);
}

/* 0 if it can be listed. */
static int read_image(struct store *store)
{
	_cleanup_image_ struct image *image = NULL;
	struct image_header header;
	size_t damaged = 0;
	const char *what;
	int r;

	r = image_read_header(store, &header);
	if (r == 0)
		tell(image_to_json(&header));
	if (r == 0 && !image_is_ours(store))
		sandbox_finding("a header is valid, but not recognized");
	r = image_open(store, NULL, IMAGE_ALLOW_RESTORED | IMAGE_ALLOW_LOST_HEADER, &image);
	if (r < 0)
		return r;
	what = broken_invariant(image);
	if (what)
		sandbox_finding(what);
	r = image_verify(image, 1, count_damaged, &damaged);
	if (image->header_lost && r == 0)
		sandbox_finding("an image without a header is reported intact");
	return image->header_lost ? -E_DAMAGED : 0;
}

static bool is_of_device(const uint8_t *data, size_t size)
{
	uint64_t store_bytes = 0;

	if (size >= IMAGE_HEADER_BYTES)
		memcpy(&store_bytes, data + offsetof(struct image_header, store_bytes),
		       sizeof(store_bytes));
	return store_bytes != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size)
{
	static _Alignas(IMAGE_BLOCK) uint8_t data[UNPACKED_MAX];
	size_t size = unpack_image(input, input_size, data);
	_cleanup_store_ struct store *file = NULL;
	const char *path;

	if (is_of_device(data, size)) {
		struct store device = { .kind = STORE_DAX,
					.path = (char *)"device",
					.fd = -1,
					.capacity = size,
					.map = (void *)data };

		read_image(&device);
		return 0;
	}
	path = sandbox_image(data, size);
	if (store_open(path, STORE_READ, &file) < 0)
		sandbox_finding("the image cannot be opened");
	if (read_image(file) == 0)
		list(path, choice_of(data, size));
	return 0;
}
