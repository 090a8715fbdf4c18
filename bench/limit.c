// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of a checkpoint and of a restore that nobody can leave out, and nothing else: what the
 * program is measured against.
 *
 *	limit save LIST STORE THREADS DIR	open, read into the mapped STORE, close
 *	limit restore LIST STORE THREADS DIR	create, write from the mapped STORE, owner, time
 *
 * LIST names what there is, so that looking for it costs nothing: lines "d PATH", "l PATH", and
 * "f SIZE OFFSET PATH" (beneath DIR, parents first; OFFSET in STORE). No digests, no checks, no
 * attributes but these, no holes found, no links. Large files are moved in pieces. (To map them and
 * to copy from there is slower: the page tables have to be filled.) Each thread begins with a half
 *of its own and then helps with the other one's.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE	    (4u << 20)
#define PIECE	    (2u << 20) /* of a large file: what one huge page holds */
#define SMALL_FILES 64u	       /* taken at once */
#define THREADS_MAX 64u
#define OWNER	    1000 /* as the trees of bench/workloads.py have it, and their mode */
#define MODE	    0640

struct file {
	uint64_t size, offset;
	const char *path;
	int fd; /* large ones */
};

/* Some small files, or a piece of a large one. */
struct item {
	uint32_t file;
	uint32_t count;
	uint64_t offset;
};

static struct file *files;
static size_t file_count;
static struct item *items;
static size_t item_count;
static int directory;
static char *store;
static bool saving;

struct share {
	_Atomic size_t next;
	size_t end;
};
static struct share shares[THREADS_MAX];
static unsigned int threads;

static void die(const char *what)
{
	fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *grow(void *array, size_t count, size_t size)
{
	/* Room for the next power of two. */
	if (count & (count - 1))
		return array;
	array = reallocarray(array, count ? 2 * count : 1, size);
	if (!array)
		die("memory");
	return array;
}

static void add_item(uint32_t file, uint64_t offset)
{
	items = grow(items, item_count, sizeof(*items));
	items[item_count++] = (struct item){ file, 1, offset };
}

static void add_file(const struct file *file)
{
	struct item *last = item_count ? &items[item_count - 1] : NULL;
	uint32_t number = (uint32_t)file_count;

	files = grow(files, file_count, sizeof(*files));
	files[file_count++] = *file;
	if (file->size >= LARGE) {
		for (uint64_t at = 0; at < file->size; at += PIECE)
			add_item(number, at);
	} else if (last && last->file + last->count == number && last->count < SMALL_FILES &&
		   files[last->file].size < LARGE) {
		last->count++;
	} else {
		add_item(number, 0);
	}
}

static void read_list(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat stat;
	char *at, *end;

	if (fd < 0 || fstat(fd, &stat) < 0)
		die(path);
	at = mmap(NULL, (size_t)stat.st_size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		die(path);
	for (; *at; at = end + 1) {
		struct file file = { .fd = -1 };
		char kind = at[0];

		end = strchr(at, '\n');
		*end = '\0';
		at += 2;
		if (kind == 'f') {
			file.size = strtoull(at, &at, 10);
			file.offset = strtoull(at + 1, &at, 10);
			file.path = at + 1;
			add_file(&file);
		} else if (kind == 'd' && !saving && mkdirat(directory, at, 0755) < 0) {
			die(at);
		} else if (kind == 'l' && !saving && symlinkat("target", directory, at) < 0) {
			die(at);
		}
	}
}

static void open_large(struct file *file)
{
	int flags = saving ? O_RDONLY | O_NOATIME : O_WRONLY | O_CREAT | O_EXCL;

	file->fd = openat(directory, file->path, flags | O_CLOEXEC, MODE);
	if (file->fd < 0)
		die(file->path);
	if (!saving && ftruncate(file->fd, (off_t)file->size) < 0)
		die(file->path);
}

static void finish(int fd, const char *path)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };

	if (fchown(fd, OWNER, OWNER) < 0 || futimens(fd, times) < 0)
		die(path);
}

static void move_small(const struct file *file)
{
	int flags = saving ? O_RDONLY | O_NOATIME : O_WRONLY | O_CREAT | O_EXCL;
	int fd = openat(directory, file->path, flags | O_CLOEXEC, MODE);
	ssize_t moved;

	if (fd < 0)
		die(file->path);
	moved = saving ? read(fd, store + file->offset, file->size)
		       : write(fd, store + file->offset, file->size);
	if (moved != (ssize_t)file->size)
		die(file->path);
	if (!saving)
		finish(fd, file->path);
	close(fd);
}

static void move_piece(const struct file *file, uint64_t at)
{
	size_t length = file->size - at < PIECE ? file->size - at : PIECE;

	char *bytes = store + file->offset + at;
	ssize_t moved = saving ? pread(file->fd, bytes, length, (off_t)at)
			       : pwrite(file->fd, bytes, length, (off_t)at);

	if (moved != (ssize_t)length)
		die(file->path);
}

static void *work(void *data)
{
	size_t own = (size_t)data;

	for (size_t i = 0; i < threads; i++) {
		struct share *share = &shares[(own + i) % threads];
		size_t number;

		while ((number = atomic_fetch_add(&share->next, 1)) < share->end) {
			const struct item *item = &items[number];

			if (files[item->file].size >= LARGE)
				move_piece(&files[item->file], item->offset);
			else
				for (uint32_t j = 0; j < item->count; j++)
					move_small(&files[item->file + j]);
		}
	}
	return NULL;
}

static void map_store(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		die(path);
	store = mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (store == MAP_FAILED)
		die(path);
}

int main(int argc, char **argv)
{
	pthread_t others[THREADS_MAX];

	if (argc != 6)
		return 2;
	saving = strcmp(argv[1], "save") == 0;
	threads = (unsigned int)atoi(argv[4]);
	directory = open(argv[5], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		die(argv[5]);
	map_store(argv[3]);
	read_list(argv[2]);
	for (size_t i = 0; i < file_count; i++)
		if (files[i].size >= LARGE)
			open_large(&files[i]);
	for (size_t i = 0; i < threads; i++) {
		shares[i].next = i * item_count / threads;
		shares[i].end = (i + 1) * item_count / threads;
	}
	for (size_t i = 1; i < threads; i++)
		if (pthread_create(&others[i], NULL, work, (void *)i))
			die("thread");
	work((void *)0);
	for (size_t i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	for (size_t i = 0; i < file_count && !saving; i++)
		if (files[i].size >= LARGE)
			finish(files[i].fd, files[i].path);
	return 0;
}
