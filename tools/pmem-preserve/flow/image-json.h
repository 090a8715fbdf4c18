/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image as a member of the --json output, and as a few lines for people. */
#ifndef PMEM_PRESERVE_IMAGE_JSON_H
#define PMEM_PRESERVE_IMAGE_JSON_H

#include "image/image-format.h"

struct json_object;

/*
 * {"phase", "uuid", "generation", "sealed", "image_bytes", "files", "file_bytes", "created",
 * "hostname", "kernel", "timeline": {NAME: seconds since the epoch}}. The caller owns the object.
 */
struct json_object *image_to_json(const struct image_header *header);

/* UTF-8 as it is; any other byte as U+FFFD: JSON has no way to hold it. */
struct json_object *path_to_json(const char *path);

#endif
