// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/parallel.h"

#include "base/interrupt.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

/* Items from next on, up to end, that were not begun yet. */
struct share {
	_Atomic uint64_t next;
	uint64_t end;
};

struct shared {
	const struct parallel *parallel;
	_Atomic unsigned int threads; /* that have begun */
	unsigned int share_count;
	_Atomic int error;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int busy; /* threads that may still be at work on an item */
	struct share shares[PARALLEL_THREADS_MAX];
};

/* From its own share first, then from the others'. False if nothing is left. */
static bool take_item(struct shared *shared, unsigned int own, uint64_t *ret_item)
{
	for (unsigned int i = 0; i < shared->share_count; i++) {
		struct share *share = &shared->shares[(own + i) % shared->share_count];

		if (atomic_load_explicit(&share->next, memory_order_relaxed) >= share->end)
			continue;
		*ret_item = atomic_fetch_add(&share->next, 1);
		if (*ret_item < share->end)
			return true;
	}
	return false;
}

/* Threads that are, or will not even become, idle. */
static void add_idle(struct shared *shared, unsigned int count)
{
	pthread_mutex_lock(&shared->lock);
	shared->busy -= count;
	if (shared->busy == 0)
		pthread_cond_broadcast(&shared->idle);
	pthread_mutex_unlock(&shared->lock);
}

static void wait_for_all(struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	while (shared->busy)
		pthread_cond_wait(&shared->idle, &shared->lock);
	pthread_mutex_unlock(&shared->lock);
}

static void note_error(struct shared *shared, int r)
{
	int none = 0;

	if (r < 0)
		atomic_compare_exchange_strong(&shared->error, &none, r);
}

static void *thread_main(void *data)
{
	struct shared *shared = data;
	const struct parallel *parallel = shared->parallel;
	unsigned int own = atomic_fetch_add(&shared->threads, 1);
	void *worker = NULL;
	uint64_t item;
	int r;

	r = parallel->begin(parallel->data, &worker);
	while (r == 0 && atomic_load_explicit(&shared->error, memory_order_relaxed) == 0 &&
	       take_item(shared, own, &item)) {
		r = interrupt_check();
		if (r == 0)
			r = parallel->run(worker, item);
	}
	note_error(shared, r);
	add_idle(shared, 1);
	wait_for_all(shared);
	if (worker)
		note_error(shared, parallel->end(worker));
	if (parallel->workers)
		parallel->workers[own] = worker;
	return NULL;
}

/* A file table of its own: with a shared one, each call counts references and opens are serialized. */
static void *begin_thread(void *shared)
{
	bool has_own = unshare(CLONE_FILES) == 0;

	thread_main(shared);
	/* pthread_join() may return before the thread's files are gone: a device would be in use.
	 */
	if (has_own)
		close_range(3, UINT_MAX, 0);
	return NULL;
}

static uint64_t share_begin(uint64_t items, unsigned int number, unsigned int count)
{
	return items / count * number + items % count * number / count;
}

int parallel_run(const struct parallel *parallel)
{
	struct shared shared = {
		.parallel = parallel,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.idle = PTHREAD_COND_INITIALIZER,
	};
	unsigned int wanted = parallel->threads, started = 0;
	pthread_t threads[PARALLEL_THREADS_MAX];
	cpu_set_t cpus;

	if (wanted == 0)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) == 0
				 ? (unsigned int)CPU_COUNT(&cpus)
				 : 1;
	if (wanted > PARALLEL_THREADS_MAX)
		wanted = PARALLEL_THREADS_MAX;
	if (wanted > parallel->items)
		wanted = parallel->items ? (unsigned int)parallel->items : 1;
	shared.share_count = wanted;
	shared.busy = wanted;
	for (unsigned int i = 0; i < wanted; i++) {
		atomic_init(&shared.shares[i].next, share_begin(parallel->items, i, wanted));
		shared.shares[i].end = share_begin(parallel->items, i + 1, wanted);
	}
	while (started + 1 < wanted &&
	       pthread_create(&threads[started], NULL, begin_thread, &shared) == 0)
		started++;
	if (started + 1 < wanted)
		add_idle(&shared, wanted - started - 1);
	thread_main(&shared);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&shared.error);
}
