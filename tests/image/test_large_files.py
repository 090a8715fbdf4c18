# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that begin at a huge page of the image: their neighbours must not change."""

import os

from .support.case import ImageCase, beneath
from .support.imagefile import BLOCK, INODE, ImageFile
from .support.program import DAMAGED

MIB = 1 << 20
HUGE_PAGE = 2 * MIB


class LargeFiles(ImageCase):
    def setUp(self):
        super().setUp()
        self.sizes = {"a": 5000, "b": 64 * MIB, "c": 1, "d": 64 * MIB - 1, "e": 65 * MIB + 4097,
                      "f": 300_000}
        data = os.urandom(66 * MIB)
        for number, (name, size) in enumerate(self.sizes.items()):
            (self.state / name).write_bytes(data[number:number + size])

    def places(self):
        """{name: (first byte in the image, size)}"""
        image = ImageFile(self.image.read_bytes())
        found = {}
        for name, size in self.sizes.items():
            inode, _, _ = image.find(os.fsencode(self.state / name))
            found[name] = image.get(inode, INODE, "data") * BLOCK, size
        return found

    def test_round_trip(self):
        """The end of one file would be the start of the next one."""
        self.round_trip(options=("--threads", "3"))

    def test_places(self):
        """A restore with small pages takes twice as long; the format defines where they begin."""
        self.checkpoint()
        for name, (place, size) in self.places().items():
            if size >= 64 * MIB:
                self.assertEqual(place % HUGE_PAGE, 0, name)
        self.assertLess(self.image.stat().st_size, sum(self.sizes.values()) * 1.04)

    def test_damage(self):
        """Of the two MiB that are restored together, the second one could go unchecked."""
        self.checkpoint()
        place, size = self.places()["b"]
        for at in (place, place + MIB - 1, place + MIB, place + size - 1):
            with self.subTest(at - place):
                self.flip(at)
                result = self.restore(status=DAMAGED)
                self.assertIn(str(self.state / "b"), result.text)
                self.assertFalse(beneath(self.target, self.state).exists())
                self.flip(at)
        self.restore()

    def flip(self, at):
        with open(self.image, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))
