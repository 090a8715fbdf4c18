// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/interrupt.h"

#include "base/report.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static volatile sig_atomic_t received;
static atomic_bool reported; /* several threads ask */

static void on_signal(int number)
{
	received = number;
}

void interrupt_init(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

void interrupt_ignore_sigterm(void)
{
	signal(SIGTERM, SIG_IGN);
}

int interrupt_check(void)
{
	if (!received)
		return 0;
	if (!atomic_exchange(&reported, true))
		report_error(-E_FAILED, "stopped by signal %d (%s)", received, strsignal(received));
	return -EINTR;
}
