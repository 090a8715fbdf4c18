# SPDX-License-Identifier: GPL-2.0-or-later
"""What the format is to grow by: feature bits and tables; and what tells that a checkpoint is not whole."""

import os
import struct
import subprocess
import sys

from .support import bases, program, sealing, snapshot
from .support.case import ImageCase
from .support.imagefile import BLOCK, HEADER, INDEX_COPY, ImageFile
from .support.program import DAMAGED, DONE, REFUSED

PEAK = """
import os, sys
pid = os.fork()
if pid == 0:
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


class Features(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "file").write_text("content\n")
        self.before = snapshot.take(self.state)
        self.checkpoint()
        self.whole = self.image.read_bytes()

    def change(self, **header):
        data = bytearray(self.whole)
        for name, value in header.items():
            offset, form = HEADER[name]
            struct.pack_into("<" + form, data, offset, value)
        self.image.write_bytes(data)
        sealing.reseal("header", [self.image])

    def test_compatible(self):
        """A later version could add nothing that an older one may ignore."""
        self.change(feature_compat=0x80000001)
        for command in ("list", "verify", "status"):
            self.expect(DONE, command, "--image", self.image)
        self.restore()
        self.assert_restored(self.before)

    def test_read_only(self):
        """An image that must not be changed would be."""
        self.change(feature_ro_compat=0x40)
        for command in ("list", "verify", "status"):
            self.expect(DONE, command, "--image", self.image)
        result = self.restore(status=REFUSED)
        self.assertIn("0x40", result.text)
        self.assertEqual(os.listdir(self.target), [])
        self.restore("--keep")
        self.assert_restored(self.before)
        self.expect(DONE, "discard", "--image", self.image)

    def test_incompatible(self):
        """The state would come back wrongly."""
        self.change(feature_incompat=0x20)
        for command in (("list",), ("verify",), ("restore", "--salvage", "--into", self.target)):
            self.assertIn("0x20", self.expect(DAMAGED, *command, "--image", self.image).text)
        self.expect(REFUSED, "checkpoint", "--image", self.image, self.state)

    def test_other_versions(self):
        """Whoever updates between checkpoint and restore must be told what to do."""
        for version in (2, 4):
            self.change(version=version)
            result = self.expect(DAMAGED, "restore", "--image", self.image, "--into", self.target)
            self.assertIn("image format %d; this program reads format 3" % version, result.text)
            self.assertIn("the version that wrote it", result.text)
            self.expect(REFUSED, "checkpoint", "--image", self.image, self.state)

    def test_tables(self):
        """A table that this program does not know: skipped, or a reason to refuse."""
        for flags, status in ((0, DONE), (1, DAMAGED)):
            self.image.write_bytes(bases.add_tables(self.whole, {77: (flags, b"what is to come")}))
            sealing.reseal("all", [self.image])
            result = self.expect(status, "list", "--image", self.image)
            self.assertEqual(b"77" in result.err, status == DAMAGED)
            self.expect(status, "verify", "--image", self.image)
            self.restore("--keep", status=status)


class Marks(ImageCase):
    def setUp(self):
        super().setUp()
        _, self.state, self.image = bases.make(self.box / "small", bases.fill_small)
        self.lines = ("changed while it was saved: %s" % (self.state / "second"),
                      "could not be saved: /no/way: Permission denied",
                      "could not be saved: missing: No such file or directory")

    def test_list(self):
        """What is torn, or missing, would be taken for what was saved."""
        result = self.expect(DONE, "list", "--image", self.image)
        for line in self.lines:
            self.assertIn(line, result.text)
        answer = self.expect(DONE, "--json", "list", "--image", self.image).json
        self.assertEqual(answer["marked"], [str(self.state / "second")])
        self.assertEqual(answer["unsaved"],
                         [{"path": "/no/way", "reason": "Permission denied"},
                          {"path": "missing", "reason": "No such file or directory"}])

    def test_the_others_tell(self):
        text = "1 file changed while it was saved, 2 paths could not be saved"
        for command in (("status",), ("verify",), ("restore", "--keep", "--into", self.target)):
            result = self.expect(DONE, *command, "--image", self.image)
            self.assertIn(text, result.out.decode() + result.text, command)
        for command in (("status",), ("verify",)):
            answer = self.expect(DONE, "--json", *command, "--image", self.image).json
            self.assertEqual((answer["image"]["marked"], answer["image"]["unsaved"]), (1, 2))


class Memory(ImageCase):
    """A hostile image that is mostly holes: what it costs follows from what it holds."""

    LIMIT = 64 << 20

    def peak(self, *arguments):
        """(exit status, peak memory in bytes), asked from a small process: a child begins with the
        peak of its parent."""
        done = subprocess.run([sys.executable, "-S", "-c", PEAK, *program.BASE, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        status, kib = done.stdout.split()[-2:]
        return int(status), int(kib) * 1024

    def make(self, inodes):
        """A sparse image with @inodes bytes of inodes, all zero; only digests take room."""
        self.checkpoint(options=("--replace",))
        data = bytearray(self.image.read_bytes()[:BLOCK])
        tables, data_bytes = BLOCK, 12288
        leaves = (data_bytes + inodes + tables) // BLOCK
        digests, count = 0, leaves
        while not digests or count > 1:
            count = (count + 255) // 256
            digests += count * BLOCK
        index = inodes + tables + digests
        start = (INDEX_COPY + index + (2 << 20) - 1) >> 21 << 21
        for name, value in (("data_offset", start), ("index_offset", start + data_bytes),
                            ("index_bytes", index), ("inodes_bytes", inodes),
                            ("tables_bytes", tables), ("digests_bytes", digests),
                            ("image_bytes", start + data_bytes + index)):
            struct.pack_into("<Q", data, HEADER[name][0], value)
        with open(self.image, "wb") as file:
            file.write(data)
            file.truncate(start + data_bytes + index)
        return self.image

    def test_without_digests(self):
        """44 KiB on the disk would take all memory of the machine."""
        for inodes in (1 << 30, 1 << 38):
            image = self.make(inodes)
            self.seal_header(image)
            self.assertLess(os.stat(image).st_blocks * 512, 1 << 20)
            for command in (["list"], ["verify"]):
                status, memory = self.peak(*command, "--image", image)
                self.assertNotEqual(status, DONE)
                self.assertLess(memory, self.LIMIT, "%s with %d" % (command, inodes))

    def seal_header(self, image):
        """reseal reads all of a file: here the header alone is sealed, and written back."""
        head = self.box / "head"
        with open(image, "r+b") as file:
            head.write_bytes(file.read(BLOCK))
            sealing.reseal("header", [head])
            file.seek(0)
            file.write(head.read_bytes())

    def test_zero_digests(self):
        """The same with digests that match the holes."""
        image = self.make(30 << 20)
        sealing.reseal("all", [image])
        layout = ImageFile(image.read_bytes())
        self.assertGreater(layout.leaves(), 7000)
        status, memory = self.peak("list", "--image", image)
        self.assertEqual(status, DAMAGED)
        self.assertLess(memory, self.LIMIT)

    def test_a_good_one(self):
        """Otherwise these limits would say nothing."""
        self.checkpoint()
        status, memory = self.peak("list", "--image", self.image)
        self.assertEqual(status, DONE)
        self.assertLess(memory, self.LIMIT)
