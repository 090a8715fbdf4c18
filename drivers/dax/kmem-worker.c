// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread for each operation, and how that thread changes a block. Offlining a block that holds a
 * pinned page goes on until a signal is pending: the one who waits for the thread sends it that
 * signal when the time is over, or when the waiting process itself was killed. Other signals of
 * that process do not matter.
 */
#include "kmem.h"

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

/* What fails is tried again: a page may be on its way just when its block is looked through. */
#define TRIES	 3
#define PAUSE_MS 100

/* Undoing waits for the lock of memory hot-plug, and somebody may sit on that for ever. */
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
	memory->asked = false;
	memory->cancelled = false;
	work->result = work->job(memory, work->failure);
	WRITE_ONCE(memory->worker, NULL);
	/* @work is gone, and the module may be, once this is complete. */
	kthread_complete_and_exit(&work->done, 0);
}

/* Returns only when the job has, however long undoing takes. */
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
		 * Repeated: one that comes in between two tries of a block is flushed, and undoing
		 * a hot-add, which offlines as well, has a time limit, too.
		 */
		do
			send_sig(SIGKILL, task, 1);
		while (!wait_for_completion_timeout(&work->done, HZ));
	}
	put_task_struct(task);
	return work->result;
}

/**
 * kmem_run() - run an operation with a time limit, and tell how it went
 * @memory: the caller holds its lock
 * @operation: for the report
 * @job: what to do
 * @timeout_ms: after which it is told to stop
 *
 * Return: what the job returned; -ETIMEDOUT or (the caller was killed) -ECANCELED if it was
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

/* Within a job: 0, or why it shall give up (-ETIMEDOUT, -ECANCELED). */
int kmem_stopped(const struct kmem_memory *memory)
{
	if (memory->undo_until)
		return time_after(jiffies, memory->undo_until) ? -ETIMEDOUT : 0;
	return READ_ONCE(memory->stop);
}

/**
 * kmem_begin_undo() - within a job: from now on it undoes what it did
 * @memory: of the job
 * @signals: whether a signal may end what it does: to take blocks offline, it must, and when it
 *	brings them online it must not, since that starts threads of the node, and would not
 *
 * Undoing has a time of its own.
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
 * kmem_set_block() - within a job: bring a memory block online or take it offline
 * @memory: of the block
 * @pfn: its first page
 * @state: KMEM_OFFLINE, KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL
 *
 * Tries several times, unless the job is to stop.
 *
 * Return: 0, also when it was so already; kmem_stopped(); or what the kernel said at the last try:
 * -EBUSY, -ENOMEM, the errno of a memory notifier. Never -EINTR.
 */
int kmem_set_block(struct kmem_memory *memory, unsigned long pfn, enum kmem_state state)
{
	unsigned int try = 1;
	int r, stopped;

	for (;;) {
		memory->asked = false;
		memory->cancelled = false;
		r = kmem_try_set_block(pfn, state);
		if (r == 0)
			return 0;
		stopped = kmem_stopped(memory);
		if (stopped)
			return stopped;
		/* The flag that restarts a system call, or a signal from before undoing. */
		flush_signals(current);
		if (r == -ERESTARTNOINTR)
			continue;
		if (try++ == TRIES)
			return r == -EINTR ? -EBUSY : r;
		schedule_timeout_interruptible(msecs_to_jiffies(PAUSE_MS));
	}
}
