// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kexec.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "reboot/kexec-cmdline.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROGRAM_MS   120000

void kexec_plan_clear(struct kexec_plan *plan)
{
	free(plan->kernel);
	free(plan->initrd);
	free(plan->cmdline);
	*plan = (struct kexec_plan){};
}

/* Where a distribution has the file of a release: BEFORE RELEASE AFTER. */
struct pattern {
	const char *before, *after;
};

/* The first file that exists for this release, or NULL. The caller frees it. */
static char *find_file(const struct pattern *patterns, size_t count, const char *release)
{
	for (size_t i = 0; i < count; i++) {
		char *path;

		if (asprintf(&path, "%s%s%s", patterns[i].before, release, patterns[i].after) < 0)
			return NULL;
		if (sysfs_exists(-1, path))
			return path;
		free(path);
	}
	return NULL;
}

/* "6.1.0-56-amd64" for "/boot/vmlinuz-6.1.0-56-amd64"; NULL if the name has no release. */
static const char *release_of(const char *kernel)
{
	static const char *const prefixes[] = { "vmlinuz-", "vmlinux-", "kernel-", "bzImage-" };
	const char *name = strrchr(kernel, '/');

	name = name ? name + 1 : kernel;
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return name + strlen(prefixes[i]);
	return NULL;
}

/* The newest kernel in /boot by version, or NULL. The caller frees it. */
static char *find_newest(void)
{
	static const char prefix[] = "vmlinuz-";
	int fd = sysfs_open(-1, "/boot");
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	char newest[NAME_MAX + 1] = "", *path;
	const struct dirent *entry;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while ((entry = readdir(directory)))
		if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) == 0 &&
		    !strstr(entry->d_name, ".dpkg-") && strverscmp(entry->d_name, newest) > 0)
			strcpy(newest, entry->d_name);
	closedir(directory);
	return *newest && asprintf(&path, "/boot/%s", newest) >= 0 ? path : NULL;
}

static int choose_kernel(const char *kernel, const char *release, char **ret_kernel)
{
	static const struct pattern patterns[] = {
		{ "/boot/vmlinuz-", "" },	 { "/boot/vmlinux-", "" },
		{ "/boot/kernel-", "" },	 { "/usr/lib/modules/", "/vmlinuz" },
		{ "/lib/modules/", "/vmlinuz" },
	};
	bool newest = kernel && strcmp(kernel, "newest") == 0;

	if (kernel && !newest) {
		*ret_kernel = strdup(kernel);
		return *ret_kernel ? 0 : report_error(-ENOMEM, "%s", kernel);
	}
	*ret_kernel = newest ? NULL : find_file(patterns, COUNT(patterns), release);
	/* An upgrade may have removed the running one. */
	if (!*ret_kernel)
		*ret_kernel = find_newest();
	if (!*ret_kernel)
		return report_error(-ENOENT,
				    "kernel %s is neither in /boot nor in /usr/lib/modules; name one with --kernel",
				    release);
	return 0;
}

static int choose_initrd(const char *initrd, const char *kernel, const char *running_release,
			 char **ret_initrd)
{
	static const struct pattern patterns[] = {
		{ "/boot/initrd.img-", "" },
		{ "/boot/initramfs-", ".img" },
		{ "/boot/initrd-", "" },
		{ "/boot/initramfs-", "" },
		{ "/usr/lib/modules/", "/initrd" },
	};
	const char *release;

	*ret_initrd = NULL;
	if (initrd) {
		if (*initrd && !(*ret_initrd = strdup(initrd)))
			return report_error(-ENOMEM, "%s", initrd);
		return 0;
	}
	release = release_of(kernel);
	if (!release)
		release = running_release;
	*ret_initrd = find_file(patterns, COUNT(patterns), release);
	if (!*ret_initrd)
		warn("no initrd found for %s; it will start without one", kernel);
	return 0;
}

static int choose_cmdline(const char *cmdline, char **ret_cmdline)
{
	_cleanup_free_ char *running = NULL;
	char missing[64];
	int r = sysfs_read_text(-1, "/proc/cmdline", &running);

	if (r < 0)
		return report_error(r, "cannot read /proc/cmdline");
	running[strcspn(running, "\n")] = '\0';
	if (cmdline && cmdline_lacks_memmap(running, cmdline, missing, sizeof(missing)))
		return report_error(-E_REFUSED,
				    "the new command line lacks memmap=%s of the running one: the new kernel would use that memory, and the state in it would be lost",
				    missing);
	*ret_cmdline = cmdline ? strdup(cmdline) : cmdline_for_next(running);
	return *ret_cmdline ? 0 : report_error(-ENOMEM, "command line");
}

