/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A signal that comes to the test program in the middle of what it does. */
#ifndef PMEM_PRESERVE_TEST_FAKE_SIGNAL_H
#define PMEM_PRESERVE_TEST_FAKE_SIGNAL_H

/* Sends @signal once the file "log" of the fake tree has @text in it. It is caught and counted. */
void fake_signal_when_logged(int signal, const char *text);

/* How often it has come since; what happened at that signal before happens again. */
int fake_signal_end(void);

#endif
