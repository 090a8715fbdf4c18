// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the operator sees: the attributes of the device, uevents, and a line in the log for each
 * failure. Documentation/dax-hotremove.rst describes all of it.
 */
#include "kmem.h"

#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define TEXT_SIZE 48

static const char *const operation_names[] = {
	[KMEM_UNPLUG] = "unplug",
	[KMEM_ONLINE] = "online",
};

static const char *const result_names[][2] = {
	[KMEM_UNPLUG] = { "unplugged", "unplug-failed" },
	[KMEM_ONLINE] = { "online", "online-failed" },
};

/* The parts of a failure that are told in more than one place. */
struct failure_text {
	char block[TEXT_SIZE];
	char pfn[TEXT_SIZE];
	char rollback[TEXT_SIZE];
};

static struct failure_text describe(const struct kmem_failure *failure)
{
	struct failure_text text = { "-", "-", "none" };

	if (failure->block != KMEM_NO_PFN)
		snprintf(text.block, TEXT_SIZE, "memory%lu", kmem_block_number(failure->block));
	if (failure->pfn != KMEM_NO_PFN)
		snprintf(text.pfn, TEXT_SIZE, "%#lx", failure->pfn);
	if (failure->rollback == KMEM_ROLLBACK_COMPLETE)
		strscpy(text.rollback, "complete", TEXT_SIZE);
	if (failure->rollback == KMEM_ROLLBACK_INCOMPLETE)
		snprintf(text.rollback, TEXT_SIZE, "incomplete: %u of %u blocks are %s",
			 failure->lost, failure->blocks,
			 failure->operation == KMEM_UNPLUG ? "not online" : "still there");
	return text;
}

static enum kmem_state current_state(struct kmem_memory *memory)
{
	enum kmem_state state;

	down_read(&memory->view);
	state = kmem_memory_state(memory);
	up_read(&memory->view);
	return state;
}

static void send_uevent(struct kmem_memory *memory, const struct kmem_failure *failure,
			const struct failure_text *text)
{
	static const char *const names[] = { "STATE", "RESULT", "ERRNO",   "BLOCK",
					     "PFN",   "CLASS",	"ROLLBACK" };
	const char *values[ARRAY_SIZE(names)];
	char *environment[ARRAY_SIZE(names) + 1] = {};
	unsigned int i, count = failure->error ? ARRAY_SIZE(names) : 2;
	char error[TEXT_SIZE];

	snprintf(error, sizeof(error), "%d", failure->error);
	values[0] = kmem_state_names[current_state(memory)];
	values[1] = result_names[failure->operation][failure->error != 0];
	values[2] = error;
	values[3] = text->block;
	values[4] = text->pfn;
	values[5] = kmem_class_names[failure->class];
	values[6] = text->rollback;
	for (i = 0; i < count; i++) {
		environment[i] = kasprintf(GFP_KERNEL, "DAX_KMEM_%s=%s", names[i], values[i]);
		if (!environment[i])
			break;
	}
	if (i == count)
		kobject_uevent_env(&memory->dev->kobj, KOBJ_CHANGE, environment);
	while (i-- > 0)
		kfree(environment[i]);
}

/**
 * kmem_report() - tell how an operation went
 * @memory: the caller holds its lock
 * @failure: how; its error is 0 if it succeeded
 */
void kmem_report(struct kmem_memory *memory, const struct kmem_failure *failure)
{
	struct failure_text text = describe(failure);

	down_write(&memory->view);
	memory->failure = *failure;
	up_write(&memory->view);
	if (failure->error)
		pr_err("%s: %s failed: errno %d, block %s, page %s, %s; rollback: %s\n",
		       memory->name, operation_names[failure->operation], failure->error,
		       text.block, text.pfn, kmem_class_names[failure->class], text.rollback);
	if (memory->dev)
		send_uevent(memory, failure, &text);
}

static ssize_t state_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%s\n", kmem_state_names[current_state(dev_get_drvdata(dev))]);
}

