// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Races writers against checkpoints.
 *
 *	races [-n TRIES] [-s SEED] PROGRAM DIRECTORY
 *
 * Each writer fills its file with one byte value after the other, in one of several ways, with pauses of
 * very different length. Beside it PROGRAM makes checkpoints to DIRECTORY/image. What a committed one has
 * restored must be of one value throughout, or empty: anything else is torn. Other processes keep the
 * processors busy, as a write in flight is hardly ever met on an idle machine.
 *
 * Prints a line for each writer and a total. Exit status: 0; 1 if a file was torn or something else went
 * wrong; 3 if too few checkpoints were committed to tell.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL (64u << 10)
#define LARGE (1u << 20)

/* Of a pause: up to PAUSE_US << (PAUSES - 1), about 8 ms, but mostly much shorter. */
#define PAUSE_US 60
#define PAUSES	 8

#define BUSY 3
#define NICE 15

static char buffer[LARGE];
static const char *program;

struct counts {
	unsigned int tries, committed, refused, torn;
};

static void must(bool good, const char *what)
{
	if (!good)
		err(1, "%s", what);
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	must(fd >= 0, path);
	return fd;
}

static void put(int fd, size_t offset, size_t length)
{
	must(pwrite(fd, buffer, length, (off_t)offset) == (ssize_t)length, "pwrite");
}

static void write_whole(const char *path, size_t bytes)
{
	int fd = open_file(path, O_RDWR | O_CREAT);

	put(fd, 0, bytes);
	close(fd);
}

static void write_halves(const char *path, size_t bytes)
{
	int fd = open_file(path, O_RDWR | O_CREAT);

	put(fd, 0, bytes / 2);
	put(fd, bytes / 2, bytes - bytes / 2);
	close(fd);
}

/* Times that tell nothing: as they were before, like tar and cp -p. */
static void write_and_set_times(const char *path, size_t bytes)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	int fd = open_file(path, O_RDWR | O_CREAT);

	put(fd, 0, bytes);
	must(futimens(fd, times) == 0, "futimens");
	close(fd);
}

static void store(const char *path, size_t bytes, bool close_first)
{
	int fd = open_file(path, O_RDWR);
	char *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(mapping != MAP_FAILED, "mmap");
	if (close_first)
		close(fd);
	memcpy(mapping, buffer, bytes / 2);
	memcpy(mapping + bytes / 2, buffer, bytes - bytes / 2);
	munmap(mapping, bytes);
	if (!close_first)
		close(fd);
}

static void store_open(const char *path, size_t bytes)
{
	store(path, bytes, false);
}

static void store_closed(const char *path, size_t bytes)
{
	store(path, bytes, true);
}

static void truncate_and_write(const char *path, size_t bytes)
{
	must(truncate(path, 0) == 0, "truncate");
	write_whole(path, bytes);
}

static void replace(const char *path, size_t bytes)
{
	char other[PATH_MAX + 64];

	snprintf(other, sizeof(other), "%s.new", path);
	write_whole(other, bytes);
	must(rename(other, path) == 0, "rename");
}

static const struct writer {
	const char *name;
	void (*write)(const char *path, size_t bytes);
	size_t bytes;
} writers[] = {
	{ "pwrite-64K", write_whole, SMALL },
	{ "pwrite-1M", write_whole, LARGE },
	{ "halves-64K", write_halves, SMALL },
	{ "halves-1M", write_halves, LARGE },
	{ "utimens-1M", write_and_set_times, LARGE },
	{ "mmap-1M", store_open, LARGE },
	{ "mmap-closed-1M", store_closed, LARGE },
	{ "truncate-1M", truncate_and_write, LARGE },
	{ "rename-1M", replace, LARGE },
};
#define WRITERS (sizeof(writers) / sizeof(writers[0]))

