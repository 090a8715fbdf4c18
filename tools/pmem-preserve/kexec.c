// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec.h"

#include "cleanup.h"
#include "kexec-cmdline.h"
#include "report.h"
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROGRAM_MS   120000

extern char **environ;

void kexec_plan_clear(struct kexec_plan *plan)
{
	free(plan->kernel);
	free(plan->initrd);
	free(plan->cmdline);
	*plan = (struct kexec_plan){};
}

/* A place where a distribution keeps the file of a release: BEFORE RELEASE AFTER. */
struct place {
	const char *before, *after;
};

/* The first of the files that exists, for this release; the caller frees it, NULL: none. */
static char *find_file(const struct place *places, size_t count, const char *release)
{
	for (size_t i = 0; i < count; i++) {
		char *path;

		if (asprintf(&path, "%s%s%s", places[i].before, release, places[i].after) < 0)
			return NULL;
		if (sysfs_exists(-1, path))
			return path;
		free(path);
	}
	return NULL;
}

/* "/boot/vmlinuz-6.1.0-56-amd64" is of release "6.1.0-56-amd64"; NULL when the name has none. */
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

static int choose_kernel(const char *kernel, const char *release, char **ret_kernel)
{
	static const struct place places[] = {
		{ "/boot/vmlinuz-", "" },	 { "/boot/vmlinux-", "" },
		{ "/boot/kernel-", "" },	 { "/usr/lib/modules/", "/vmlinuz" },
		{ "/lib/modules/", "/vmlinuz" },
	};

	*ret_kernel = kernel ? strdup(kernel) : find_file(places, COUNT(places), release);
	if (!*ret_kernel && kernel)
		return fail(-ENOMEM, "%s", kernel);
	if (!*ret_kernel)
		return fail(-ENOENT,
			    "the kernel %s is not in /boot nor in /usr/lib/modules: name one",
			    release);
	return 0;
}

/* @initrd "": none. The one that belongs to the kernel's file, where its name tells its release. */
static int choose_initrd(const char *initrd, const char *kernel, const char *running_release,
			 char **ret_initrd)
{
	static const struct place places[] = {
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
			return fail(-ENOMEM, "%s", initrd);
		return 0;
	}
	release = release_of(kernel);
	if (!release)
		release = running_release;
	*ret_initrd = find_file(places, COUNT(places), release);
	if (!*ret_initrd)
		warn("no initrd found for %s: it will start without one", kernel);
	return 0;
}

static int choose_cmdline(const char *cmdline, char **ret_cmdline)
{
	_cleanup_free_ char *running = NULL;
	char missing[64];
	int r = sysfs_read_text(-1, "/proc/cmdline", &running);

	if (r < 0)
		return fail(r, "/proc/cmdline cannot be read");
	running[strcspn(running, "\n")] = '\0';
	if (cmdline && cmdline_lacks_memmap(running, cmdline, missing, sizeof(missing)))
		return fail(
			-E_REFUSED,
			"the new command line lacks memmap=%s of the running one: the new kernel "
			"would use that memory as its own, and what is kept there would be lost",
			missing);
	*ret_cmdline = cmdline ? strdup(cmdline) : cmdline_for_next(running);
	return *ret_cmdline ? 0 : fail(-ENOMEM, "the command line");
}

static int check_readable(const char *path)
{
	_cleanup_close_ int fd = sysfs_open_file(-1, path);

	return fd < 0 ? fail(fd, "%s cannot be read", path) : 0;
}

int kexec_plan(const char *kernel, const char *initrd, const char *cmdline,
	       struct kexec_plan *ret_plan)
{
	struct kexec_plan plan = {};
	struct utsname running;
	int r;

	if (uname(&running) < 0)
		return fail(-errno, "uname");
	r = choose_kernel(kernel, running.release, &plan.kernel);
	if (r == 0)
		r = choose_initrd(initrd, plan.kernel, running.release, &plan.initrd);
	if (r == 0)
		r = choose_cmdline(cmdline, &plan.cmdline);
	if (r == 0)
		r = check_readable(plan.kernel);
	if (r == 0 && plan.initrd)
		r = check_readable(plan.initrd);
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
		return fail(-ENOSYS,
			    "this kernel cannot kexec: it has no /sys/kernel/kexec_loaded");
	if (r < 0)
		return fail(r, "/sys/kernel/kexec_loaded cannot be read");
	*ret_loaded = loaded != 0;
	return 0;
}

/* Starts kexec with its output, of both kinds, going to @output. */
static int start_program(char *const argv[], int output, pid_t *ret_pid)
{
	static const char *const places[] = { "kexec", "/usr/sbin/kexec", "/sbin/kexec" };
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	/* A user's PATH often lacks sbin. */
	for (size_t i = 0; !r && i < COUNT(places); i++) {
		r = posix_spawnp(ret_pid, places[i], &actions, NULL, argv, environ);
		if (r != ENOENT)
			break;
		if (i + 1 < COUNT(places))
			r = 0;
	}
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Keeps the start of what kexec says, until it ends; -ETIMEDOUT: it was killed. */
static int read_output(int fd, pid_t pid, char *text, size_t size)
{
	uint64_t deadline_ns = now_ns() + PROGRAM_MS * NS_PER_MS;
	size_t used = 0;
	int r = 0;

	for (;;) {
		struct pollfd poll_output = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ns();
		char part[512];
		ssize_t got;

		if (now >= deadline_ns) {
			kill(pid, SIGKILL);
			r = -ETIMEDOUT;
			break;
		}
		if (poll(&poll_output, 1, (int)((deadline_ns - now) / NS_PER_MS) + 1) <= 0)
			continue;
		got = read(fd, part, sizeof(part));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got && used + 1 < size; i++)
			text[used++] = part[i] == '\n' ? ' ' : part[i];
	}
	while (used && text[used - 1] == ' ')
		used--;
	text[used] = '\0';
	return r;
}

/* Runs kexec; @what is for the message: "load /boot/vmlinuz". */
static int run_kexec(char *const argv[], const char *what)
{
	_cleanup_close_ int read_end = -1, write_end = -1;
	char output[512];
	int pipe_fds[2], status, r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail(-errno, "kexec cannot be started");
	read_end = pipe_fds[0];
	write_end = pipe_fds[1];
	r = start_program(argv, write_end, &pid);
	if (r == -ENOENT)
		return fail(r, "the program kexec is not installed (package kexec-tools)");
	if (r < 0)
		return fail(r, "the program kexec cannot be started");
	close(take_fd(write_end));
	r = read_output(read_end, pid, output, sizeof(output));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(-errno, "kexec");
	if (r < 0)
		return fail(r, "kexec did not %s in time", what);
	if (*output)
		detail("kexec: %s", output);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fail(-EIO, "kexec could not %s%s%s", what, *output ? ": " : "", output);
	return 0;
}

int kexec_unload(void)
{
	char *argv[] = { (char *)"kexec", (char *)"-s", (char *)"-u", NULL };

	return run_kexec(argv, "take the loaded kernel out");
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
		return fail(-ENOMEM, "kexec");
	argv[count++] = cmdline;
	if (plan->initrd)
		argv[count++] = initrd;
	if (loaded) {
		inform("a kernel was loaded for kexec already: %s takes its place", plan->kernel);
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
		      : fail(-EIO, "%s was loaded, says kexec, but the kernel has none",
			     plan->kernel);
}

int kexec_execute(void)
{
	sync();
	reboot(RB_KEXEC);
	return fail(-errno, "the loaded kernel could not be started");
}
