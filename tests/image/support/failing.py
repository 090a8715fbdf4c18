# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the program with failing.c: out of memory, out of threads, the wrong time.

Not with the sanitizers, which bring an allocator of their own: the program as users have it.
"""

import os
import unittest

from . import compiler, program

PLAIN = program.REPOSITORY / "build" / "pmem-preserve"


def library():
    return str(compiler.build("failing.c", "-fPIC", "-shared", "-fno-builtin"))


def plain():
    if not os.access(PLAIN, os.X_OK):
        raise unittest.SkipTest("build/pmem-preserve is not built")
    return PLAIN


def run(environment, *arguments, **options):
    return program.finish(program.start_words(
        [plain(), "--config", "/dev/null", *arguments],
        {"LD_PRELOAD": library(), **environment}, **options))
