// SPDX-License-Identifier: GPL-2.0-or-later
/* The tree as a list: with wrong paths or xattrs here, a file would be restored as another one. */
#include "tree/beneath.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

static struct tree *sample(void)
{
	static const char *const names[] = { "a", "aa", "ab", "b" };
	struct tree *tree;
	uint32_t index;

	assert_int_equal(tree_new(&tree), 0);
	assert_int_equal(tree_add(tree, 0, "", 0, &index), 0);
	tree->entries[0].mode = S_IFDIR;
	tree->entries[0].first = 1;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(tree_add(tree, 0, names[i], strlen(names[i]), &index), 0);
		tree->entries[index].mode = S_IFDIR;
		tree->entries[index].first = 5;
	}
	tree->entries[0].count = 4;
	assert_int_equal(tree_add(tree, 4, "file", 4, &index), 0);
	tree->entries[4].count = 1;
	tree->entries[5].mode = S_IFREG;
	return tree;
}

static void test_paths(void **state)
{
	struct tree *tree = sample();
	char *path = tree_path(tree, 5);

	assert_string_equal(path, "/b/file");
	assert_int_equal(tree_path_length(tree, 5), 7);
	free(path);
	path = tree_path(tree, 0);
	assert_string_equal(path, "/");
	free(path);
	tree_free(tree);
}

static void test_long_path_in_messages(void **state)
{
	struct tree *tree = sample();
	char name[255];
	uint32_t index = 4;

	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 30; i++)
		assert_int_equal(tree_add(tree, index, name, sizeof(name), &index), 0);
	assert_int_equal(tree_add(tree, index, "end", 3, &index), 0);
	assert_non_null(strstr(tree_path_text(tree, index).text, "[...]"));
	assert_non_null(strstr(tree_path_text(tree, index).text, "/end"));
	tree_free(tree);
}

static void test_find_child(void **state)
{
	struct tree *tree = sample();

	assert_int_equal(tree_find_child(tree, 0, "a", 1), 1);
	assert_int_equal(tree_find_child(tree, 0, "aa/x", 2), 2);
	assert_int_equal(tree_find_child(tree, 0, "ab", 2), 3);
	assert_int_equal(tree_find_child(tree, 0, "b", 1), 4);
	assert_int_equal(tree_find_child(tree, 0, "c", 1), 0);
	assert_int_equal(tree_find_child(tree, 0, "", 0), 0);
	assert_int_equal(tree_find_child(tree, 5, "a", 1), 0);
	tree_free(tree);
}

static uint32_t add_set(struct tree *tree, const char *value, uint32_t previous)
{
	uint32_t set;

	assert_int_equal(tree_xattrs_begin(tree, &set), 0);
	assert_int_equal(tree_xattrs_add(tree, set, "user.a", 6, value, strlen(value)), 0);
	assert_int_equal(tree_xattrs_add(tree, set, "user.empty", 10, NULL, 0), 0);
	tree_xattrs_end(tree, &set, previous);
	return set;
}

static void test_xattr_sets(void **state)
{
	struct tree *tree = sample();
	uint32_t first = add_set(tree, "one", 0), same = add_set(tree, "one", first);
	uint32_t other = add_set(tree, "two", same), none;
	const uint8_t *cursor = NULL;
	struct xattr xattr;

	assert_int_equal(first, same);
	assert_int_not_equal(first, other);
	assert_true(tree_next_xattr(tree, other, &cursor, &xattr));
	assert_string_equal(xattr.name, "user.a");
	assert_int_equal(xattr.value_length, 3);
	assert_memory_equal(xattr.value, "two", 3);
	assert_true(tree_next_xattr(tree, other, &cursor, &xattr));
	assert_string_equal(xattr.name, "user.empty");
	assert_int_equal(xattr.value_length, 0);
	assert_false(tree_next_xattr(tree, other, &cursor, &xattr));
	cursor = NULL;
	assert_false(tree_next_xattr(tree, 0, &cursor, &xattr));
	assert_int_equal(tree_xattrs_begin(tree, &none), 0);
	tree_xattrs_end(tree, &none, 0);
	assert_int_equal(none, 0);
	tree_free(tree);
}

static void test_device_numbers(void **state)
{
	static const unsigned int numbers[][2] = { { 0, 0 },   { 1, 3 },       { 8, 255 },
						   { 8, 256 }, { 259, 70000 }, { 4095, 0xfffff } };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		dev_t device = makedev(numbers[i][0], numbers[i][1]);

		assert_true(device_decode(device_encode(device)) == device);
	}
}

/* A restore that could be led out of its target would overwrite any file of the machine. */
static void test_nothing_leaves_the_root(void **state)
{
	char base[] = "/tmp/pmem-preserve-beneath-XXXXXX", path[200];
	int root;

	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/out", base);
	assert_int_equal(symlink("/etc", path), 0);
	root = open(base, O_PATH | O_DIRECTORY);
	assert_true(root >= 0);
	assert_int_equal(open_directory_beneath(root, "out", O_PATH), -ELOOP);
	assert_int_equal(open_directory_beneath(root, "..", O_PATH), -EXDEV);
	assert_int_equal(open_directory_beneath(root, "/etc", O_PATH), -EXDEV);
	assert_int_equal(open_directory_beneath(root, "none", O_PATH), -ENOENT);
	close(root);
	unlink(path);
	rmdir(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_path_in_messages),
		cmocka_unit_test(test_find_child),
		cmocka_unit_test(test_xattr_sets),
		cmocka_unit_test(test_device_numbers),
		cmocka_unit_test(test_nothing_leaves_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
