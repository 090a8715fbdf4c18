// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/report.h"

#include "base/clock.h"
#include "base/journal.h"
#include "base/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define MESSAGE_BYTES 1024
#define FIRST_DRAW_NS 1000000000ull
#define REDRAW_NS     200000000ull
#define BYTES_PER_MIB (1024.0 * 1024.0)

/* Each progress report extends the unit's timeout by this much. */
#define EXTENSION_US 60000000ull

static enum verbosity level;
static char last_error[MESSAGE_BYTES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool line_drawn, to_journal, to_systemd;

void report_init(enum verbosity verbosity)
{
	level = verbosity;
	to_journal = journal_is_stderr();
	to_systemd = getenv("NOTIFY_SOCKET") != NULL;
}

/* @priority as in syslog(3). */
static void print_line(int priority, const char *prefix, const char *text)
{
	char line[4 * MESSAGE_BYTES];

	text_printable(text, line, sizeof(line));
	if (to_systemd && priority == LOG_INFO)
		sd_notifyf(0, "STATUS=%s", line);
	if (to_journal) {
		journal_print(priority, line);
		return;
	}
	if (line_drawn) {
		fputs("\r\033[K", stderr);
		line_drawn = false;
	}
	fprintf(stderr, "%s%s\n", prefix, line);
}

int report_error(int code, const char *format, ...)
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
	print_line(code == -E_NO_CHECKPOINT ? LOG_NOTICE : LOG_ERR, "pmem-preserve: ", last_error);
	pthread_mutex_unlock(&lock);
	return code;
}

static void say(int priority, const char *prefix, const char *format, va_list args)
{
	char text[MESSAGE_BYTES];

	vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&lock);
	print_line(priority, prefix, text);
	pthread_mutex_unlock(&lock);
}

void inform(const char *format, ...)
{
	va_list args;

	if (level < NORMAL)
		return;
	va_start(args, format);
	say(LOG_INFO, "", format, args);
	va_end(args);
}

void detail(const char *format, ...)
{
	va_list args;

	if (level < VERBOSE)
		return;
	va_start(args, format);
	say(LOG_DEBUG, "  ", format, args);
	va_end(args);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(LOG_WARNING, "pmem-preserve: warning: ", format, args);
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

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){ .what = what, .total = total, .start_ns = now_ns() };
	progress->on_terminal = level >= NORMAL && isatty(STDERR_FILENO);
	progress->next_ns = progress->on_terminal || to_systemd ? progress->start_ns + FIRST_DRAW_NS
								: UINT64_MAX;
}

void progress_add(struct progress *progress, uint64_t amount)
{
	uint64_t done = atomic_fetch_add_explicit(&progress->done, amount, memory_order_relaxed);
	uint64_t next = atomic_load_explicit(&progress->next_ns, memory_order_relaxed);
	uint64_t now;
	char line[160];
	double mib;

	if (next == UINT64_MAX)
		return;
	now = now_ns();
	if (now < next ||
	    !atomic_compare_exchange_strong(&progress->next_ns, &next, now + REDRAW_NS))
		return;
	done += amount;
	mib = (double)done / BYTES_PER_MIB;
	snprintf(line, sizeof(line), "%s: %3.0f %%  %.0f of %.0f MiB, %.0f MiB/s", progress->what,
		 progress->total ? 100.0 * (double)done / (double)progress->total : 100.0, mib,
		 (double)progress->total / BYTES_PER_MIB,
		 mib / ((double)(now - progress->start_ns) / 1e9));
	pthread_mutex_lock(&lock);
	if (to_systemd)
		sd_notifyf(0, "STATUS=%s\nEXTEND_TIMEOUT_USEC=%llu", line, EXTENSION_US);
	if (progress->on_terminal) {
		fprintf(stderr, "\r\033[K%s", line);
		fflush(stderr);
		line_drawn = true;
		progress->shown = true;
	}
	pthread_mutex_unlock(&lock);
}

void progress_allow(unsigned int seconds)
{
	if (to_systemd)
		sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", seconds * 1000000ull + EXTENSION_US);
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
