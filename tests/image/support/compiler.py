# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the small C programs that tests use."""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from .program import REPOSITORY

HERE = pathlib.Path(__file__).resolve().parents[1]


@functools.lru_cache(None)
def _build(source, arguments):
    compiler = os.environ.get("CC") or shutil.which("cc")
    if not compiler:
        raise unittest.SkipTest("there is no C compiler to build %s with" % source)
    directory = tempfile.TemporaryDirectory(prefix="pmem-preserve-build-")
    path = pathlib.Path(directory.name) / pathlib.Path(source).stem
    done = subprocess.run([*compiler.split(), "-O1", "-D_GNU_SOURCE", "-o", path,
                           "-I", REPOSITORY / "tools" / "pmem-preserve", HERE / source,
                           *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError("%s does not build:\n%s" % (source, done.stdout.decode()))
    return path, directory


def build(source, *arguments):
    """Compiles tests/image/@source; returns a path that exists until the tests end."""
    return _build(source, arguments)[0]