static int check_readable(const char *path)
{
	_cleanup_close_ int fd = sysfs_open_file(-1, path);

	return fd < 0 ? report_error(fd, "cannot read %s", path) : 0;
}

static int fill_plan(struct kexec_plan *plan, const char *kernel, const char *initrd,
		     const char *cmdline)
{
	struct utsname running;
	int r;

	if (uname(&running) < 0)
		return report_error(-errno, "uname");
	r = choose_kernel(kernel, running.release, &plan->kernel);
	if (r < 0)
		return r;
	r = choose_initrd(initrd, plan->kernel, running.release, &plan->initrd);
	if (r < 0)
		return r;
	r = choose_cmdline(cmdline, &plan->cmdline);
	if (r < 0)
		return r;
	r = check_readable(plan->kernel);
	if (r < 0)
		return r;
	return plan->initrd ? check_readable(plan->initrd) : 0;
}

int kexec_plan(const char *kernel, const char *initrd, const char *cmdline,
	       struct kexec_plan *ret_plan)
{
	struct kexec_plan plan = {};
	int r = fill_plan(&plan, kernel, initrd, cmdline);

	if (r < 0) {
		kexec_plan_clear(&plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

int kexec_is_loaded(bool *ret_loaded)
{
	uint64_t loaded;
	int r = sysfs_read_number(-1, "/sys/kernel/kexec_loaded", 10, &loaded);

	if (r == -ENOENT)
		return report_error(-ENOSYS,
				    "this kernel has no kexec support (/sys/kernel/kexec_loaded)");
	if (r < 0)
		return report_error(r, "cannot read /sys/kernel/kexec_loaded");
	*ret_loaded = loaded != 0;
	return 0;
}

/* @what is for error messages: "load /boot/vmlinuz". */
static int run_kexec(char *const argv[], const char *what)
{
	struct program_result result;
	int r = child_program(argv, PROGRAM_MS, &result);

	if (r == -ENOENT)
		return report_error(r, "kexec is not installed (package kexec-tools)");
	if (r == -ETIMEDOUT)
		return report_error(r, "kexec did not %s in time", what);
	if (r < 0)
		return report_error(r, "cannot run kexec");
	program_one_line(&result);
	if (*result.output)
		detail("kexec: %s", result.output);
	if (result.status != 0)
		return report_error(-EIO, "kexec could not %s%s%s", what,
				    *result.output ? ": " : "", result.output);
	return 0;
}

int kexec_unload(void)
{
	char *argv[] = { (char *)"kexec", (char *)"-s", (char *)"-u", NULL };

	return run_kexec(argv, "unload the loaded kernel");
}

int kexec_load(const struct kexec_plan *plan)
{
	_cleanup_free_ char *initrd = NULL, *cmdline = NULL, *what = NULL;
	char *argv[7] = { (char *)"kexec", (char *)"-s", (char *)"-l", plan->kernel };
	unsigned int count = 4;
	bool loaded;
	int r = kexec_is_loaded(&loaded);

	if (r < 0)
		return r;
	if (asprintf(&cmdline, "--command-line=%s", plan->cmdline) < 0 ||
	    asprintf(&initrd, "--initrd=%s", plan->initrd ? plan->initrd : "") < 0 ||
	    asprintf(&what, "load %s", plan->kernel) < 0)
		return report_error(-ENOMEM, "kexec");
	argv[count++] = cmdline;
	if (plan->initrd)
		argv[count++] = initrd;
	if (loaded) {
		inform("replacing the kernel that was loaded for kexec before with %s",
		       plan->kernel);
		r = kexec_unload();
		if (r < 0)
			return r;
	}
	r = run_kexec(argv, what);
	if (r < 0)
		return r;
	r = kexec_is_loaded(&loaded);
	if (r < 0)
		return r;
	return loaded ? 0
		      : report_error(-EIO, "kexec succeeded, but %s is not loaded", plan->kernel);
}

int kexec_execute(void)
{
	sync();
	reboot(RB_KEXEC);
	return report_error(-errno, "could not start the loaded kernel");
}
