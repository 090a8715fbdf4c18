// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_DRAW_NS 1000000000ull
#define REDRAW_NS     200000000ull
#define BYTES_PER_MIB (1024.0 * 1024.0)

static enum verbosity level;
static char last_error[1024];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool line_drawn;

void report_init(enum verbosity verbosity)
{
	level = verbosity;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Names of files may hold anything: what would move the cursor or end the line is shown as \ooo. */
static void print_line(const char *prefix, const char *text)
{
	if (line_drawn) {
		fputs("\r\033[K", stderr);
		line_drawn = false;
	}
	fputs(prefix, stderr);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			fprintf(stderr, "\\%03o", *p);
		else
			fputc(*p, stderr);
	}
	fputc('\n', stderr);
}

int fail(int code, const char *format, ...)
{
	va_list args;
	size_t used;

	pthread_mutex_lock(&lock);
	va_start(args, format);
	vsnprintf(last_error, sizeof(last_error), format, args);
	va_end(args);
	used = strlen(last_error);
	if (code > -E_STATUS_BASE)
		snprintf(last_error + used, sizeof(last_error) - used, ": %s", strerror(-code));
	print_line("pmem-preserve: ", last_error);
	pthread_mutex_unlock(&lock);
	return code;
}

static void say(const char *prefix, const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&lock);
	print_line(prefix, text);
	pthread_mutex_unlock(&lock);
}

void inform(const char *format, ...)
{
	va_list args;

	if (level < NORMAL)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void detail(const char *format, ...)
{
	va_list args;

	if (level < VERBOSE)
		return;
	va_start(args, format);
	say("  ", format, args);
	va_end(args);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("pmem-preserve: warning: ", format, args);
	va_end(args);
}

const char *report_last_error(void)
{
	return last_error;
}

int exit_status(int code)
{
	if (code >= 0)
		return 0;
	if (code <= -E_FAILED && code >= -E_NO_FIT)
		return -code - E_STATUS_BASE;
	return 1;
}

struct size_text size_text(uint64_t bytes)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	struct size_text size;
	double value = (double)bytes;
	unsigned int i = 0;

	while (value >= 1024 && i < 6) {
		value /= 1024;
		i++;
	}
	if (i == 0 || value == (double)(uint64_t)value)
		snprintf(size.text, sizeof(size.text), "%.0f %s", value, unit[i]);
	else
		snprintf(size.text, sizeof(size.text), "%.1f %s", value, unit[i]);
	return size;
}

struct size_text size_exact(uint64_t bytes)
{
	struct size_text size = size_text(bytes);
	size_t used = strlen(size.text);

	if (bytes >= 1024)
		snprintf(size.text + used, sizeof(size.text) - used, " (%llu bytes)",
			 (unsigned long long)bytes);
	return size;
}

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){ .what = what, .total = total, .start_ns = now_ns() };
	progress->next_ns = level < NORMAL || !isatty(STDERR_FILENO)
				    ? UINT64_MAX
				    : progress->start_ns + FIRST_DRAW_NS;
}

void progress_add(struct progress *progress, uint64_t amount)
{
	uint64_t done = atomic_fetch_add_explicit(&progress->done, amount, memory_order_relaxed);
	uint64_t next = atomic_load_explicit(&progress->next_ns, memory_order_relaxed);
	uint64_t now;
	double mib;

	if (next == UINT64_MAX)
		return;
	now = now_ns();
	if (now < next ||
	    !atomic_compare_exchange_strong(&progress->next_ns, &next, now + REDRAW_NS))
		return;
	done += amount;
	mib = (double)done / BYTES_PER_MIB;
	pthread_mutex_lock(&lock);
	fprintf(stderr, "\r\033[K%s: %3.0f %%  %.0f of %.0f MiB, %.0f MiB/s", progress->what,
		progress->total ? 100.0 * (double)done / (double)progress->total : 100.0, mib,
		(double)progress->total / BYTES_PER_MIB,
		mib / ((double)(now - progress->start_ns) / 1e9));
	fflush(stderr);
	line_drawn = true;
	progress->shown = true;
	pthread_mutex_unlock(&lock);
}

void progress_end(struct progress *progress)
{
	if (!progress->shown)
		return;
	pthread_mutex_lock(&lock);
	if (line_drawn) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
		line_drawn = false;
	}
	pthread_mutex_unlock(&lock);
}
