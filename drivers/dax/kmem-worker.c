// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs each operation in a kernel thread, and changes blocks within it. Offlining a block with a
 * pinned page goes on until a signal is pending: whoever waits for the thread sends it one when the
 * time is over, the waiting process was killed, or the system is about to be suspended. Other
 * signals to that process have no effect.
 *
 * Operations take turns, those of all devices together. The kernel offlines one block at a time
 * anyway, but it would let a removal that retries for ever run between the removal of another
 * device and its rollback.
 */
#include "kmem.h"

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

/* A failed block is tried again: a page may just have been in transit when it was scanned. */
#define TRIES	 3
#define PAUSE_MS 100

/* How often a waiting process looks whether it is to be frozen. */
#define LOOK_MS 200

/* Bit 0 is set during a turn. */
static unsigned long turn;
static DECLARE_WAIT_QUEUE_HEAD(turns);
/* Rollbacks in the background that operations have to wait for. */
static atomic_t rollbacks = ATOMIC_INIT(0);

struct work {
	struct kmem_memory *memory;
	kmem_job *job;
	struct kmem_failure *failure;
	struct completion done;
	int result;
};

/**
 * kmem_try_turn() - begin a turn, for a rollback
 *
 * Return: whether nobody else has it; then kmem_end_turn() ends it.
 */
bool kmem_try_turn(void)
{
	return !test_and_set_bit_lock(0, &turn);
}

void kmem_end_turn(void)
{
	clear_bit_unlock(0, &turn);
	wake_up_all(&turns);
}

/**
 * kmem_go_first() - let operations wait for a rollback that is due, or no longer
 * @memory: its memory; no two of its calls run at a time
 * @first: whether they have to wait
 */
void kmem_go_first(struct kmem_memory *memory, bool first)
{
	if (memory->first == first)
		return;
	memory->first = first;
	if (first)
		atomic_inc(&rollbacks);
	else if (atomic_dec_and_test(&rollbacks))
		wake_up_all(&turns);
}

/* Why the process that waits has to give up: @killed, a suspend, or the time is over; else 0. */
static int give_up(bool killed, unsigned long until)
{
	if (killed || freezing(current))
		return -ECANCELED;
	return time_after(jiffies, until) ? -ETIMEDOUT : 0;
}

static bool try_turn_of_operation(void)
{
	return !atomic_read(&rollbacks) && kmem_try_turn();
}

static int wait_for_turn(unsigned long until)
{
	const long pause = msecs_to_jiffies(LOOK_MS);
	long left;
	int r;

	do {
		left = wait_event_killable_timeout(turns, try_turn_of_operation(), pause);
		r = left > 0 ? 0 : give_up(left < 0, until);
	} while (left <= 0 && !r);
	return r;
}

static int work_thread(void *data)
{
	struct work *work = data;
	struct kmem_memory *memory = work->memory;

	allow_kernel_signal(SIGKILL);
	WRITE_ONCE(memory->worker, current);
	memory->notified = false;
	memory->cancelled = false;
	memory->locked_out = false;
	work->result = work->job(memory, work->failure);
	WRITE_ONCE(memory->worker, NULL);
	/* Once this completes, @work is gone, and the module may be. */
	kthread_complete_and_exit(&work->done, 0);
}

/* Whether a signal to the worker stops its job, and not the rollback of it. */
static bool may_interrupt(const struct kmem_memory *memory)
{
	unsigned long undo_until = READ_ONCE(memory->undo_until);

	return !undo_until || time_after(jiffies, undo_until);
}

/* Returns only when the job has returned, within KMEM_UNDO_MS after it was stopped. */
static int run_until(struct work *work, unsigned long until)
{
	struct kmem_memory *memory = work->memory;
	struct task_struct *task;

	init_completion(&work->done);
	WRITE_ONCE(memory->stop, 0);
	memory->undo_until = 0;
	task = kthread_create(work_thread, work, "kmem/%s", memory->name);
	if (IS_ERR(task))
		return PTR_ERR(task) == -EINTR ? -ECANCELED : PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	while (!READ_ONCE(memory->stop)) {
		long left = wait_for_completion_killable_timeout(&work->done,
								 msecs_to_jiffies(LOOK_MS));

		if (left > 0)
			goto done;
		WRITE_ONCE(memory->stop, give_up(left < 0, until));
	}
	/* Repeated: a signal between two tries of a block is flushed. */
	do {
		if (may_interrupt(memory))
			send_sig(SIGKILL, task, 1);
	} while (!wait_for_completion_timeout(&work->done, msecs_to_jiffies(LOOK_MS)));
done:
	put_task_struct(task);
	return work->result;
}

