// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/inside.h"

#include "base/cleanup.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

/* A file that is there is opened through links; a new one is made beside them. */
static int resolve(const char *path, char **ret_place)
{
	_cleanup_free_ char *copy = NULL;
	char *place = realpath(path, NULL);

	if (!place) {
		copy = strdup(path);
		if (!copy)
			return -ENOMEM;
		place = realpath(dirname(copy), NULL);
	}
	if (!place)
		return -errno;
	*ret_place = place;
	return 0;
}

int image_is_inside(const char *path, const char *root, bool *ret_inside)
{
	_cleanup_free_ char *tree = realpath(root, NULL), *place = NULL;
	size_t length;
	int r;

	if (!tree && errno == ENOMEM)
		return -ENOMEM;
	if (!tree) {
		*ret_inside = false;
		return 0;
	}
	r = resolve(path, &place);
	if (r < 0)
		return r;
	length = strlen(tree);
	*ret_inside = length == 1 || (strncmp(place, tree, length) == 0 &&
				      (place[length] == '/' || place[length] == '\0'));
	return 0;
}
