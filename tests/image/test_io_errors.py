# SPDX-License-Identifier: GPL-2.0-or-later
"""
Blocks that cannot be read or written: the files there are damaged, and all others can be salvaged;
a checkpoint that cannot be written does not change the state and does not look like one.
"""

import errno
import json
import os
import signal
import struct
import subprocess
import time
import unittest

from .support import badblocks, mounts, program, snapshot
from .support.case import ImageCase, beneath
from .support.imagefile import PHASES, ImageFile
from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT, REFUSED

MIB = 1 << 20
BLOCK = 4096
COPY = MIB + BLOCK
WRITING = struct.pack("<Q", PHASES["writing"])


class BadBlocks(ImageCase):
    def setUp(self):
        super().setUp()
        for number in range(6):
            (self.state / f"file{number}").write_bytes(os.urandom(MIB - BLOCK * number))
        (self.state / "small").write_text("small")
        (self.state / "empty").touch()
        self.before = snapshot.take(self.state)
        with open(self.image, "wb") as file:
            file.truncate(16 * MIB)

    def save(self, **bad):
        return program.run("checkpoint", "--in-place", "--replace", "--image", self.image,
                           self.state, environment=self.bad(**bad))

    def bad(self, **bad):
        return badblocks.environment(self.image, **bad) if bad else {}

    def layout(self):
        return ImageFile(self.image.read_bytes())

    def place(self, name):
        return self.layout().files()[str(self.state / name)][0][0]

    def read(self, status, *arguments, **bad):
        return self.expect(status, *arguments, "--image", self.image, environment=self.bad(**bad))

    def restore_bad(self, **bad):
        result = self.read(DAMAGED, "restore", "--into", self.target, **bad)
        self.assertEqual(os.listdir(self.target), [])
        return result

    def expect_committed(self):
        status = self.expect(DONE, "--json", "status", "--image", self.image).json
        self.assertEqual(status["image"]["phase"], "committed")

    def test_files(self):
        """With one bad block nobody would know which of the other files are intact."""
        self.save()
        layout = self.layout()
        bad = [(self.place(name), self.place(name) + BLOCK) for name in ("file1", "file4")]
        expected = {str(self.state / name) for name in ("file1", "file4")}
        self.assertEqual(layout.files_in(*bad), expected)
        for threads in ("1", "8"):
            verify = self.read(DAMAGED, "--json", "verify", "-j", threads, read=bad)
            self.assertEqual(set(json.loads(verify.out)["damaged"]), expected)
            self.assertIn("Input/output error", verify.text)
        text = self.restore_bad(read=bad).text
        self.assertTrue(any(path in text for path in expected), text)
        self.expect_committed()
        # The error has gone, like that of a loose cable.
        self.restore()
        self.assert_restored(self.before)

    def test_a_dead_device(self):
        """Thousands of lines would hide what matters."""
        self.save()
        verify = self.read(DAMAGED, "verify", read=[(self.layout().header("data_offset"),
                                                         self.layout().header("index_offset"))])
        self.assertLess(verify.text.count("cannot"), 12, verify.text)

    def test_what_is_not_files(self):
        """It would be reported as damage, or as no checkpoint, and be overwritten."""
        self.save()
        layout = self.layout()
        index, copy = (layout.header(name) for name in ("index_offset", "index_copy_offset"))
        top = layout.levels()[-1][0]
        for starts, text in (((0,), "header"), ((index, copy), "directories and inodes"),
                             ((top, top - index + copy),
                              "directories and inodes")):
            with self.subTest(text):
                bad = {"read": [(start, start + BLOCK) for start in starts]}
                for arguments in (["verify"], ["list"]):
                    self.assertIn(text, self.read(DAMAGED, *arguments, **bad).text)
                self.assertIn(text, self.restore_bad(**bad).text)
        self.read(REFUSED, "checkpoint", "--in-place", self.state, read=[(0, BLOCK)])
        # Without the copy of the header it may be any file.
        self.read(DAMAGED, "discard", read=[(0, BLOCK), (COPY, COPY + BLOCK)])
        self.expect_committed()
        self.read(DONE, "discard", read=[(0, BLOCK)])

    def test_memory_that_fails_after_its_digest(self):
        """The kernel reads a mapped store in system calls: EFAULT means damage, and half a file
        must not be left behind."""
        self.save()
        target = beneath(self.target / ".pmem-preserve-*" / "root", self.state) / "file3"
        bad = badblocks.environment(target, write=[(0, MIB)], error=errno.EFAULT)
        for options, status, text in (([], DAMAGED, "the checkpoint is damaged"),
                                      (["--salvage"], FAILED, "try again")):
            with self.subTest(options=options):
                result = self.expect(status, "restore", "--image", self.image, "--into",
                                     self.target, *options, environment=bad)
                self.assertIn(text, result.text)
                self.assertEqual(os.listdir(self.target), [])
        self.expect_committed()

    def test_the_mark(self):
        """The state is restored, but the checkpoint cannot be marked: the message must say that it
        would be restored again."""
        self.save()
        result = self.read(FAILED, "restore", "--into", self.target, write=[(0, BLOCK)])
        self.assertIn("write failed at offset 0", result.text)
        self.assertIn("the state is restored, but the checkpoint could not be marked", result.text)
        self.assertIn(f"discard --image {self.image}", result.text)
        self.assert_restored(self.before)
        self.expect_committed()

    def test_writing(self):
        """A checkpoint that was written only partly would be restored at the next boot."""
        self.save()
        header = self.layout().header
        for start in (0, BLOCK, COPY, header("index_copy_offset"), self.place("file3"),
                      header("index_offset"), header("image_bytes") - BLOCK):
            with self.subTest(start=start):
                self.expect_committed()
                result = self.save(write=[(start, start + BLOCK)])
                self.assertEqual(result.status, FAILED, str(result))
                self.assertIn("write failed", result.text)
                self.assert_same(self.before, snapshot.take(self.state), "the state")
                # If even the header could not be written, the old one is intact.
                if start:
                    self.read(NO_CHECKPOINT, "restore", "--into", self.target)
                    self.assertEqual(os.listdir(self.target), [])
                self.assertEqual(self.save().status, DONE)

    def test_flushing(self):
        """What is only in a cache is lost with the power, and the state with it; and a checkpoint
        that was reported as failed would be restored over a newer state."""
        for number in (1, 2, 3):
            with self.subTest(number=number):
                result = self.save(flush=number)
                self.assertEqual(result.status, FAILED, str(result))
                self.assertIn("flush failed", result.text)
                self.read(NO_CHECKPOINT, "restore", "--into", self.target)
                self.assertEqual(self.save(flush=4).status, DONE)


