// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints that kmem-trace.h declares. */
#define CREATE_TRACE_POINTS
#include "kmem-trace.h"
