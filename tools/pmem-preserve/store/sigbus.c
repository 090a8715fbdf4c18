// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sigbus.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

/* More than the number of stores that are ever open at the same time. */
#define WATCHES 8u

struct sigbus_watch {
	uint8_t *map;
	uint64_t length, piece;
	atomic_bool is_hardware;
	_Atomic uint8_t failed[]; /* one flag per piece */
};

static struct sigbus_watch *_Atomic watches[WATCHES];
static struct sigaction before;

static struct sigbus_watch *find_watch(const void *address)
{
	for (unsigned int i = 0; i < WATCHES; i++) {
		struct sigbus_watch *watch = atomic_load(&watches[i]);

		if (watch && (uintptr_t)address - (uintptr_t)watch->map < watch->length)
			return watch;
	}
	return NULL;
}

/* The piece is marked first, so that whoever reads one of the zeroes finds the mark. */
static bool replace(struct sigbus_watch *watch, const void *address)
{
	uint64_t number = (uint64_t)((uintptr_t)address - (uintptr_t)watch->map) / watch->piece;
	uint64_t start = number * watch->piece, length = watch->length - start;

	if (length > watch->piece)
		length = watch->piece;
	atomic_store(&watch->failed[number], 1);
	return mmap(watch->map + start, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* Calls only what is safe in a signal handler; mmap() is a plain system call. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	bool is_fault = info->si_code > 0 && info->si_code != SI_KERNEL;
	struct sigbus_watch *watch = is_fault ? find_watch(info->si_addr) : NULL;
	int saved = errno;

	if (watch) {
		if (info->si_code == BUS_MCEERR_AR || info->si_code == BUS_MCEERR_AO)
			atomic_store(&watch->is_hardware, true);
		if (replace(watch, info->si_addr)) {
			errno = saved;
			return;
		}
	}
	/* Reported before any access, for a page that is not watched: an access will fault again. */
	if (info->si_code == BUS_MCEERR_AO && !watch)
		return;
	/* A fault is raised again on return and kills the process then; a sent signal is not. */
	sigaction(SIGBUS, &before, NULL);
	if (!is_fault || info->si_code == BUS_MCEERR_AO)
		raise(SIGBUS);
	errno = saved;
}

static void install(void)
{
	struct sigaction now, action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, NULL, &now);
	if (now.sa_sigaction == on_bus_error)
		return;
	before = now;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

int sigbus_watch(void *map, uint64_t length, uint64_t piece, struct sigbus_watch **ret_watch)
{
	struct sigbus_watch *watch = calloc(1, sizeof(*watch) + (length + piece - 1) / piece);

	if (!watch)
		return -ENOMEM;
	watch->map = map;
	watch->length = length;
	watch->piece = piece;
	install();
	for (unsigned int i = 0; i < WATCHES; i++) {
		struct sigbus_watch *none = NULL;

		if (atomic_compare_exchange_strong(&watches[i], &none, watch)) {
			*ret_watch = watch;
			return 0;
		}
	}
	free(watch);
	return -EMFILE;
}

void sigbus_unwatch(struct sigbus_watch *watch)
{
	if (!watch)
		return;
	for (unsigned int i = 0; i < WATCHES; i++) {
		struct sigbus_watch *expected = watch;

		atomic_compare_exchange_strong(&watches[i], &expected, NULL);
	}
	free(watch);
}

bool sigbus_hit(const struct sigbus_watch *watch, uint64_t offset, uint64_t length)
{
	if (!watch || length == 0)
		return false;
	/* The flags must not be read before the access in question. */
	atomic_thread_fence(memory_order_seq_cst);
	for (uint64_t i = offset / watch->piece; i <= (offset + length - 1) / watch->piece; i++)
		if (atomic_load_explicit(&watch->failed[i], memory_order_relaxed))
			return true;
	return false;
}

const char *sigbus_reason(const struct sigbus_watch *watch)
{
	return atomic_load(&watch->is_hardware)
		       ? "the memory is poisoned (hardware error; see the kernel log)"
		       : "it was truncated, or its device is gone";
}
