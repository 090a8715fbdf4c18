// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kexec.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "reboot/kernel-choice.h"
#include "reboot/kexec-cmdline.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROGRAM_MS 120000

void kexec_plan_clear(struct kexec_plan *plan)
{
	free(plan->kernel);
	free(plan->initrd);
	free(plan->cmdline);
	*plan = (struct kexec_plan){};
}

/* What is taken, what is left, and why: nobody should find out by what has started. */
static void tell_choice(const struct kernel_wish *wish, const struct kernel_choice *choice)
{
	const struct kernel *kernel = &choice->kernel;
	struct utsname running;

	for (size_t i = 0; i < choice->left; i++)
		warn("%s is newer, and is left: %s", choice->installed.list[i].file,
		     choice->installed.list[i].fault.text);
	if (*kernel->fault.text)
		warn("%s: %s; it is taken all the same, as it was named", kernel->file,
		     kernel->fault.text);
	inform("The next kernel is %s (%s), its initrd is %s", kernel->file, choice->why,
	       wish->initrd	? (*wish->initrd ? wish->initrd : "none")
	       : kernel->initrd ? kernel->initrd
				: "none");
	if (*kernel->release && uname(&running) == 0 &&
	    version_compare(kernel->release, running.release) < 0)
		warn("%s is older than the running kernel, %s", kernel->release, running.release);
}

static int choose_files(const struct kernel_wish *wish, struct kexec_plan *plan)
{
	_cleanup_kernel_choice_ struct kernel_choice choice = {};
	struct file_fault fault;
	const char *initrd;
	int r = kernel_choose(wish, &choice);

	if (r < 0)
		return report_error(r, "cannot look for kernels");
	if (choice.error)
		return report_error(choice.error == -ENOENT ? -E_FAILED : choice.error, "%s",
				    choice.problem);
	initrd = wish->initrd ? wish->initrd : choice.kernel.initrd;
	if (initrd && *initrd) {
		fault = initrd_file_fault(initrd);
		if (*fault.text)
			return report_error(-E_FAILED, "%s cannot be the initrd: %s", initrd,
					    fault.text);
	}
	tell_choice(wish, &choice);
	plan->kernel = take_pointer(choice.kernel.file);
	plan->initrd = take_pointer(choice.kernel.initrd);
	if (!wish->initrd)
		return 0;
	free(plan->initrd);
	plan->initrd = *wish->initrd ? strdup(wish->initrd) : NULL;
	return plan->initrd || !*wish->initrd ? 0 : report_error(-ENOMEM, "%s", wish->initrd);
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

bool kexec_is_disabled(void)
{
	uint64_t disabled;

	return sysfs_read_number(-1, "/proc/sys/kernel/kexec_load_disabled", 10, &disabled) == 0 &&
	       disabled;
}

int kexec_plan(const struct kernel_wish *wish, struct kexec_plan *ret_plan)
{
	struct kexec_plan plan = {};
	int r = 0;

	if (kexec_is_disabled())
		r = report_error(-E_FAILED,
				 "no kernel can be loaded for kexec until the next reboot: the sysctl kernel.kexec_load_disabled is set; take it out of /etc/sysctl.d");
	if (r == 0)
		r = choose_files(wish, &plan);
	if (r == 0)
		r = choose_cmdline(wish->cmdline, &plan.cmdline);
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
