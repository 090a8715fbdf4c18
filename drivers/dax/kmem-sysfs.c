// SPDX-License-Identifier: GPL-2.0-only
/* The attributes of the device. Documentation/dax-hotremove.rst describes them. */
#include "kmem.h"

#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/sysfs.h>

static ssize_t state_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%s\n", kmem_state_names[kmem_memory_state(memory)]);
}

/* The states that can be requested, by the names that the kmem of 7.3 has for them. */
static int parse_state(const char *text)
{
	if (sysfs_streq(text, "unplugged"))
		return KMEM_UNPLUGGED;
	/* The kernel would choose a zone; only ZONE_MOVABLE can be removed again. */
	if (sysfs_streq(text, "online") || sysfs_streq(text, "online_movable"))
		return KMEM_ONLINE_MOVABLE;
	if (sysfs_streq(text, "online_kernel"))
		return KMEM_ONLINE_KERNEL;
	return -EINVAL;
}

static int change_state(struct kmem_memory *memory, enum kmem_state wanted)
{
	enum kmem_state now;
	int r = wanted == KMEM_UNPLUGGED ? 0 : kmem_finish_rollback(memory);

	if (r)
		return r;
	now = kmem_memory_state(memory);
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

/* Must not take the device lock: unbind holds it while it waits for this function to return. */
static ssize_t state_store(struct device *dev, struct device_attribute *attribute,
			   const char *buffer, size_t size)
{
	struct kmem_memory *memory = dev_get_drvdata(dev);
	int wanted = parse_state(buffer);
	int r;

	if (wanted < 0)
		return wanted;
	/* Not -EINTR: a shell would write again. */
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
	unsigned int blocks = kmem_count_blocks(memory);

	return sysfs_emit(buffer, "%u %u\n", blocks - kmem_count_online(memory), blocks);
}
static DEVICE_ATTR_RO(progress);

static ssize_t last_failure_show(struct device *dev, struct device_attribute *attribute,
				 char *buffer)
{
	return kmem_emit_failure(dev_get_drvdata(dev), buffer);
}
static DEVICE_ATTR_RO(last_failure);

/* -EINVAL for anything but a number of milliseconds from 1 to an hour. */
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

/* Applies to removals that begin later. */
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
