// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into the program: makes the system run out of something.
 *
 *	FAIL_ALLOCATION=N	the Nth allocation of memory fails, and no other
 *	FAIL_ALLOCATION=N+	that one and all after it
 *	FAIL_THREAD=N		the Nth thread cannot be started; N+ as above
 *	FAIL_NAMES=N		the Nth flush of a directory fails with EIO; N+ as above
 *	FAIL_DIRECTORY=PATH	to list this directory fails with EIO
 *	FAIL_READ=PATH		to read this file at an offset (pread) fails with EIO
 *	FAIL_CALL=N		the Nth call that changes or opens a file fails with FAIL_ERRNO
 *	NO_RENAME_FLAGS=1	renameat2() with flags fails with EINVAL
 *	JUMP_CLOCK=SECONDS	the time of day jumps by this with every other query
 *
 * FAIL_LOG=FILE gets a byte appended for each failure, which shows whether there was one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong allocations, threads, questions, flushes, calls;
static bool is_ready;

/* Allocations by libraries before the program starts do not count. */
__attribute__((constructor)) static void begin(void)
{
	is_ready = true;
}

static bool fails(const char *variable, atomic_ulong *count)
{
	const char *text = getenv(variable), *log = getenv("FAIL_LOG");
	unsigned long number, wanted;
	char *end;
	int fd;

	if (!is_ready || !text)
		return false;
	number = atomic_fetch_add(count, 1) + 1;
	wanted = strtoul(text, &end, 10);
	if (number != wanted && (*end != '+' || number < wanted))
		return false;
	fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (fd >= 0) {
		if (write(fd, "!", 1) != 1)
			abort();
		close(fd);
	}
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails("FAIL_ALLOCATION", &allocations) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails("FAIL_ALLOCATION", &allocations) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails("FAIL_ALLOCATION", &allocations) ? NULL : __libc_realloc(old, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *memory;

	if (fails("FAIL_ALLOCATION", &allocations))
		return ENOMEM;
	memory = __libc_memalign(alignment, size);
	if (!memory)
		return ENOMEM;
	*ret = memory;
	return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *data)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (fails("FAIL_THREAD", &threads))
		return EAGAIN;
	real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attributes, run, data);
}

int fsync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
	struct stat status;

	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && fails("FAIL_NAMES", &flushes)) {
		errno = EIO;
		return -1;
	}
	return real(fd);
}

static bool call_fails(void)
{
	const char *error = getenv("FAIL_ERRNO");

	if (!fails("FAIL_CALL", &calls))
		return false;
	errno = error ? (int)strtol(error, NULL, 10) : EIO;
	return true;
}

#define FAILING_CALL(type, name, parameters, ...)                   \
	type name parameters                                        \
	{                                                           \
		type(*real) parameters = dlsym(RTLD_NEXT, #name);   \
                                                                    \
		return call_fails() ? (type)-1 : real(__VA_ARGS__); \
	}

FAILING_CALL(int, mkdirat, (int directory, const char *name, mode_t mode), directory, name, mode)
FAILING_CALL(int, mknodat, (int directory, const char *name, mode_t mode, dev_t device), directory,
	     name, mode, device)
FAILING_CALL(int, symlinkat, (const char *target, int directory, const char *name), target,
	     directory, name)
FAILING_CALL(int, linkat, (int from, const char *old, int to, const char *name, int flags), from,
	     old, to, name, flags)
FAILING_CALL(ssize_t, pwrite64, (int fd, const void *data, size_t length, off64_t offset), fd, data,
	     length, offset)
FAILING_CALL(ssize_t, pwrite, (int fd, const void *data, size_t length, off_t offset), fd, data,
	     length, offset)
FAILING_CALL(int, ftruncate, (int fd, off_t length), fd, length)
FAILING_CALL(int, fchownat, (int directory, const char *name, uid_t uid, gid_t gid, int flags),
	     directory, name, uid, gid, flags)
FAILING_CALL(int, fchmod, (int fd, mode_t mode), fd, mode)
FAILING_CALL(int, chmod, (const char *path, mode_t mode), path, mode)
FAILING_CALL(int, utimensat,
	     (int directory, const char *name, const struct timespec times[2], int flags),
	     directory, name, times, flags)
FAILING_CALL(int, syncfs, (int fd), fd)
FAILING_CALL(int, renameat, (int from, const char *old, int to, const char *name), from, old, to,
	     name)

int renameat2(int from, const char *old, int to, const char *name, unsigned int flags)
{
	int (*real)(int, const char *, int, const char *, unsigned int) =
		dlsym(RTLD_NEXT, "renameat2");

	if (flags && getenv("NO_RENAME_FLAGS")) {
		errno = EINVAL;
		return -1;
	}
	return call_fails() ? -1 : real(from, old, to, name, flags);
}

/* Whether @fd is the file that @variable names. */
static bool is_named(const char *variable, int fd)
{
	const char *wanted = getenv(variable);
	char link[64], path[PATH_MAX];
	ssize_t length;

	if (!is_ready || !wanted)
		return false;
	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length < 0 ? 0 : length] = '\0';
	return strcmp(path, wanted) == 0;
}

int openat64(int directory, const char *name, int flags, ...)
{
	int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat64");
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	if ((flags & (O_CREAT | O_ACCMODE)) && call_fails())
		return -1;
	if (strcmp(name, ".") == 0 && !(flags & O_PATH) && is_named("FAIL_DIRECTORY", directory)) {
		errno = EIO;
		return -1;
	}
	return real(directory, name, flags, mode);
}

ssize_t pread64(int fd, void *buffer, size_t length, off64_t offset)
{
	ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");

	if (is_named("FAIL_READ", fd)) {
		errno = EIO;
		return -1;
	}
	return real(fd, buffer, length, offset);
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	const char *jump = getenv("JUMP_CLOCK");
	int r = real(clock, ret_time);

	if (jump && clock == CLOCK_REALTIME && atomic_fetch_add(&questions, 1) % 2)
		ret_time->tv_sec += strtol(jump, NULL, 10);
	return r;
}
