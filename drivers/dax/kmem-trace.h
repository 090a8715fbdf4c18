/* SPDX-License-Identifier: GPL-2.0-only */
/* clang-format off */
/* Tracepoints of hot-remove: its progress, and the time that each block takes. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dax_kmem

#if !defined(KMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KMEM_TRACE_H

#include <linux/tracepoint.h>
#include <linux/version.h>

/* Since 6.10 __assign_str() takes the source from __string(). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define kmem_assign_name() __assign_str(name)
#else
#define kmem_assign_name() __assign_str(name, name)
#endif

TRACE_EVENT(kmem_unplug_begin,
	TP_PROTO(const char *name, unsigned int blocks, unsigned int timeout_ms),
	TP_ARGS(name, blocks, timeout_ms),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned int, blocks)
		__field(unsigned int, timeout_ms)
	),
	TP_fast_assign(
		kmem_assign_name();
		__entry->blocks = blocks;
		__entry->timeout_ms = timeout_ms;
	),
	TP_printk("%s blocks=%u timeout_ms=%u", __get_str(name), __entry->blocks,
		  __entry->timeout_ms)
);

TRACE_EVENT(kmem_block,
	TP_PROTO(const char *name, unsigned long block, unsigned long used, int error,
		 unsigned long long us),
	TP_ARGS(name, block, used, error, us),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, block)
		__field(unsigned long, used)
		__field(int, error)
		__field(unsigned long long, us)
	),
	TP_fast_assign(
		kmem_assign_name();
		__entry->block = block;
		__entry->used = used;
		__entry->error = error;
		__entry->us = us;
	),
	TP_printk("%s memory%lu used_pages=%lu error=%d us=%llu", __get_str(name), __entry->block,
		  __entry->used, __entry->error, __entry->us)
);

TRACE_EVENT(kmem_rollback,
	TP_PROTO(const char *name, unsigned long block, int error),
	TP_ARGS(name, block, error),
	TP_STRUCT__entry(
		__string(name, name)
		__field(unsigned long, block)
		__field(int, error)
	),
	TP_fast_assign(
		kmem_assign_name();
		__entry->block = block;
		__entry->error = error;
	),
	TP_printk("%s memory%lu error=%d", __get_str(name), __entry->block, __entry->error)
);

TRACE_EVENT(kmem_unplug_end,
	TP_PROTO(const char *name, int error, unsigned int lost),
	TP_ARGS(name, error, lost),
	TP_STRUCT__entry(
		__string(name, name)
		__field(int, error)
		__field(unsigned int, lost)
	),
	TP_fast_assign(
		kmem_assign_name();
		__entry->error = error;
		__entry->lost = lost;
	),
	TP_printk("%s error=%d blocks_not_restored=%u", __get_str(name), __entry->error,
		  __entry->lost)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE kmem-trace
#include <trace/define_trace.h>
