// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kernels.h"

#include "base/cleanup.h"
#include "base/sysfs.h"
#include "reboot/kernel-modules.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void kernel_clear(struct kernel *kernel)
{
	free(kernel->file);
	free(kernel->initrd);
	*kernel = (struct kernel){};
}

void kernels_clear(struct kernels *kernels)
{
	for (size_t i = 0; i < kernels->count; i++)
		kernel_clear(&kernels->list[i]);
	free(kernels->list);
	*kernels = (struct kernels){};
}

/* The rank of a character that is no digit: ~ before the end, letters before the rest. */
static int rank(const char *at)
{
	if (*at == '~' || strncmp(at, "-rc", 3) == 0)
		return -1;
	if (!*at || isdigit((unsigned char)*at))
		return 0;
	return isalpha((unsigned char)*at) ? (unsigned char)*at : (unsigned char)*at + 256;
}

int version_compare(const char *a, const char *b)
{
	while (*a || *b) {
		unsigned long long left, right;
		char *end;

		while ((*a && !isdigit((unsigned char)*a)) || (*b && !isdigit((unsigned char)*b))) {
			if (rank(a) != rank(b))
				return rank(a) < rank(b) ? -1 : 1;
			a++;
			b++;
		}
		left = strtoull(a, &end, 10);
		a = end;
		right = strtoull(b, &end, 10);
		b = end;
		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

/* "6.1.0-56-amd64" for "/boot/vmlinuz-6.1.0-56-amd64", or NULL. */
static const char *suffix_of(const char *file)
{
	static const char *const prefixes[] = { "vmlinuz-", "vmlinux-", "kernel-", "bzImage-" };
	const char *name = strrchr(file, '/');

	name = name ? name + 1 : file;
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	return NULL;
}

/* The first of a distribution's names for the initrd of a release that exists, or NULL. */
static char *find_initrd(const char *release)
{
	static const struct {
		const char *before, *after;
	} names[] = {
		{ "/boot/initrd.img-", "" },
		{ "/boot/initramfs-", ".img" },
		{ "/boot/initrd-", "" },
		{ "/boot/initramfs-", "" },
		{ "/boot/initrd-", ".img" },
		{ "/usr/lib/modules/", "/initrd" },
		{ "/usr/lib/modules/", "/initrd.img" },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		char *path;

		if (asprintf(&path, "%s%s%s", names[i].before, release, names[i].after) < 0)
			return NULL;
		if (sysfs_exists(-1, path))
			return path;
		free(path);
	}
	return NULL;
}

static void check_initrd(const struct kernel_wish *wish, struct kernel *kernel)
{
	struct file_fault fault;

	if (wish->initrd)
		return;
	if (!kernel->initrd) {
		snprintf(kernel->fault.text, sizeof(kernel->fault.text),
			 "it has no initrd (\"update-initramfs -c -k %s\" makes one on Debian; --initrd= starts it without)",
			 *kernel->release ? kernel->release : "RELEASE");
		return;
	}
	fault = initrd_file_fault(kernel->initrd);
	if (*fault.text)
		snprintf(kernel->fault.text, sizeof(kernel->fault.text),
			 "its initrd %.100s: %.100s", kernel->initrd, fault.text);
}

/* @initrd: named with the kernel in a boot entry, or NULL. */
static int look_at(const char *file, const char *initrd, const struct kernel_wish *wish,
		   struct kernel *ret_kernel)
{
	struct kernel kernel = { .file = strdup(file) };
	const char *suffix = suffix_of(file);

	if (!kernel.file)
		return -ENOMEM;
	kernel.fault = kernel_file_fault(file, kernel.release, sizeof(kernel.release));
	kernel.is_kernel = !*kernel.fault.text;
	if (!*kernel.release && suffix)
		snprintf(kernel.release, sizeof(kernel.release), "%s", suffix);
	if (initrd)
		kernel.initrd = strdup(initrd);
	else if (suffix)
		kernel.initrd = find_initrd(suffix);
	if (!kernel.initrd && *kernel.release)
		kernel.initrd = find_initrd(kernel.release);
	if (!*kernel.fault.text)
		check_initrd(wish, &kernel);
	if (!*kernel.fault.text)
		kernel.fault = kernel_modules_fault(kernel.release, wish->modules);
	*ret_kernel = kernel;
	return 0;
}

int kernel_look_at(const char *file, const struct kernel_wish *wish, struct kernel *ret_kernel)
{
	return look_at(file, NULL, wish, ret_kernel);
}

/* Of several files of one release, the first that can be used is kept. */
static int add(const char *file, const char *initrd, const struct kernel_wish *wish,
	       struct kernels *kernels)
{
	struct kernel kernel, *larger;
	int r = look_at(file, initrd, wish, &kernel);

	if (r < 0)
		return r;
	for (size_t i = 0; i < kernels->count && *kernel.release; i++) {
		struct kernel *other = &kernels->list[i];

		if (strcmp(other->release, kernel.release) != 0)
			continue;
		if (*other->fault.text && !*kernel.fault.text) {
			kernel_clear(other);
			*other = kernel;
		} else {
			kernel_clear(&kernel);
		}
		return 0;
	}
	larger = reallocarray(kernels->list, kernels->count + 1, sizeof(*larger));
	if (!larger) {
		kernel_clear(&kernel);
		return -ENOMEM;
	}
	kernels->list = larger;
	larger[kernels->count++] = kernel;
	return 0;
}

/* Calls @take for each name in a directory, which need not exist. */
static int each_name(const char *directory,
		     int (*take)(const char *directory, const char *name,
				 const struct kernel_wish *wish, struct kernels *kernels),
		     const struct kernel_wish *wish, struct kernels *kernels)
{
	int fd = sysfs_open(-1, directory), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			r = take(directory, entry->d_name, wish, kernels);
	closedir(stream);
	return r;
}

/* What package managers put beside a file while they replace it, and kernels kept for rescue. */
static bool is_set_aside(const char *name)
{
	static const char *const marks[] = { ".dpkg-", ".rpm", ".old", ".bak", "-rescue-", ".sig" };

	for (size_t i = 0; i < COUNT(marks); i++)
		if (strstr(name, marks[i]))
			return true;
	return false;
}

static int take_file(const char *directory, const char *name, const struct kernel_wish *wish,
		     struct kernels *kernels)
{
	_cleanup_free_ char *path = NULL;

	if (!suffix_of(name) || is_set_aside(name))
		return 0;
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	return add(path, NULL, wish, kernels);
}

/* /usr/lib/modules/RELEASE/vmlinuz, as Fedora and Arch have it. */
static int take_modules(const char *directory, const char *name, const struct kernel_wish *wish,
			struct kernels *kernels)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s/vmlinuz", directory, name) < 0)
		return -ENOMEM;
	return sysfs_exists(-1, path) ? add(path, NULL, wish, kernels) : 0;
}

/* The value of the first line "KEY VALUE" in an entry, as a path that exists; NULL without one. */
static char *entry_file(const char *text, const char *key, const char *partition)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line;) {
		if (strncmp(line, key, length) == 0 && isblank((unsigned char)line[length])) {
			const char *value = line + length + strspn(line + length, " \t");
			int size = (int)strcspn(value, " \t\n");
			char *path;

			if (asprintf(&path, "%s%s%.*s", partition, *value == '/' ? "" : "/", size,
				     value) < 0)
				return NULL;
			if (sysfs_exists(-1, path))
				return path;
			/* /boot may be a directory of the partition that the entry means. */
			memmove(path, path + strlen(partition),
				strlen(path + strlen(partition)) + 1);
			if (sysfs_exists(-1, path))
				return path;
			free(path);
			return NULL;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* PARTITION/loader/entries/NAME.conf */
static int take_entry(const char *directory, const char *name, const struct kernel_wish *wish,
		      struct kernels *kernels)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *partition = NULL, *file = NULL,
			    *initrd = NULL;
	size_t length = strlen(name);

	if (length < 5 || strcmp(name + length - 5, ".conf") != 0 || is_set_aside(name))
		return 0;
	partition = strndup(directory, strlen(directory) - strlen("/loader/entries"));
	if (!partition || asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	if (sysfs_read_text(-1, path, &text) < 0)
		return 0;
	file = entry_file(text, "linux", partition);
	initrd = entry_file(text, "initrd", partition);
	return file && !is_set_aside(file) ? add(file, initrd, wish, kernels) : 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct kernel *left = a, *right = b;

	return version_compare(right->release, left->release);
}

/* A machine that runs without an initrd needs none for its next kernel. */
static void forgive_initrds(const struct kernel_wish *wish, struct kernels *kernels)
{
	struct utsname running;
	const struct kernel *now;

	if (uname(&running) < 0)
		return;
	now = kernels_of_release(kernels, running.release);
	if (!now || !now->is_kernel || now->initrd)
		return;
	for (size_t i = 0; i < kernels->count; i++) {
		struct kernel *kernel = &kernels->list[i];

		if (kernel->is_kernel && !kernel->initrd)
			kernel->fault = kernel_modules_fault(kernel->release, wish->modules);
	}
}

int kernels_find(const struct kernel_wish *wish, struct kernels *ret_kernels)
{
	struct kernels kernels = {};
	int r = each_name("/boot", take_file, wish, &kernels);

	if (r == 0)
		r = each_name("/usr/lib/modules", take_modules, wish, &kernels);
	if (r == 0)
		r = each_name("/boot/loader/entries", take_entry, wish, &kernels);
	if (r == 0)
		r = each_name("/boot/efi/loader/entries", take_entry, wish, &kernels);
	if (r == 0)
		r = each_name("/efi/loader/entries", take_entry, wish, &kernels);
	if (r < 0) {
		kernels_clear(&kernels);
		return r;
	}
	if (kernels.count)
		qsort(kernels.list, kernels.count, sizeof(*kernels.list), newest_first);
	forgive_initrds(wish, &kernels);
	*ret_kernels = kernels;
	return 0;
}

const struct kernel *kernels_newest(const struct kernels *kernels)
{
	for (size_t i = 0; i < kernels->count; i++)
		if (!*kernels->list[i].fault.text)
			return &kernels->list[i];
	return NULL;
}

const struct kernel *kernels_of_release(const struct kernels *kernels, const char *release)
{
	for (size_t i = 0; i < kernels->count; i++)
		if (strcmp(kernels->list[i].release, release) == 0)
			return &kernels->list[i];
	return NULL;
}