class EndOfADevice(ImageCase):
    """The kernel's own errors: a loop device that is larger than its file."""

    def test_end(self):
        """The namespace has lost its end, with the index: its copy names the files."""
        backing = self.box / "backing"
        self.image = mounts.loop_device(self, backing, 16 * MIB)
        for number in range(4):
            (self.state / f"file{number}").write_bytes(os.urandom(MIB))
        self.checkpoint()
        with open(self.image, "rb") as device:
            layout = ImageFile(device.read(8 * MIB))
        with open(backing, "r+b") as file:
            file.truncate(layout.header("index_offset") - BLOCK)
        subprocess.run(["blockdev", "--flushbufs", self.image], check=True)
        lost = layout.files_in((layout.header("index_offset") - BLOCK, layout.header("index_offset")))
        self.assertEqual(len(lost), 1)
        verify = self.expect(DAMAGED, "--json", "verify", "--image", self.image).json
        self.assertEqual(verify["damaged"], sorted(lost))
        self.assertIn("index", [part["what"] for part in verify["ranges"]])
        self.expect(DONE, "list", "--image", self.image)
        self.restore(status=DAMAGED)
        self.assertEqual(os.listdir(self.target), [])
        self.restore("--salvage", status=DAMAGED)
        self.assertEqual(len(os.listdir(beneath(self.target, self.state))), 3)


def is_stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "T"


class ShorterMapping(ImageCase):
    """The same for memory that is mapped: an access beyond the end is a signal there."""

    SIZE = 64 * MIB
    TRIES = 10

    def is_being_written(self):
        with open(self.image, "rb") as file:
            return file.read(24)[16:] == WRITING

    def caught(self):
        """Truncates the file while the program writes into it; None if that was too late."""
        with open(self.image, "wb") as file:
            file.truncate(self.SIZE)
        process = program.start("checkpoint", "--in-place", "--replace", "--image", self.image,
                                "-j", "1", self.state)
        deadline = time.monotonic() + 30
        while process.poll() is None and not self.is_being_written():
            self.assertLess(time.monotonic(), deadline, "it does not begin to write")
        process.send_signal(signal.SIGSTOP)
        while process.poll() is None and not is_stopped(process.pid):
            self.assertLess(time.monotonic(), deadline, "it does not stop")
        in_the_middle = self.is_being_written()
        os.truncate(self.image, 2 * MIB)
        process.send_signal(signal.SIGCONT)
        result = program.finish(process)
        return result if in_the_middle else None

    def test_it_is_cut_short(self):
        """SIGBUS would kill the program without a message, and leave the memory removed."""
        memory = self.box / "memory"
        memory.mkdir()
        mounts.mount_tmpfs(self, memory, "128m,huge=always")
        self.image = memory / "image"
        (self.state / "large").write_bytes(os.urandom(40 * MIB))
        for _ in range(self.TRIES):
            result = self.caught()
            if result:
                break
        else:
            raise unittest.SkipTest("it was always faster than this test")
        self.assertEqual(result.status, FAILED, str(result))
        self.assertIn("it was truncated", result.text)
        self.assertIn(program.run("restore", "--image", self.image, "--into",
                                  self.target).status, (DAMAGED, NO_CHECKPOINT))
        self.assertEqual(os.listdir(self.target), [])
