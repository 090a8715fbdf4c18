# SPDX-License-Identifier: GPL-2.0-or-later
"""A test case whose checkpoints are authenticated: with a key file, and a counter of its own."""

import os
import struct

from . import program
from .case import ImageCase
from .imagefile import HEADER, PHASES


class KeyedCase(ImageCase):
    def setUp(self):
        super().setUp()
        self.key = self.make_key("key")
        self.counter = self.box / "counter"
        self.config = self.box / "config"
        self.configure()

    def make_key(self, name, secret=None, mode=0o600):
        return write_key(self.box / name, secret, mode)

    def configure(self, *lines, key=None):
        self.config.write_text("\n".join([f"key-file = {key or self.key}",
                                          f"counter-file = {self.counter}", *lines, ""]))

    def expect(self, status, *arguments, **options):
        """A --config in @arguments overrides ours."""
        return super().expect(status, "--config", self.config, *arguments, **options)

    def expect_plain(self, status, *arguments, **options):
        """Without the configured key."""
        return super().expect(status, *arguments, **options)

    def counted(self):
        return int(self.counter.read_text()) if self.counter.exists() else 0

    def generation(self):
        return self.expect(program.DONE, "--json", "status", "--image",
                           self.image).json["image"]["generation"]


def write_key(path, secret=None, mode=0o600):
    """A key file at @path, of random bytes by default. Returns @path."""
    path.write_bytes(secret or os.urandom(32))
    path.chmod(mode)
    return path


def set_phase(path, name):
    """Changes the word in the header, as anyone can who may write to the device."""
    with open(path, "r+b") as file:
        os.pwrite(file.fileno(), struct.pack("<Q", PHASES[name]), HEADER["phase"][0])
        os.fsync(file.fileno())
