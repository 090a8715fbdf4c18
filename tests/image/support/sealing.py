# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds and calls reseal.c."""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from .program import REPOSITORY

HERE = pathlib.Path(__file__).resolve().parents[1]
BATCH = 200


@functools.lru_cache(None)
def _program():
    compiler = os.environ.get("CC") or shutil.which("cc")
    if not compiler:
        raise unittest.SkipTest("there is no C compiler to build reseal.c with")
    directory = tempfile.TemporaryDirectory(prefix="pmem-preserve-reseal-")
    path = pathlib.Path(directory.name) / "reseal"
    done = subprocess.run([*compiler.split(), "-O1", "-D_GNU_SOURCE", "-o", path,
                           "-I", REPOSITORY / "tools" / "pmem-preserve", HERE / "reseal.c",
                           "-lxxhash"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError("reseal.c does not build:\n" + done.stdout.decode())
    return path, directory


def reseal(level, paths):
    """Makes the digests of these images right again: "all", "table", "header" or "none"."""
    if level == "none":
        return
    for first in range(0, len(paths), BATCH):
        subprocess.run([_program()[0], level, *paths[first:first + BATCH]], check=True)
