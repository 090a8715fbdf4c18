// SPDX-License-Identifier: GPL-2.0-or-later
/* A directory that is mistaken for another one would put files into the wrong place. */
#include "tree/cursor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DEPTH 500u
#define WIDTH 300u

struct fixture {
	char base[64];
	struct tree *tree;
	int root;
	ino_t inodes[2 + 2 * DEPTH + WIDTH]; /* by entry */
};

/* Makes the directory on disk and in the tree. */
static uint32_t add(struct fixture *fixture, uint32_t parent, int directory, const char *name)
{
	struct stat stat;
	uint32_t index;

	assert_int_equal(mkdirat(directory, name, 0700), 0);
	assert_int_equal(fstatat(directory, name, &stat, 0), 0);
	assert_int_equal(tree_add(fixture->tree, parent, name, strlen(name), &index), 0);
	fixture->tree->entries[index].mode = S_IFDIR;
	fixture->inodes[index] = stat.st_ino;
	return index;
}

static int enter(int directory, const char *name)
{
	int inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(inner >= 0);
	close(directory);
	return inner;
}

/* Two chains, whose levels alternate, and many directories at the end of the second. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	uint32_t at[2] = { 0, 0 }, index;
	int fds[2];

	snprintf(fixture->base, sizeof(fixture->base), "/tmp/pmem-preserve-cursor-XXXXXX");
	assert_non_null(mkdtemp(fixture->base));
	fixture->root = open(fixture->base, O_RDONLY | O_DIRECTORY);
	assert_int_equal(tree_new(&fixture->tree), 0);
	assert_int_equal(tree_add(fixture->tree, 0, "", 0, &index), 0);
	fds[0] = dup(fixture->root);
	fds[1] = dup(fixture->root);
	for (uint32_t level = 0; level < DEPTH; level++)
		for (int chain = 0; chain < 2; chain++) {
			const char *name = level ? "d" : chain ? "one" : "zero";

			at[chain] = add(fixture, at[chain], fds[chain], name);
			fds[chain] = enter(fds[chain], name);
		}
	for (uint32_t i = 0; i < WIDTH; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		add(fixture, at[1], fds[1], name);
	}
	close(fds[0]);
	close(fds[1]);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", fixture->base);
	close(fixture->root);
	tree_free(fixture->tree);
	free(fixture);
	return system(command);
}

static void expect_right(struct fixture *fixture, struct tree_cursor *cursor, uint32_t index)
{
	int fd = tree_cursor_open(cursor, index);
	struct stat stat;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	assert_int_equal(stat.st_ino, fixture->inodes[index]);
}

static unsigned int open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void test_any_order(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t count = fixture->tree->count;
	unsigned int before = open_files();
	struct tree_cursor cursor;

	tree_cursor_init(&cursor, fixture->tree, fixture->root);
	for (uint32_t i = 1; i < count; i++)
		expect_right(fixture, &cursor, i);
	for (uint32_t i = count; i-- > 1;)
		expect_right(fixture, &cursor, i);
	for (uint32_t i = 0; i < 2000; i++)
		expect_right(fixture, &cursor, 1 + (uint32_t)random() % (count - 1));
	assert_true(open_files() <= before + TREE_CURSOR_KEPT + TREE_CURSOR_ANCHORS);
	tree_cursor_close(&cursor);
	assert_int_equal(open_files(), before);
}

static void test_root(void **state)
{
	struct fixture *fixture = *state;
	struct tree_cursor cursor;

	tree_cursor_init(&cursor, fixture->tree, fixture->root);
	assert_true(tree_cursor_open(&cursor, 0) >= 0);
	assert_true(faccessat(tree_cursor_open(&cursor, 0), "zero", F_OK, 0) == 0);
	tree_cursor_close(&cursor);
}

/* With less than it likes to keep it works nevertheless. */
static void test_few_descriptors(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before, limit;
	struct tree_cursor cursor;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){ 40, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	tree_cursor_init(&cursor, fixture->tree, fixture->root);
	for (uint32_t i = 1; i < fixture->tree->count; i++)
		expect_right(fixture, &cursor, i);
	tree_cursor_close(&cursor);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* What has become a link is not followed, also far down. */
static void test_link(void **state)
{
	struct fixture *fixture = *state;
	struct tree_cursor cursor;
	uint32_t last = fixture->tree->count - 1;
	int parent;

	tree_cursor_init(&cursor, fixture->tree, fixture->root);
	parent = tree_cursor_open(&cursor, fixture->tree->entries[last].parent);
	assert_true(parent >= 0);
	assert_int_equal(unlinkat(parent, tree_name(fixture->tree, last), AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/", parent, tree_name(fixture->tree, last)), 0);
	assert_int_equal(tree_cursor_open(&cursor, last), -ELOOP);
	tree_cursor_close(&cursor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_any_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_few_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
