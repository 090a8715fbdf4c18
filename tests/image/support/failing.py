# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds failing.c, and runs the program with it: out of memory, out of threads, the wrong time.

Not with the sanitizers, which bring an allocator of their own: the program as users have it.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from . import program

HERE = pathlib.Path(__file__).resolve().parents[1]
PLAIN = program.REPOSITORY / "build" / "pmem-preserve"


@functools.lru_cache(None)
def _library():
    compiler = os.environ.get("CC") or shutil.which("cc")
    if not compiler:
        raise unittest.SkipTest("there is no C compiler to build failing.c with")
    if not os.access(PLAIN, os.X_OK):
        raise unittest.SkipTest("build/pmem-preserve is not built")
    directory = tempfile.TemporaryDirectory(prefix="pmem-preserve-failing-")
    path = pathlib.Path(directory.name) / "failing.so"
    done = subprocess.run([*compiler.split(), "-O1", "-fPIC", "-shared", "-D_GNU_SOURCE",
                           "-fno-builtin", "-o", path, HERE / "failing.c"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError("failing.c does not build:\n" + done.stdout.decode())
    return path, directory


def run(environment, *arguments, **options):
    return program.finish(program.start_words(
        [PLAIN, "--config", "/dev/null", *arguments],
        {"LD_PRELOAD": str(_library()[0]), **environment}, **options))