/* In a process that ends with this one. */
static pid_t fork_child(void)
{
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

static pid_t start_busy(void)
{
	pid_t child = fork_child();

	if (child == 0)
		for (volatile unsigned int i = 0;; i++)
			;
	return child;
}

static pid_t start_writer(const struct writer *writer, const char *path, unsigned int seed)
{
	pid_t child;

	memset(buffer, 1, sizeof(buffer));
	write_whole(path, writer->bytes);
	child = fork_child();
	if (child)
		return child;
	/* The busy ones take its processor away in the middle of a write. */
	must(nice(NICE) >= 0, "nice");
	srandom(seed);
	for (unsigned int value = 2;; value = value % 250 + 1) {
		usleep((useconds_t)((random() % PAUSE_US) << (random() % PAUSES)));
		memset(buffer, (int)value, sizeof(buffer));
		writer->write(path, writer->bytes);
	}
}

static void stop(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* The exit status. */
static int run(char *const arguments[])
{
	int status, null;
	pid_t child = fork_child();

	if (child == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		if (!getenv("RACES_VERBOSE"))
			dup2(null, 2);
		execv(program, arguments);
		_exit(127);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	if (!WIFEXITED(status))
		errx(1, "%s was ended by signal %d", program, WTERMSIG(status));
	return WEXITSTATUS(status);
}

static bool is_torn(int fd, size_t whole)
{
	static char saved[LARGE + 1];
	ssize_t got = 0, more;

	while ((more = read(fd, saved + got, sizeof(saved) - (size_t)got)) > 0)
		got += more;
	must(more == 0, "read");
	if (got == 0)
		return false;
	return (size_t)got != whole || memcmp(saved, saved + 1, (size_t)got - 1) != 0;
}

/* Any file beneath; also that which "replace" has begun. */
static bool any_torn(const char *path, size_t whole)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool torn = false;

	must(directory, path);
	while ((entry = readdir(directory))) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
		must(fd >= 0, entry->d_name);
		torn |= is_torn(fd, whole);
		close(fd);
	}
	closedir(directory);
	return torn;
}

static void try_once(const struct writer *writer, const char *state, const char *image,
		     const char *target, struct counts *counts)
{
	char *const checkpoint[] = { "pmem-preserve", "--config",    "/dev/null",
				     "checkpoint",    "--replace",   "--image",
				     (char *)image,   (char *)state, NULL };
	char *const restore[] = { "pmem-preserve", "--config",	   "/dev/null", "restore",
				  "--keep",	   "--overwrite",  "--image",	(char *)image,
				  "--into",	   (char *)target, NULL };
	char restored[2 * PATH_MAX + 64], clear[PATH_MAX + 64];
	int status = run(checkpoint);

	counts->tries++;
	if (status == 1) {
		counts->refused++;
		return;
	}
	if (status != 0)
		errx(1, "checkpoint: exit status %d", status);
	snprintf(clear, sizeof(clear), "rm -rf '%s'/*", target);
	must(system(clear) == 0, "rm");
	status = run(restore);
	if (status != 0)
		errx(1, "restore: exit status %d", status);
	snprintf(restored, sizeof(restored), "%s%s", target, state);
	counts->committed++;
	counts->torn += any_torn(restored, writer->bytes);
}

static void print_counts(const char *name, const struct counts *counts)
{
	printf("%-15s tries %u committed %u refused %u torn %u\n", name, counts->tries,
	       counts->committed, counts->refused, counts->torn);
	fflush(stdout);
}

static void race(const struct writer *writer, const char *directory, unsigned int tries,
		 unsigned int seed, struct counts *total)
{
	char state[PATH_MAX + 32], path[PATH_MAX + 64], image[PATH_MAX + 32], target[PATH_MAX + 32];
	struct counts counts = { 0 };
	pid_t child;

	snprintf(state, sizeof(state), "%s/%s", directory, writer->name);
	snprintf(path, sizeof(path), "%s/file", state);
	snprintf(image, sizeof(image), "%s/image", directory);
	snprintf(target, sizeof(target), "%s/target", directory);
	must(mkdir(state, 0700) == 0, state);
	child = start_writer(writer, path, seed);
	for (unsigned int i = 0; i < tries; i++)
		try_once(writer, state, image, target, &counts);
	stop(child);
	print_counts(writer->name, &counts);
	total->tries += counts.tries;
	total->committed += counts.committed;
	total->refused += counts.refused;
	total->torn += counts.torn;
}

int main(int argc, char **argv)
{
	unsigned int tries = 100, seed = 1;
	char directory[PATH_MAX], target[PATH_MAX + 32];
	struct counts total = { 0 };
	pid_t busy[BUSY];
	int option;

	while ((option = getopt(argc, argv, "n:s:")) >= 0) {
		if (option == 'n')
			tries = (unsigned int)strtoul(optarg, NULL, 10);
		else if (option == 's')
			seed = (unsigned int)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != 2 || !realpath(argv[optind + 1], directory))
		errx(2, "usage: races [-n TRIES] [-s SEED] PROGRAM DIRECTORY");
	program = argv[optind];
	snprintf(target, sizeof(target), "%s/target", directory);
	must(mkdir(target, 0700) == 0, target);
	for (int i = 0; i < BUSY; i++)
		busy[i] = start_busy();
	for (size_t i = 0; i < WRITERS; i++)
		race(&writers[i], directory, (tries + WRITERS - 1) / WRITERS,
		     seed + (unsigned int)i, &total);
	for (int i = 0; i < BUSY; i++)
		stop(busy[i]);
	print_counts("total", &total);
	if (total.torn)
		return 1;
	return total.committed * 20 >= total.tries ? 0 : 3;
}
