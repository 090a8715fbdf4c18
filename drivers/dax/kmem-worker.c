// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs each operation in a kernel thread, and changes blocks within it. Offlining a block with a
 * pinned page goes on until a signal is pending: whoever waits for the thread sends it one when the
 * time is over or the waiting process was killed. Other signals to that process have no effect.
 */
#include "kmem.h"

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

/* A failed block is tried again: a page may just have been in transit when it was scanned. */
#define TRIES	 3
#define PAUSE_MS 100

/* A rollback waits for the lock of memory hot-plug, which others may hold for ever. */
#define UNDO_MS 10000

struct work {
	struct kmem_memory *memory;
	kmem_job *job;
	struct kmem_failure *failure;
	struct completion done;
	int result;
};

static int work_thread(void *data)
{
	struct work *work = data;
	struct kmem_memory *memory = work->memory;

	allow_kernel_signal(SIGKILL);
	WRITE_ONCE(memory->worker, current);
	memory->notified = false;
	memory->cancelled = false;
	work->result = work->job(memory, work->failure);
	WRITE_ONCE(memory->worker, NULL);
	/* Once this completes, @work is gone, and the module may be. */
	kthread_complete_and_exit(&work->done, 0);
}

/* Returns only when the job has returned, however long its rollback takes. */
static int run_within(struct work *work, unsigned int timeout_ms)
{
	struct kmem_memory *memory = work->memory;
	struct task_struct *task;
	long left;

	init_completion(&work->done);
	WRITE_ONCE(memory->stop, 0);
	memory->undo_until = 0;
	task = kthread_create(work_thread, work, "kmem/%s", memory->name);
	if (IS_ERR(task))
		return PTR_ERR(task) == -EINTR ? -ECANCELED : PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	left = wait_for_completion_killable_timeout(&work->done, msecs_to_jiffies(timeout_ms));
	if (left <= 0) {
		WRITE_ONCE(memory->stop, left ? -ECANCELED : -ETIMEDOUT);
		/*
		 * Repeated: a signal between two tries of a block is flushed, and the rollback of a
		 * hot-add takes blocks offline, too, and has a time limit of its own.
		 */
		do
			send_sig(SIGKILL, task, 1);
		while (!wait_for_completion_timeout(&work->done, HZ));
	}
	put_task_struct(task);
	return work->result;
}

/**
 * kmem_run() - run an operation with a time limit, and report its result
 * @memory: the caller holds its lock
 * @operation: the operation
 * @job: its implementation
 * @timeout_ms: time after which the job has to stop
 *
 * Return: result of the job, such as -ETIMEDOUT or -ECANCELED (the caller was killed) if it was
 * stopped.
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

	failure.error = run_within(&work, timeout_ms);
	if (failure.error == -ECANCELED && failure.class == KMEM_CLASS_UNKNOWN)
		failure.class = KMEM_CLASS_INTERRUPTED;
	kmem_report(memory, &failure);
	return failure.error;
}

/* For use in a job: -ETIMEDOUT or -ECANCELED if it has to give up, else 0. */
int kmem_stopped(const struct kmem_memory *memory)
{
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
 *
 * The rollback has a time limit of its own.
 */
void kmem_begin_undo(struct kmem_memory *memory, bool signals)
{
	if (!signals)
		kernel_sigaction(SIGKILL, SIG_IGN);
	flush_signals(current);
	memory->undo_until = (jiffies + msecs_to_jiffies(UNDO_MS)) | 1;
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
