// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/hotremove-attempt.h"

#include "base/clock.h"
#include "base/report.h"
#include "region/block-order.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROLLBACK_MS 15000

int attempt_begin(struct attempt *attempt)
{
	const struct memory_blocks *blocks = attempt->blocks;
	sigset_t signals;

	attempt->deadline_ns = now_ns() + attempt->limits->deadline_ms * NS_PER_MS;
	attempt->before = calloc(blocks->count + 1, sizeof(*attempt->before));
	attempt->steps = mmap(NULL, sizeof(*attempt->steps), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* In the child, too: some kernels give up offlining on any signal, half done. */
	sigprocmask(SIG_BLOCK, &signals, &attempt->old_signals);
	if (!attempt->before || attempt->steps == MAP_FAILED)
		return report_error(-ENOMEM, "%s", attempt->device);
	for (size_t i = 0; i < blocks->count; i++)
		attempt->before[i] = blocks->block[i];
	return 0;
}

void attempt_end(struct attempt *attempt)
{
	free(attempt->before);
	free(attempt->order);
	if (attempt->steps != MAP_FAILED)
		munmap(attempt->steps, sizeof(*attempt->steps));
	sigprocmask(SIG_SETMASK, &attempt->old_signals, NULL);
}

bool attempt_interrupted(const struct attempt *attempt)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigismember(&pending, signals[i]) &&
		    !sigismember(&attempt->old_signals, signals[i]))
			return true;
	return false;
}

void attempt_show_progress(struct attempt *attempt, unsigned int offline)
{
	if (!attempt->limits->progress || offline == attempt->reported)
		return;
	attempt->reported = offline;
	attempt->limits->progress(attempt->limits->data, offline,
				  (unsigned int)attempt->blocks->count);
}

int attempt_find_order(struct attempt *attempt)
{
	attempt->order = blocks_emptiest_first(attempt->blocks);
	return attempt->order ? 0 : report_error(-ENOMEM, "%s", attempt->device);
}

/* Brings online what was online before. Returns how many blocks are not as before. */
static unsigned int roll_back(const struct attempt *attempt)
{
	struct memory_blocks *blocks = attempt->blocks;
	unsigned int lost = 0;
	int r = memory_blocks_online_as(blocks, attempt->before,
					now_ns() + ROLLBACK_MS * NS_PER_MS);

	for (size_t i = 0; i < blocks->count; i++) {
		const struct memory_block *before = &attempt->before[i];

		if (memory_block_matches(&blocks->block[i], before))
			continue;
		lost++;
		warn("%s: %s is not back in zone %s%s%s", attempt->device,
		     block_text(before->number, blocks->block_bytes).text,
		     *before->zone ? before->zone : "(unknown)", r < 0 ? ": " : "",
		     r < 0 ? strerror(-r) : "");
	}
	return lost;
}

int attempt_roll_back(const struct attempt *attempt, struct memory_failure failure)
{
	const char *advice = memory_failure_advice(&failure);
	unsigned int lost = roll_back(attempt);
	char outcome[160] = "everything is online again as before";

	if (lost) {
		failure.rollback = ROLLBACK_INCOMPLETE;
		snprintf(outcome, sizeof(outcome),
			 "%u of %zu blocks could not be brought back, see 'lsmem' and 'daxctl online-memory %s'",
			 lost, attempt->blocks->count, attempt->device);
	} else if (failure.rollback != ROLLBACK_NONE) {
		failure.rollback = ROLLBACK_COMPLETE;
	}
	if (attempt->limits->failure)
		*attempt->limits->failure = failure;
	return report_error(-E_MEMORY, "%s: %s could not be taken offline%s: %s; %s%s%s",
			    attempt->device, memory_failure_block(&failure).text,
			    failure.error == -ETIMEDOUT ? " in time" : "",
			    memory_failure_reason(&failure).text, outcome, *advice ? "; " : "",
			    advice);
}
