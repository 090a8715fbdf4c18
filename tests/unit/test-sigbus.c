// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mapped memory that fails: here a truncated file, which raises the same signal. If it were not
 * caught, a bad page would kill the restore half way without a message; if it were not noticed,
 * zeroes would be restored in place of the state.
 */
#include "base/report.h"
#include "store/sigbus.h"
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PIECE	16384u
#define LENGTH	(8 * PIECE)
#define THREADS 8u

struct mapping {
	int fd;
	uint8_t *bytes;
	struct sigbus_watch *watch;
};

/* @length bytes of 0x55, of which the first @kept still exist. */
static struct mapping make(size_t length, size_t kept)
{
	struct mapping mapping = { .fd = memfd_create("image", MFD_CLOEXEC) };

	assert_int_equal(ftruncate(mapping.fd, (off_t)length), 0);
	mapping.bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, mapping.fd, 0);
	assert_ptr_not_equal(mapping.bytes, MAP_FAILED);
	memset(mapping.bytes, 0x55, length);
	assert_int_equal(ftruncate(mapping.fd, (off_t)kept), 0);
	assert_int_equal(sigbus_watch(mapping.bytes, length, PIECE, &mapping.watch), 0);
	return mapping;
}

static struct store store_of(const struct mapping *mapping)
{
	return (struct store){
		.kind = STORE_DAX,
		.path = (char *)"image",
		.fd = mapping->fd,
		.capacity = LENGTH,
		.map = mapping->bytes,
		.watch = mapping->watch,
	};
}

static void end(struct mapping *mapping, size_t length)
{
	munmap(mapping->bytes, length);
	sigbus_unwatch(mapping->watch);
	close(mapping->fd);
}

static void test_reading(void **state)
{
	struct mapping mapping = make(LENGTH, 3 * PIECE);
	uint8_t copy[PIECE];

	memcpy(copy, mapping.bytes, PIECE);
	assert_int_equal(copy[PIECE - 1], 0x55);
	assert_false(sigbus_hit(mapping.watch, 0, LENGTH));
	memcpy(copy, mapping.bytes + 5 * PIECE - 1, PIECE);
	/* Both are checked: a compiler may leave out a read whose result is not used. */
	assert_int_equal(copy[0], 0);
	assert_int_equal(copy[1], 0);
	assert_true(sigbus_hit(mapping.watch, 5 * PIECE - 1, 1));
	assert_true(sigbus_hit(mapping.watch, 5 * PIECE, 1));
	assert_true(sigbus_hit(mapping.watch, 0, LENGTH));
	assert_false(sigbus_hit(mapping.watch, 0, 4 * PIECE));
	assert_false(sigbus_hit(mapping.watch, 6 * PIECE, 2 * PIECE));
	assert_false(sigbus_hit(mapping.watch, 5 * PIECE, 0));
	assert_string_equal(sigbus_reason(mapping.watch),
			    "it was truncated, or its device is gone");
	/* What has not failed is still there. */
	assert_int_equal(mapping.bytes[3 * PIECE - 1], 0x55);
	end(&mapping, LENGTH);
}

/* The last piece is shorter: what follows the mapping belongs to somebody else. */
static void test_last_piece(void **state)
{
	size_t length = 2 * PIECE + 4096;
	struct mapping mapping = make(length, PIECE);
	uint8_t *behind = mmap(mapping.bytes + length, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (behind != MAP_FAILED)
		behind[0] = 7;
	assert_int_equal(mapping.bytes[length - 1], 0);
	assert_true(sigbus_hit(mapping.watch, length - 1, 1));
	if (behind != MAP_FAILED) {
		assert_int_equal(behind[0], 7);
		munmap(behind, 4096);
	}
	end(&mapping, length);
}

static void test_writing(void **state)
{
	struct mapping mapping = make(LENGTH, PIECE);

	memset(mapping.bytes, 1, LENGTH);
	assert_false(sigbus_hit(mapping.watch, 0, PIECE));
	for (unsigned int i = 1; i < LENGTH / PIECE; i++)
		assert_true(sigbus_hit(mapping.watch, i * PIECE, 1));
	end(&mapping, LENGTH);
}

/* The kernel reads such memory for a system call, too: that is an error, not a signal. */
static void test_system_call(void **state)
{
	struct mapping mapping = make(LENGTH, PIECE);
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], mapping.bytes + 2 * PIECE, 16), -1);
	end(&mapping, LENGTH);
	close(pipes[0]);
	close(pipes[1]);
}

struct reader {
	struct mapping *mapping;
	unsigned int wrong;
};

static void *read_all(void *data)
{
	struct reader *reader = data;

	for (size_t at = 0; at < LENGTH; at += 512) {
		uint8_t byte = *(volatile uint8_t *)(reader->mapping->bytes + at);

		/* A zero that is not reported would be a wrong file. */
		reader->wrong += byte != 0x55 && !sigbus_hit(reader->mapping->watch, at, 1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	for (unsigned int round = 0; round < 50; round++) {
		struct mapping mapping = make(LENGTH, PIECE);
		struct reader readers[THREADS];
		pthread_t threads[THREADS];

		for (unsigned int i = 0; i < THREADS; i++) {
			readers[i] = (struct reader){ .mapping = &mapping };
			assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]),
					 0);
		}
		for (unsigned int i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(readers[i].wrong, 0);
		}
		assert_true(sigbus_hit(mapping.watch, PIECE, LENGTH - PIECE));
		end(&mapping, LENGTH);
	}
}

