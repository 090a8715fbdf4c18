// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fixes the digests of images that were changed on purpose (see seal.h).
 *
 *	reseal all|table|header FILE...
 */
#include "seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (64ul << 20)

static int reseal(enum seal_level level, const char *path)
{
	FILE *file = fopen(path, "r+be");
	uint8_t *image = malloc(FILE_BYTES_MAX);
	int r = -1;

	if (file && image) {
		size_t size = fread(image, 1, FILE_BYTES_MAX, file);

		seal_image(image, size, level);
		rewind(file);
		r = fwrite(image, 1, size, file) == size ? 0 : -1;
	}
	if (file && fclose(file) != 0)
		r = -1;
	free(image);
	if (r < 0)
		fprintf(stderr, "reseal: %s: cannot be read and written\n", path);
	return r;
}

int main(int argc, char **argv)
{
	enum seal_level level = SEAL_HEADER;
	int status = argc < 3;

	if (argc > 1 && strcmp(argv[1], "all") == 0)
		level = SEAL_ALL;
	else if (argc > 1 && strcmp(argv[1], "table") == 0)
		level = SEAL_TABLE;
	for (int i = 2; i < argc; i++)
		status |= reseal(level, argv[i]) < 0;
	return status;
}
