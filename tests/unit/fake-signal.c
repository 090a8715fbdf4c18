// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake-signal.h"

#include "fake-tree.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 30000
#define LOOK_MS	    10

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
		for (int waited = 0; waited < DEADLINE_MS; waited += LOOK_MS) {
			if (strstr(fake_read("log"), text)) {
				kill(getppid(), signal);
				_exit(0);
			}
			poll(NULL, 0, LOOK_MS);
		}
		_exit(1);
	}
}

int fake_signal_end(void)
{
	waitpid(sender, NULL, 0);
	sigaction(caught, &before, NULL);
	return seen;
}
