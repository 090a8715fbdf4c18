// SPDX-License-Identifier: GPL-2.0-or-later
#include "parallel.h"

#include "interrupt.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS_MAX 64u

struct shared {
	const struct parallel *parallel;
	_Atomic uint64_t next;
	_Atomic int error;
};

static void *thread_main(void *data)
{
	struct shared *shared = data;
	const struct parallel *parallel = shared->parallel;
	void *worker = NULL;
	int r, none = 0;

	r = parallel->begin(parallel->data, &worker);
	while (r == 0 && atomic_load_explicit(&shared->error, memory_order_relaxed) == 0) {
		uint64_t item = atomic_fetch_add(&shared->next, 1);

		if (item >= parallel->items)
			break;
		r = interrupt_check();
		if (r == 0)
			r = parallel->run(worker, item);
	}
	if (r < 0)
		atomic_compare_exchange_strong(&shared->error, &none, r);
	if (worker)
		parallel->end(worker);
	return NULL;
}

int parallel_run(const struct parallel *parallel)
{
	struct shared shared = { .parallel = parallel };
	unsigned int wanted = parallel->threads, started = 0;
	pthread_t threads[THREADS_MAX];
	cpu_set_t cpus;

	if (wanted == 0)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) == 0
				 ? (unsigned int)CPU_COUNT(&cpus)
				 : 1;
	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	if (wanted > parallel->items)
		wanted = parallel->items ? (unsigned int)parallel->items : 1;
	while (started + 1 < wanted &&
	       pthread_create(&threads[started], NULL, thread_main, &shared) == 0)
		started++;
	thread_main(&shared);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&shared.error);
}
