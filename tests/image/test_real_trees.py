# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that were not made for a test."""

import os
import pathlib
import sysconfig
import unittest

from .support import program
from .support.case import ImageCase

MOST_FILES, MOST_BYTES = 2500, 48 << 20


def weigh(directory):
    files = size = 0
    for top, directories, names in os.walk(directory):
        files += len(directories) + len(names)
        size += sum(os.lstat(os.path.join(top, name)).st_size for name in names)
        if files > MOST_FILES or size > MOST_BYTES:
            break
    return files, size


def part_of(*places):
    """The largest directory at or below these places that is not too large for a fast test."""
    best = (0, None)
    for place in places:
        place = pathlib.Path(place)
        if not place.is_dir():
            continue
        for directory in [place] + sorted(path for path in place.iterdir()
                                          if path.is_dir() and not path.is_symlink()):
            files, size = weigh(directory)
            if files <= MOST_FILES and size <= MOST_BYTES:
                best = max(best, (files, str(directory)))
    if not best[1]:
        raise unittest.SkipTest("nothing of a suitable size in " + " ".join(map(str, places)))
    return pathlib.Path(best[1])


class RealTrees(ImageCase):
    """Something that ordinary systems have, and that our own trees lack, would be lost."""

    needs_root = True  # the files belong to root
    needs = ("user xattrs",)

    def test_usr_share(self):
        """Thousands of small files, symlinks and hard links, as in /usr/share."""
        self.round_trip(part_of("/usr/share"))

    def test_python(self):
        """A Python installation."""
        self.round_trip(part_of(sysconfig.get_path("stdlib")))

    def test_this_source(self):
        """The sources of this program."""
        self.round_trip(program.REPOSITORY / "tools")

    def test_etc(self):
        """/etc, with its owners, modes and links."""
        self.round_trip(pathlib.Path("/etc"))
