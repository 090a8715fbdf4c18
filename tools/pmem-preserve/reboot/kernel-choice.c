// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kernel-choice.h"

#include "base/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

void kernel_choice_clear(struct kernel_choice *choice)
{
	kernels_clear(&choice->installed);
	kernel_clear(&choice->kernel);
	*choice = (struct kernel_choice){};
}

__attribute__((format(printf, 3, 4))) static int none(struct kernel_choice *choice, int error,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(choice->problem, sizeof(choice->problem), format, args);
	va_end(args);
	choice->error = error;
	return 0;
}

static int take(struct kernel_choice *choice, const struct kernel *kernel, const char *why)
{
	choice->kernel = *kernel;
	choice->kernel.file = strdup(kernel->file);
	choice->kernel.initrd = kernel->initrd ? strdup(kernel->initrd) : NULL;
	choice->why = why;
	return choice->kernel.file && (choice->kernel.initrd || !kernel->initrd) ? 0 : -ENOMEM;
}

static int choose_newest(struct kernel_choice *choice)
{
	const struct kernels *installed = &choice->installed;
	const struct kernel *newest = kernels_newest(installed);

	if (!installed->count)
		return none(choice, -ENOENT,
			    "no kernel is installed in /boot or /usr/lib/modules; name one with --kernel FILE");
	choice->left = newest ? (size_t)(newest - installed->list) : installed->count;
	if (!newest)
		return none(choice, -E_REFUSED,
			    "no installed kernel can be started: %s: %s; --kernel FILE takes one as it is",
			    installed->list[0].file, installed->list[0].fault.text);
	return take(choice, newest,
		    choice->left ? "the newest that can be used" : "the newest that is installed");
}

static int take_named(struct kernel_choice *choice, const struct kernel *kernel, const char *why)
{
	if (!kernel->is_kernel)
		return none(choice, -E_FAILED, "%s cannot be started: %s", kernel->file,
			    kernel->fault.text);
	return take(choice, kernel, why);
}

static int choose_running(struct kernel_choice *choice)
{
	const struct kernel *kernel;
	struct utsname running;

	if (uname(&running) < 0)
		return -errno;
	kernel = kernels_of_release(&choice->installed, running.release);
	if (!kernel)
		return none(choice, -ENOENT,
			    "the running kernel %s is no longer installed; --kernel newest takes the newest that is",
			    running.release);
	return take_named(choice, kernel, "the one that runs now");
}

static int choose_file(const char *file, const struct kernel_wish *wish,
		       struct kernel_choice *choice)
{
	struct kernel kernel;
	int r = kernel_look_at(file, wish, &kernel);

	if (r < 0)
		return r;
	if (strchr(file, '/') || kernel.is_kernel)
		r = take_named(choice, &kernel, "as asked");
	else
		r = none(choice, -ENOENT,
			 "no kernel %s is installed; --kernel takes newest, running, a release as in /lib/modules, or a file",
			 file);
	kernel_clear(&kernel);
	return r;
}

static int choose(const struct kernel_wish *wish, struct kernel_choice *choice)
{
	const char *name = wish->kernel ? wish->kernel : "newest";
	const struct kernel *kernel;
	int r;

	if (strchr(name, '/'))
		return choose_file(name, wish, choice);
	r = kernels_find(wish, &choice->installed);
	if (r < 0)
		return r;
	if (strcmp(name, "newest") == 0)
		return choose_newest(choice);
	if (strcmp(name, "running") == 0)
		return choose_running(choice);
	kernel = kernels_of_release(&choice->installed, name);
	return kernel ? take_named(choice, kernel, "as asked") : choose_file(name, wish, choice);
}

int kernel_choose(const struct kernel_wish *wish, struct kernel_choice *ret_choice)
{
	struct kernel_choice choice = {};
	int r = choose(wish, &choice);

	if (r < 0) {
		kernel_choice_clear(&choice);
		return r;
	}
	*ret_choice = choice;
	return 0;
}
