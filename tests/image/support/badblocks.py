# SPDX-License-Identifier: GPL-2.0-or-later
"""Simulates bad blocks for the program under test (bad-blocks.c), without privileges."""

from . import compiler


def _ranges(ranges):
    return ",".join("%d-%d" % tuple(each) for each in ranges)


def environment(path, read=(), write=(), flush=0, error=0):
    """
    What to run the program with, so that the file or device at @path has [(start, end)] that
    cannot be read, or written, or cannot be flushed from the Nth time on; with EIO or @error.
    """
    out = {"LD_PRELOAD": str(compiler.build("bad-blocks.c", "-shared", "-fPIC", "-ldl")),
           "BAD_FILE": str(path)}
    if read:
        out["BAD_READ"] = _ranges(read)
    if write:
        out["BAD_WRITE"] = _ranges(write)
    if flush:
        out["BAD_FLUSH"] = str(flush)
    if error:
        out["BAD_ERROR"] = str(error)
    return out
