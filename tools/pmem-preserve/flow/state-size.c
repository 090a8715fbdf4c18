// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/state-size.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/report.h"
#include "image/image.h"
#include "settings/config.h"
#include "tree/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Shared with the child. */
struct measuring {
	const struct config *config;
	struct state_size size;
};

/* The messages are for the parent, which has a place for them. */
static void be_silent(void)
{
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	report_init(QUIET);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
}

static int measure(void *data)
{
	struct measuring *measuring = data;
	const struct config *config = measuring->config;
	const struct walk_options walk = {
		.paths = config->states,
		.path_count = config->state_count,
		.excludes = config->excludes,
		.exclude_count = config->exclude_count,
		.threads = config->threads,
	};
	struct state_size *size = &measuring->size;
	_cleanup_image_ struct image *image = NULL;
	struct tree *tree;
	int r;

	be_silent();
	r = walk_tree(&walk, &tree);
	if (r == 0)
		r = image_layout(tree, &image);
	if (r < 0) {
		snprintf(size->why, sizeof(size->why), "%s", report_last_error());
		return 0;
	}
	size->files = image->header.files;
	size->file_bytes = image->header.file_bytes;
	size->image_bytes = image->header.image_bytes;
	size->is_measured = true;
	return 0;
}

void state_measure(const struct config *config, unsigned int limit_seconds,
		   struct state_size *ret_size)
{
	const struct child_limit limit = { .deadline_ns =
						   now_ns() + limit_seconds * NS_PER_SECOND };
	struct measuring *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	*ret_size = (struct state_size){ 0 };
	if (shared == MAP_FAILED) {
		snprintf(ret_size->why, sizeof(ret_size->why), "%s", strerror(errno));
		return;
	}
	*shared = (struct measuring){ .config = config };
	r = child_work(measure, shared, &limit);
	if (r == -ETIMEDOUT)
		snprintf(shared->size.why, sizeof(shared->size.why),
			 "it takes longer than %u s; \"pmem-preserve checkpoint -n\" takes that time",
			 limit_seconds);
	else if (r < 0)
		snprintf(shared->size.why, sizeof(shared->size.why), "%s", strerror(-r));
	if (r < 0)
		shared->size.is_measured = false;
	*ret_size = shared->size;
	munmap(shared, sizeof(*shared));
}
