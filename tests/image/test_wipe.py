# SPDX-License-Identifier: GPL-2.0-or-later
"""--wipe: no bytes of the state stay where others might read them later."""

import os

from .support import mounts
from .support.case import ImageCase
from .support.keyed import set_phase
from .support.program import DONE, NO_CHECKPOINT

MIB = 1 << 20
MARK = b"a secret of the state, "


class Wipe(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "secret").write_bytes(MARK * 100000)
        os.setxattr(self.state / "secret", "user.secret", MARK)
        (self.state / "link").symlink_to(MARK.decode())

    def test_a_file(self):
        """The content of the blocks is visible through another link to the file."""
        self.checkpoint()
        os.link(self.image, self.box / "same")
        size = os.stat(self.image).st_size
        self.expect(DONE, "discard", "--wipe", "--image", self.image)
        self.assertFalse(self.image.exists())
        self.assertEqual((self.box / "same").read_bytes(), bytes(size))

    def test_without_it(self):
        """If the bytes were erased anyhow, the other tests would test nothing."""
        self.checkpoint()
        os.link(self.image, self.box / "same")
        self.expect(DONE, "discard", "--image", self.image)
        self.assertIn(MARK, (self.box / "same").read_bytes())

    def test_a_device(self):
        """All of the image, and nothing behind it."""
        device = mounts.loop_device(self, self.box / "backing", 16 * MIB)
        with open(device, "r+b") as file:
            file.seek(15 * MIB)
            file.write(b"behind it" * 1000)
        self.image = device
        self.checkpoint()
        self.expect(DONE, "discard", "--wipe", "--image", device)
        with open(device, "rb") as file:
            data = file.read()
        self.assertEqual(data[:15 * MIB], bytes(15 * MIB))
        self.assertEqual(data[15 * MIB:15 * MIB + 9000], b"behind it" * 1000)
        self.expect(NO_CHECKPOINT, "discard", "--wipe", "--image", device)

    def test_a_damaged_header(self):
        """The size is not known any more: all of the device is erased."""
        device = mounts.loop_device(self, self.box / "backing", 16 * MIB)
        self.image = device
        self.checkpoint()
        with open(device, "r+b") as file:
            os.pwrite(file.fileno(), b"\xff", 64)
            os.fsync(file.fileno())
        self.expect(DONE, "discard", "--wipe", "--image", device)
        with open(device, "rb") as file:
            self.assertEqual(file.read(), bytes(16 * MIB))

    def test_configured(self):
        config = self.box / "config"
        config.write_text("wipe = yes\n")
        self.checkpoint()
        os.link(self.image, self.box / "same")
        self.expect(DONE, "--config", config, "discard", "--image", self.image)
        self.assertNotIn(MARK, (self.box / "same").read_bytes())

    def test_half_way(self):
        """Killed in the middle: nothing looks like a checkpoint, and the wipe can be finished."""
        device = mounts.loop_device(self, self.box / "backing", 16 * MIB)
        self.image = device
        self.checkpoint()
        set_phase(device, "writing")
        with open(device, "r+b") as file:
            os.pwrite(file.fileno(), bytes(MIB), 4096)
            os.fsync(file.fileno())
        self.restore(status=NO_CHECKPOINT)
        self.expect(DONE, "discard", "--wipe", "--image", device)
        with open(device, "rb") as file:
            self.assertEqual(file.read(), bytes(16 * MIB))
