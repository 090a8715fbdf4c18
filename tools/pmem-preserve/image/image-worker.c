// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/image-worker.h"

#include "base/report.h"
#include "image/image-format.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>

static int end_worker(void *data)
{
	struct image_worker *worker = data;
	int r = walk_reader_end(&worker->reader);

	tree_cursor_close(&worker->cursor);
	free(worker->buffer);
	free(worker);
	return r;
}

static int begin_worker(void *data, void **ret_worker)
{
	const struct image_work *work = data;
	struct image_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return report_error(-ENOMEM, "cannot start a thread");
	worker->job = work->job;
	tree_cursor_init(&worker->cursor, work->tree, work->root);
	worker->reader.reading = work->reading;
	worker->reader.cursor = &worker->cursor;
	worker->buffer = store_buffer(IMAGE_SPAN);
	if (!worker->buffer) {
		end_worker(worker);
		return report_error(-ENOMEM, "cannot start a thread");
	}
	*ret_worker = worker;
	return 0;
}

int image_work(const struct image_work *work, uint64_t items, parallel_function *run)
{
	const struct parallel parallel = {
		.threads = work->threads,
		.items = items,
		.run = run,
		.begin = begin_worker,
		.end = end_worker,
		.data = (void *)work,
	};

	return parallel_run(&parallel);
}