/* The states that can be asked for, by the names of the newest kernels. */
static int parse_state(const char *text)
{
	if (sysfs_streq(text, "unplugged"))
		return KMEM_UNPLUGGED;
	/* The kernel would choose the zone; here that is the one that can be taken back. */
	if (sysfs_streq(text, "online") || sysfs_streq(text, "online_movable"))
		return KMEM_ONLINE_MOVABLE;
	if (sysfs_streq(text, "online_kernel"))
		return KMEM_ONLINE_KERNEL;
	return -EINVAL;
}

static int change_state(struct kmem_memory *memory, enum kmem_state wanted)
{
	enum kmem_state now = current_state(memory);

	if (now == wanted)
		return 0;
	if (wanted == KMEM_UNPLUGGED)
		return kmem_remove(memory);
	if (now != KMEM_UNPLUGGED)
		return -EBUSY;
	if (wanted == KMEM_ONLINE_KERNEL && !READ_ONCE(kmem_online_kernel_zones))
		return -EPERM;
	return kmem_add(memory, wanted);
}

/* The device's own lock is not taken: unbind holds it while it waits for this to end. */
static ssize_t state_store(struct device *dev, struct device_attribute *attribute,
			   const char *buffer, size_t size)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);
	int wanted = parse_state(buffer);
	int r;

	if (wanted < 0)
		return wanted;
	/* Who writes may not know that -EINTR asks to write again. */
	if (mutex_lock_killable(&memory->lock))
		return -ECANCELED;
	r = change_state(memory, wanted);
	mutex_unlock(&memory->lock);
	return r ?: size;
}
static DEVICE_ATTR_RW(state);

static ssize_t progress_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);
	unsigned int online, blocks = kmem_count_blocks(memory);

	down_read(&memory->view);
	online = kmem_count_online(memory);
	up_read(&memory->view);
	return sysfs_emit(buffer, "%u %u\n", blocks - online, blocks);
}
static DEVICE_ATTR_RO(progress);

static ssize_t last_failure_show(struct device *dev, struct device_attribute *attribute,
				 char *buffer)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);
	struct kmem_failure failure;
	struct failure_text text;

	down_read(&memory->view);
	failure = memory->failure;
	up_read(&memory->view);
	if (!failure.error)
		return sysfs_emit(buffer, "none\n");
	text = describe(&failure);
	return sysfs_emit(buffer,
			  "operation=%s\nerrno=%d\nblock=%s\npfn=%s\nclass=%s\nrollback=%s\n",
			  operation_names[failure.operation], failure.error, text.block, text.pfn,
			  kmem_class_names[failure.class], text.rollback);
}
static DEVICE_ATTR_RO(last_failure);

/* -EINVAL for anything that is not a number of milliseconds up to an hour. */
int kmem_parse_timeout(const char *text, unsigned int *ret_timeout_ms)
{
	unsigned int timeout_ms;

	if (kstrtouint(text, 10, &timeout_ms) || timeout_ms < 1 || timeout_ms > KMEM_TIMEOUT_MAX_MS)
		return -EINVAL;
	*ret_timeout_ms = timeout_ms;
	return 0;
}

static ssize_t unplug_timeout_ms_show(struct device *dev, struct device_attribute *attribute,
				      char *buffer)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%u\n", READ_ONCE(memory->timeout_ms));
}

/* Of the removals that begin from now on. */
static ssize_t unplug_timeout_ms_store(struct device *dev, struct device_attribute *attribute,
				       const char *buffer, size_t size)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);
	unsigned int timeout_ms;
	int r = kmem_parse_timeout(buffer, &timeout_ms);

	if (r)
		return r;
	WRITE_ONCE(memory->timeout_ms, timeout_ms);
	return size;
}
static DEVICE_ATTR_RW(unplug_timeout_ms);

static struct attribute *kmem_attributes[] = {
	&dev_attr_state.attr,
	&dev_attr_progress.attr,
	&dev_attr_last_failure.attr,
	&dev_attr_unplug_timeout_ms.attr,
	NULL,
};

static const struct attribute_group kmem_group = {
	.attrs = kmem_attributes,
};

const struct attribute_group *kmem_groups[] = {
	&kmem_group,
	NULL,
};
