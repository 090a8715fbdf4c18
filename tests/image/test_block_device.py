# SPDX-License-Identifier: GPL-2.0-or-later
"""Images on a block device, like /dev/pmem0: O_DIRECT, in place, of fixed size."""

import fcntl
import os
import re
import shutil
import subprocess
import time
import unittest

from .support import mounts, program, snapshot
from .support.case import ImageCase
from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT, NO_FIT, REFUSED

MIB = 1 << 20


def waits_for_lock(pid):
    """Whether it polls for the lock of a device that it has opened for writing."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        switches = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])
    return switches > 20


class BlockDevice(ImageCase):
    def setUp(self):
        super().setUp()
        self.backing = self.box / "backing"
        self.image = mounts.loop_device(self, self.backing, 16 * MIB)
        (self.state / "sub").mkdir()
        (self.state / "sub" / "large").write_bytes(os.urandom(5 * MIB + 12345))
        for number in range(300):
            (self.state / ("small-%d" % number)).write_bytes(b"%d" % number * number)
        self.before = snapshot.take(self.state)

    def test_round_trip(self):
        """State on persistent memory would not come back, although files work."""
        self.checkpoint()
        self.judge_image(self.state, self.before)
        self.expect(DONE, "verify", "--image", self.image)
        self.restore()
        self.assert_restored(self.before)
        self.checkpoint(status=DONE)
        self.assertEqual(self.expect(DONE, "--json", "status", "--image", self.image)
                         .json["image"]["generation"], 2)

    def test_what_libnvdimm_looks_at(self):
        """A stale info block at 4 KiB would change the type of the namespace at the next boot."""
        subprocess.run(["dd", "if=/dev/urandom", "of=" + self.image, "bs=64K", "count=1",
                        "conv=fsync", "status=none"], check=True)
        self.checkpoint()
        with open(self.image, "rb") as device:
            info = os.pread(device.fileno(), 16, 4096)
        self.assertEqual(info, bytes(16))

    def test_udev_is_looking_at_it(self):
        """udev locks a device that has just appeared: some boots would fail."""
        with open(self.image, "rb") as device:
            fcntl.flock(device, fcntl.LOCK_SH)
            process = program.start("checkpoint", "--image", self.image, self.state)
            deadline = time.monotonic() + program.DEADLINE
            while not waits_for_lock(process.pid) and process.poll() is None:
                self.assertLess(time.monotonic(), deadline, "it does not wait for the lock")
        self.assertEqual(program.finish(process).status, DONE)

    def test_it_does_not_fit(self):
        """The device would be written, and the older checkpoint be lost, in vain."""
        (self.state / "sub" / "large").write_bytes(b"fits")
        self.checkpoint()
        (self.state / "sub" / "large").write_bytes(os.urandom(16 * MIB))
        before = self.backing.read_bytes()
        result = self.checkpoint(options=("--replace",), status=NO_FIT)
        sizes = [int(text) for text in re.findall(r"\((\d+) bytes\)", result.text)]
        self.assertEqual(len(sizes), 2, str(result))
        self.assertEqual(sizes[1], 16 * MIB)
        subprocess.run(["sync", self.image], check=True)
        self.assertEqual(self.backing.read_bytes(), before)

    def test_unrestored(self):
        """The only copy of the state would be overwritten."""
        self.checkpoint()
        self.checkpoint(status=REFUSED)
        self.checkpoint(options=("--replace",))
        self.restore("--keep")
        self.assert_restored(self.before)
        self.expect(DONE, "discard", "--image", self.image)
        self.expect(NO_CHECKPOINT, "list", "--image", self.image)
        self.checkpoint()

    @unittest.skipUnless(shutil.which("mkfs.ext4"), "mkfs.ext4 is not installed")
    def test_a_file_system_is_there(self):
        """--image /dev/sda instead of /dev/pmem0 would destroy the system disk."""
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        result = self.checkpoint(status=REFUSED)
        self.assertIn("ext4", result.text)
        self.expect(NO_CHECKPOINT, "discard", "--image", self.image)
        subprocess.run(["fsck.ext4", "-fn", self.image], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    @unittest.skipUnless(shutil.which("mkfs.ext4"), "mkfs.ext4 is not installed")
    def test_a_mounted_device(self):
        """Writing below a mounted file system destroys it, --replace or not."""
        mounts.need_mounts()
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        place = self.box / "mounted"
        place.mkdir()
        subprocess.run(["mount", self.image, place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=False)
        (place / "file").write_text("precious")
        self.assertIn("in use", self.checkpoint(options=("--replace",), status=FAILED).text)
        self.assertEqual((place / "file").read_text(), "precious")

    def test_an_image_of_another_device(self):
        """A copy on a larger device (dd, a resized namespace) must not pass for the original."""
        self.checkpoint()
        other = mounts.loop_device(self, self.box / "larger", 20 * MIB)
        subprocess.run(["dd", "if=" + self.image, "of=" + other, "bs=1M", "conv=fsync",
                        "status=none"], check=True)
        self.expect(NO_CHECKPOINT, "restore", "--image", other, "--into", self.target)
        self.expect(REFUSED, "checkpoint", "--image", other, self.state)
        self.restore()

    def test_damage(self):
        """A flipped bit in memory would be restored into a file."""
        self.checkpoint()
        with open(self.image, "r+b") as device:
            byte = os.pread(device.fileno(), 1, 3 * MIB)
            os.pwrite(device.fileno(), bytes([byte[0] ^ 16]), 3 * MIB)
            os.fsync(device.fileno())
        self.restore(status=DAMAGED)
        self.expect(DAMAGED, "verify", "--image", self.image)
