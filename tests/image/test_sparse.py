# SPDX-License-Identifier: GPL-2.0-or-later
"""Holes: sparse files stay sparse, in the image and after the restore."""

import os
import unittest

from .support import judges, snapshot
from .support.case import ImageCase, beneath

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40


class Sparse(ImageCase):
    needs = ("1 TiB sparse files",)

    def make(self, name, size, *pieces):
        """A file of @size with data at (offset, length) and nothing else."""
        with open(self.state / name, "wb") as file:
            for number, (offset, length) in enumerate(pieces):
                file.seek(offset)
                file.write(bytes([number % 251 + 1]) * length)
            file.truncate(size)
        return self.state / name

    def round_trip_sparse(self, image_limit, mount=True):
        # rsync, and EROFS in some kernels, do not skip holes: too slow for the largest files.
        self.round_trip(mount=mount, rsync=mount)
        self.assertLess(self.image.stat().st_size, image_limit, "the image holds the holes")
        for path in self.state.iterdir():
            allowed = path.stat().st_blocks * 512 + 64 * KIB
            used = self.restored(path).stat().st_blocks * 512
            self.assertLessEqual(used, allowed, "%s came back with its holes filled" % path.name)

    def judge_pieces(self, path, offsets):
        """Compares a file with the mounted image at some offsets only."""
        self.assertEqual(judges.fsck(self.image), "")
        with judges.mounted(self.image) as mount:
            if not mount:
                return
            with open(path, "rb") as source, open(beneath(mount, path), "rb") as image:
                self.assertEqual(os.fstat(image.fileno()).st_size, path.stat().st_size)
                for offset in offsets:
                    self.assertEqual(os.pread(image.fileno(), 32 * KIB, offset),
                                     os.pread(source.fileno(), 32 * KIB, offset), offset)

    def test_a_terabyte_with_three_blocks(self):
        """A database's preallocated file, or lastlog with large uids, would never fit."""
        path = self.make("huge", TIB, (0, 4096), (500 * GIB + 12345, 100), (TIB - 4096, 4096))
        self.round_trip_sparse(14 * MIB, mount=False)
        self.judge_pieces(path, (0, 500 * GIB, 500 * GIB + 8192, 700 * GIB, TIB - 8192))

    def test_shapes(self):
        """Some layout of holes (a VM's disk, a core dump) would come back with other content."""
        self.make("all hole", 3 * MIB)
        self.make("all hole and odd", 1234567)
        self.make("one byte of hole", 1)
        self.make("hole at the end", 5 * MIB, (0, 70000))
        self.make("hole at the start", 5 * MIB + 1, (5 * MIB - 8191, 8192))
        self.make("last byte only", 7 * MIB + 3, (7 * MIB + 2, 1))
        self.make("every second block", 2 * MIB, *((n * 8 * KIB, 4 * KIB) for n in range(256)))
        self.make("odd offsets", 9 * MIB + 77, (5001, 3), (1 * MIB - 1, 2), (3 * MIB + 4095, 4099),
                  (9 * MIB + 70, 7))
        self.make("wide", 100 * MIB, *((n * 25 * MIB, 64 * KIB) for n in range(4)))
        self.round_trip_sparse(16 * MIB)

    def test_written_zeroes(self):
        """Zeroes that were written (and not punched) would come back as something else."""
        (self.state / "zeroes").write_bytes(bytes(3 * MIB))
        (self.state / "mixed").write_bytes(bytes(MIB) + b"x" * 5000 + bytes(MIB))
        self.make("hole and zeroes", 8 * MIB, (MIB, 4096))
        with open(self.state / "hole and zeroes", "r+b") as file:
            file.seek(4 * MIB)
            file.write(bytes(MIB))
        self.round_trip()

    def test_beyond_four_gigabytes(self):
        """Data beyond 4 GiB would come back at another offset."""
        path = self.make("large", 6 * GIB + 5, (4 * GIB - 2 * MIB, 2 * MIB), (4 * GIB, 2 * MIB),
                         (6 * GIB, 5))
        self.round_trip_sparse(64 * MIB, mount=False)
        self.judge_pieces(path, (0, 4 * GIB - 2 * MIB, 4 * GIB - 4096, 4 * GIB + MIB, 6 * GIB))

    def test_largest_file(self):
        """A file of the maximum size would overflow a sum."""
        path = self.make("largest", 0)
        size = (1 << 63) - 1
        while True:
            try:
                os.truncate(path, size)
                break
            except OSError:
                size >>= 1
        before = path.stat()
        self.checkpoint()
        self.assertLess(self.image.stat().st_size, 16 * MIB)
        self.restore()
        after = self.restored(path).stat()
        self.assertEqual((after.st_size, after.st_blocks), (before.st_size, before.st_blocks))

    def test_hard_link_to_sparse(self):
        """The second name of a sparse file would be a file without its data."""
        path = self.make("first", 10 * MIB, (MIB, 5000), (8 * MIB, 1))
        os.link(path, self.state / "zz second")
        self.round_trip_sparse(3 * MIB)
        self.assertLess(snapshot.data_bytes(self.restored(path)), MIB)

    @unittest.skipUnless(os.environ.get("PMEM_PRESERVE_TEST_LARGE"),
                         "needs 15 GiB; set PMEM_PRESERVE_TEST_LARGE=1")
    def test_dense_beyond_four_gigabytes(self):
        """A run of data of more than 4 GiB would be cut short."""
        piece = os.urandom(64 * MIB - 1)
        with open(self.state / "dense", "wb") as file:
            for number in range(72):
                file.write(b"%c" % number + piece)
        self.round_trip(rsync=False)
