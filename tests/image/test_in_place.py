# SPDX-License-Identifier: GPL-2.0-or-later
"""--in-place: a file that is used like a device. The image must fit into it."""

import os

from .support import mounts
from .support.case import ImageCase
from .support.program import DONE, FAILED, NO_FIT, REFUSED, USAGE

MIB = 1 << 20


class InPlace(ImageCase):
    def setUp(self):
        super().setUp()
        self.memory = self.box / "memory"
        self.memory.mkdir()
        self.image = self.memory / "image"
        for i in range(20):
            (self.state / f"file{i}").write_bytes(os.urandom(300_000 + i))

    def make_file(self, options, size=16 * MIB):
        mounts.mount_tmpfs(self, self.memory, options)
        with open(self.image, "wb") as file:
            file.truncate(size)

    def test_small_pages(self):
        """A new file would be created, and need the memory of a second image."""
        self.make_file("20m")
        number = os.stat(self.image).st_ino
        self.round_trip(options=("--in-place", "--replace"))
        self.round_trip_again()
        self.assertEqual(os.stat(self.image).st_ino, number)
        self.assertEqual(os.stat(self.image).st_size, 16 * MIB)

    def test_huge_pages(self):
        """A mapping could miss the last bytes, or those before the first page."""
        self.make_file("64m,huge=always")
        self.round_trip(options=("--in-place", "--replace"))
        self.round_trip_again()

    def round_trip_again(self):
        """Remains of the previous image must not show up."""
        for path in sorted(self.state.iterdir())[::2]:
            path.unlink()
        self.target = self.box / "again"
        self.target.mkdir()
        self.round_trip(options=("--in-place", "--replace"))

    def test_holes_that_cannot_be_filled(self):
        """The previous checkpoint would be lost, and the new one be incomplete."""
        for options in ("12m", "12m,huge=always"):
            with self.subTest(options):
                self.make_file(options, 10 * MIB)
                self.checkpoint(options=("--in-place", "--replace"))
                with open(self.image, "r+b") as file:
                    file.truncate(32 * MIB)
                result = self.checkpoint(options=("--in-place", "--replace"), status=NO_FIT)
                self.assertIn(str(self.image), result.text)
                self.expect(DONE, "verify", "--image", self.image)

    def test_a_dry_run_fills_no_holes(self):
        """It would use the memory that the user wants to know about."""
        for options in ("64m", "64m,huge=always"):
            with self.subTest(options):
                self.make_file(options)
                before = os.stat(self.image).st_blocks
                self.expect(DONE, "checkpoint", "--in-place", "--replace", "--dry-run", "--image",
                            self.image, self.state)
                self.assertEqual(os.stat(self.image).st_blocks, before)

    def test_too_small(self):
        """The end of the state would be missing."""
        self.make_file("20m,huge=always", 4 * MIB)
        before = self.image.read_bytes()
        self.checkpoint(options=("--in-place", "--replace"), status=NO_FIT)
        self.assertEqual(self.image.read_bytes(), before)

    def test_unrestored(self):
        """In place a mistake could not be undone."""
        self.make_file("20m")
        self.checkpoint(options=("--in-place", "--replace"))
        before = self.image.read_bytes()
        self.checkpoint(options=("--in-place",), status=REFUSED)
        self.assertEqual(self.image.read_bytes(), before)
        self.restore("--keep")

    def test_what_is_no_file(self):
        """A wrong name must not create a file that nobody looks for."""
        result = self.checkpoint(options=("--in-place",), status=FAILED)
        self.assertIn(f"{self.image}: no such file; --in-place needs a file", result.text)
        self.assertFalse(self.image.exists())
        self.expect(USAGE, "checkpoint", "--in-place", "--region", "region0", self.state)
