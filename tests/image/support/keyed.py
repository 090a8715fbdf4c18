# SPDX-License-Identifier: GPL-2.0-or-later
"""A test case whose checkpoints are authenticated: with a key file, and a counter of its own."""

import os
import struct

from . import program
from .case import ImageCase
from .imagefile import HEADER

PHASES = {"writing": 0x5752495449e74e47, "committed": 0xa4d3b2ab961ab1b8,
          "restored": 0x3c5a6996c3a5c33c}


class KeyedCase(ImageCase):
    def setUp(self):
        super().setUp()
        self.key = self.make_key("key")
        self.counter = self.box / "counter"
        self.config = self.box / "config"
        self.configure()

    def make_key(self, name, secret=None, mode=0o600):
        path = self.box / name
        path.write_bytes(secret or os.urandom(32))
        path.chmod(mode)
        return path

    def configure(self, *lines, key=None):
        self.config.write_text("\n".join([f"key-file = {key or self.key}",
                                          f"counter-file = {self.counter}", *lines, ""]))

    def expect(self, status, *arguments, **options):
        """The last --config counts."""
        return super().expect(status, "--config", self.config, *arguments, **options)

    def expect_plain(self, status, *arguments, **options):
        """Where no key is configured."""
        return super().expect(status, *arguments, **options)

    def counted(self):
        return int(self.counter.read_text()) if self.counter.exists() else 0

    def generation(self):
        return self.expect(program.DONE, "--json", "status", "--image",
                           self.image).json["image"]["generation"]


def set_phase(path, name):
    """One word, as whoever may write the device can do it."""
    with open(path, "r+b") as file:
        os.pwrite(file.fileno(), struct.pack("<Q", PHASES[name]), HEADER["phase"][0])
        os.fsync(file.fileno())