static void test_many_stores(void **state)
{
	struct mapping mappings[8];
	struct sigbus_watch *watch;

	for (unsigned int i = 0; i < 8; i++)
		mappings[i] = make(LENGTH, i * PIECE);
	assert_true(sigbus_watch(mappings[0].bytes, LENGTH, PIECE, &watch) < 0);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(mappings[i].bytes[LENGTH - 1], 0);
		for (unsigned int j = 0; j < 8; j++)
			assert_int_equal(sigbus_hit(mappings[j].watch, LENGTH - 1, 1), j <= i);
	}
	for (unsigned int i = 0; i < 8; i++)
		end(&mappings[i], LENGTH);
	sigbus_unwatch(NULL);
	assert_false(sigbus_hit(NULL, 0, 1));
}

/* As the kernel sends it when it has found an error; a process may send it to itself. */
static void send(int code, void *address)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = code };

	info.si_addr = address;
	info.si_addr_lsb = 12;
	assert_int_equal(syscall(SYS_rt_sigqueueinfo, getpid(), SIGBUS, &info), 0);
}

static void test_hardware(void **state)
{
	static const int codes[] = { BUS_MCEERR_AO, BUS_MCEERR_AR };

	for (unsigned int i = 0; i < 2; i++) {
		struct mapping mapping = make(LENGTH, LENGTH);

		send(codes[i], mapping.bytes + 3 * PIECE + 100);
		assert_true(sigbus_hit(mapping.watch, 3 * PIECE, 1));
		assert_false(sigbus_hit(mapping.watch, 0, 3 * PIECE));
		assert_false(sigbus_hit(mapping.watch, 4 * PIECE, 4 * PIECE));
		assert_int_equal(mapping.bytes[3 * PIECE], 0);
		assert_int_equal(mapping.bytes[4 * PIECE], 0x55);
		assert_non_null(strstr(sigbus_reason(mapping.watch), "poisoned"));
		end(&mapping, LENGTH);
	}
}

/* As seen by the users of a store: an error, and never zeroes without one. */
static void test_store(void **state)
{
	struct mapping mapping = make(LENGTH, 3 * PIECE);
	struct store store = store_of(&mapping);
	uint8_t copy[4096] = { 0 };
	const uint8_t *bytes;

	assert_int_equal(store_read(&store, copy, sizeof(copy), 2 * PIECE), 0);
	assert_int_equal(store_read(&store, copy, sizeof(copy), 4 * PIECE), -E_DAMAGED);
	assert_int_equal(store_view(&store, NULL, PIECE, 5 * PIECE, &bytes), 0);
	assert_int_equal(store_check(&store, PIECE, 5 * PIECE), 0);
	assert_int_equal(bytes[PIECE - 1], 0);
	assert_int_equal(store_check(&store, PIECE, 5 * PIECE), -E_DAMAGED);

	/* A failed read does not make a flush fail. */
	assert_int_equal(store_write(&store, copy, sizeof(copy), 0), 0);
	assert_int_equal(store_flush(&store), 0);
	assert_int_equal(store_write(&store, copy, sizeof(copy), 6 * PIECE), -EIO);
	assert_int_equal(store_flush(&store), -EIO);
	end(&mapping, LENGTH);
}

/* Memory that was written fails before the checkpoint is committed: there must be none. */
static void test_store_fails_later(void **state)
{
	struct mapping mapping = make(LENGTH, LENGTH);
	struct store store = store_of(&mapping);
	uint8_t block[4096] = { 0 };

	assert_int_equal(store_write(&store, block, sizeof(block), 2 * PIECE), 0);
	send(BUS_MCEERR_AO, mapping.bytes + 5 * PIECE);
	assert_int_equal(store_flush(&store), 0);
	send(BUS_MCEERR_AO, mapping.bytes + 2 * PIECE);
	assert_int_equal(store_flush(&store), -EIO);
	end(&mapping, LENGTH);
}

enum signal { FAULT_ELSEWHERE, FAULT_AFTERWARDS, SENT_BY_KILL, SENT_AHEAD };

/* How a child ends that gets a SIGBUS for an address that is not watched. */
static int end_by(enum signal which)
{
	static const struct rlimit none = { 0, 0 };
	struct mapping mapping, other;
	int status = -1;
	pid_t child;

	/* As in a program: cmocka and the sanitizers have handlers of their own. */
	signal(SIGBUS, SIG_DFL);
	mapping = make(LENGTH, PIECE);
	other = make(LENGTH, PIECE);
	sigbus_unwatch(other.watch);
	other.watch = NULL;
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &none);
		if (which == FAULT_AFTERWARDS)
			sigbus_unwatch(mapping.watch);
		if (which == FAULT_ELSEWHERE || which == FAULT_AFTERWARDS)
			*(volatile uint8_t *)((which == FAULT_ELSEWHERE ? other : mapping).bytes +
					      LENGTH - 1) = 1;
		else if (which == SENT_BY_KILL)
			kill(getpid(), SIGBUS);
		else
			send(BUS_MCEERR_AO, other.bytes);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	end(&mapping, LENGTH);
	end(&other, LENGTH);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* Our own bugs must still kill the process where they happen, and leave a core. */
static void test_not_ours(void **state)
{
	assert_int_equal(end_by(FAULT_ELSEWHERE), SIGBUS);
	assert_int_equal(end_by(FAULT_AFTERWARDS), SIGBUS);
	assert_int_equal(end_by(SENT_BY_KILL), SIGBUS);
	assert_int_equal(end_by(SENT_AHEAD), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading),	 cmocka_unit_test(test_last_piece),
		cmocka_unit_test(test_writing),	 cmocka_unit_test(test_system_call),
		cmocka_unit_test(test_threads),	 cmocka_unit_test(test_many_stores),
		cmocka_unit_test(test_hardware), cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_store),	 cmocka_unit_test(test_store_fails_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
