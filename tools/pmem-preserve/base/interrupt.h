/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGINT, SIGTERM and SIGHUP end long work at its next step, so that it can be undone in order. */
#ifndef PMEM_PRESERVE_INTERRUPT_H
#define PMEM_PRESERVE_INTERRUPT_H

void interrupt_init(void);

/* SIGTERM does not end anything any more: for work that has deadlines, and is lost if it ends early. */
void interrupt_ignore_sigterm(void);

/* 0, or -EINTR (reported) once a signal has come. */
int interrupt_check(void);

#endif
