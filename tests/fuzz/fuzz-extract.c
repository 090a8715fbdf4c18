// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What restore does with an untrusted image. Nothing may be written outside of the target, and a
 * restore that fails must remove what it has created, even if the target was not empty.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "image/image-internal.h"
#include "pack.h"
#include "sandbox.h"
#include "tree/extract-remove.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum choice {
	CHOICE_DRY_RUN = 1 << 0,
	CHOICE_AGAIN = 1 << 1,	   /* restore again, over the first restore */
	CHOICE_OVERWRITE = 1 << 2, /* with --overwrite then, or over what is planted */
	CHOICE_LINK = 1 << 3,	   /* plant a link that leads out of the target */
	CHOICE_FILE = 1 << 4,	   /* plant a file; with both, a directory */
	CHOICE_PLACE_SHIFT = 5,	   /* where to plant it, in the list of entries */
	CHOICE_PLACES = 8,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sandbox_enter();
	return 0;
}

/*
 * Creates something in the place of one of the tree's entries, and its parent directories. Returns
 * its path beneath the target, or NULL if nothing was planted.
 */
static char *plant(const struct tree *tree, uint8_t choice, int target)
{
	uint32_t index = 1 + (choice >> CHOICE_PLACE_SHIFT) * (tree->count - 1) / CHOICE_PLACES;
	char *path, *end;
	int r, fd;

	if (!(choice & (CHOICE_LINK | CHOICE_FILE)) || index >= tree->count ||
	    tree_path_length(tree, index) >= PATH_MAX)
		return NULL;
	path = tree_path(tree, index);
	memmove(path, path + 1, strlen(path));
	for (end = strchr(path, '/'); end; end = strchr(end + 1, '/')) {
		*end = '\0';
		r = mkdirat(target, path, 0700);
		*end = '/';
		if (r < 0)
			sandbox_finding("a name in the tree is not valid for a directory");
	}
	if (choice & CHOICE_LINK && choice & CHOICE_FILE) {
		r = mkdirat(target, path, 0700);
	} else if (choice & CHOICE_LINK) {
		r = symlinkat(SANDBOX_OUTSIDE, target, path);
	} else {
		fd = openat(target, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		r = fd < 0 ? fd : close(fd);
	}
	if (r < 0)
		sandbox_finding("a name in the tree is not valid for a file");
	return path;
}

/* What the restore has replaced is gone already. */
static void uproot(char *path, int target)
{
	if (unlinkat(target, path, 0) < 0)
		unlinkat(target, path, AT_REMOVEDIR);
	for (char *end = strrchr(path, '/'); end; end = strrchr(path, '/')) {
		*end = '\0';
		unlinkat(target, path, AT_REMOVEDIR);
	}
}

/* A second restore finds the files of the first. */
static int extract_again(struct store *store, const struct extract_options *options)
{
	_cleanup_image_ struct image *image = NULL;
	int r = image_open(store, NULL, 0, &image);

	return r == 0 ? image_extract(image, options) : r;
}

/* All intact files of a damaged image. */
static void salvage(struct store *store, struct extract_options options, int target)
{
	_cleanup_image_ struct image *image = NULL;
	int r = image_open(store, NULL, IMAGE_ALLOW_LOST_HEADER, &image);

	options.overwrite = false;
	options.salvage = true;
	if (r == 0)
		r = image_extract(image, &options);
	if (r == 0)
		sandbox_finding("salvaging a damaged image reports no damage");
	/* What is whole was restored; any other failure has removed it itself. */
	if (r == -E_DAMAGED)
		remove_all_in(target, NULL);
}

static void on_damaged(void *data, const char *path)
{
	if (*path != '/')
		sandbox_finding("the path of a damaged file is not absolute");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size)
{
	static uint8_t data[UNPACKED_MAX];
	size_t size = unpack_image(input, input_size, data);
	uint8_t choice = choice_of(data, size);
	struct extract_options options = {
		.into = SANDBOX_TARGET,
		.dry_run = choice & CHOICE_DRY_RUN,
		.threads = 1,
		.damaged = on_damaged,
	};
	_cleanup_store_ struct store *store = NULL;
	_cleanup_image_ struct image *image = NULL;
	_cleanup_close_ int target = -1;
	_cleanup_free_ char *planted = NULL;
	struct image_header copy;
	bool is_restored;
	int r;

	if (store_open(sandbox_image(data, size), STORE_READ, &store) < 0)
		sandbox_finding("the image cannot be opened");
	r = image_open(store, NULL, 0, &image);
	if (r < 0 && (r != -E_DAMAGED || image_read_copy(store, &copy) < 0))
		return 0;
	sandbox_begin();
	target = open(SANDBOX_TARGET, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		sandbox_finding("the target cannot be opened");
	if (r < 0) {
		salvage(store, options, target);
		sandbox_end(r);
		return 0;
	}
	planted = plant(image->tree, choice, target);
	if (planted)
		options.overwrite = choice & CHOICE_OVERWRITE;
	r = image_extract(image, &options);
	is_restored = r == 0 && !options.dry_run;
	if (r == 0 && (choice & CHOICE_AGAIN)) {
		options.overwrite = choice & CHOICE_OVERWRITE;
		r = extract_again(store, &options);
		is_restored |= r == 0 && !options.dry_run;
	}
	/* A restore that failed has removed everything itself. */
	if (is_restored)
		remove_all_in(target, NULL);
	if (planted)
		uproot(planted, target);
	else if (r == -E_DAMAGED)
		salvage(store, options, target);
	sandbox_end(r);
	return 0;
}