/**
 * kmem_run() - run an operation with a time limit, and report its result
 * @memory: the caller holds its lock
 * @operation: the operation
 * @job: its implementation
 * @timeout_ms: time after which the job has to stop; includes the wait for operations of other
 *	devices
 *
 * Return: result of the job, such as -ETIMEDOUT or -ECANCELED (the caller was killed, or is to be
 * frozen) if it was stopped, or could not begin.
 */
int kmem_run(struct kmem_memory *memory, enum kmem_operation operation, kmem_job *job,
	     unsigned int timeout_ms)
{
	struct kmem_failure failure = {
		.operation = operation,
		.block = KMEM_NO_PFN,
		.pfn = KMEM_NO_PFN,
		.blocks = kmem_count_blocks(memory),
	};
	struct work work = { .memory = memory, .job = job, .failure = &failure };
	unsigned long until = jiffies + msecs_to_jiffies(timeout_ms);

	failure.error = wait_for_turn(until);
	if (!failure.error) {
		failure.error = run_until(&work, until);
		kmem_end_turn();
	} else if (failure.error == -ETIMEDOUT) {
		failure.class = KMEM_CLASS_LOCK_HELD;
	}
	if (failure.error == -ECANCELED && failure.class == KMEM_CLASS_UNKNOWN)
		failure.class = KMEM_CLASS_INTERRUPTED;
	kmem_report(memory, &failure);
	return failure.error;
}

/* For use in a job: -ETIMEDOUT or -ECANCELED if it has to give up, else 0. */
int kmem_stopped(const struct kmem_memory *memory)
{
	if (READ_ONCE(memory->abandon))
		return -ECANCELED;
	if (memory->undo_until)
		return time_after(jiffies, memory->undo_until) ? -ETIMEDOUT : 0;
	return READ_ONCE(memory->stop);
}

/**
 * kmem_begin_undo() - begin the rollback of a job
 * @memory: memory of the job
 * @signals: whether signals may interrupt the rollback: true to take blocks offline, which nothing
 *	else could stop; false to online blocks, since that starts kernel threads of the node, which
 *	fails when a signal is pending
 * @timeout_ms: its own time limit
 */
void kmem_begin_undo(struct kmem_memory *memory, bool signals, unsigned int timeout_ms)
{
	if (!signals)
		kernel_sigaction(SIGKILL, SIG_IGN);
	WRITE_ONCE(memory->undo_until, (jiffies + msecs_to_jiffies(timeout_ms)) | 1);
	flush_signals(current);
	memory->wanted = KMEM_MIXED;
}

/**
 * kmem_set_block() - online or offline a memory block, for use in a job
 * @memory: memory of the job
 * @pfn: first page of the block
 * @state: KMEM_OFFLINE, KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL
 *
 * Retries a few times, unless the job has to stop.
 *
 * Return: 0, also if the block is in that state already; kmem_stopped(); or the error of the last
 * attempt, such as -EBUSY, -ENOMEM or that of a memory notifier. Never -EINTR.
 */
int kmem_set_block(struct kmem_memory *memory, unsigned long pfn, enum kmem_state state)
{
	unsigned int try = 1;
	int r, stopped;

	for (;;) {
		memory->notified = false;
		memory->cancelled = false;
		r = kmem_try_set_block(pfn, state);
		memory->locked_out = r == -ERESTARTNOINTR;
		if (r == 0)
			return 0;
		stopped = kmem_stopped(memory);
		if (stopped)
			return stopped;
		/* TIF_SIGPENDING of -ERESTARTNOINTR, or a signal sent before the rollback. */
		flush_signals(current);
		if (r == -ERESTARTNOINTR)
			continue;
		if (try++ == TRIES)
			return r == -EINTR ? -EBUSY : r;
		schedule_timeout_interruptible(msecs_to_jiffies(PAUSE_MS));
	}
}
