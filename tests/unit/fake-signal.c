// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake-signal.h"

#include "fake-tree.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t seen;
static struct sigaction before;
static int caught;
static pid_t sender;

static void on_signal(int number)
{
	(void)number;
	seen++;
}

void fake_signal_when_logged(int signal, const char *text)
{
	const struct sigaction action = { .sa_handler = on_signal };

	seen = 0;
	caught = signal;
	sigaction(signal, &action, &before);
	sender = fork();
	if (sender == 0) {
		while (!strstr(fake_read("log"), text))
			poll(NULL, 0, 10);
		kill(getppid(), signal);
		_exit(0);
	}
}

int fake_signal_end(void)
{
	waitpid(sender, NULL, 0);
	sigaction(caught, &before, NULL);
	return seen;
}
