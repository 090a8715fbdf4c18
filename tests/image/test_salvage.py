# SPDX-License-Identifier: GPL-2.0-or-later
"""restore --salvage: all intact files of a damaged checkpoint, and no others."""

import json
import os
import shutil
import subprocess
import unittest

from .support import badblocks, mounts, snapshot
from .support.case import ImageCase
from .support.imagefile import ImageFile
from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT, NO_FIT, REFUSED, USAGE

MIB = 1 << 20
COPY = MIB + 4096


class Salvage(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "directory").mkdir()
        (self.state / "directory" / "empty").touch()
        os.mkfifo(self.state / "directory" / "fifo")
        for number in range(8):
            (self.state / f"file{number}").write_bytes(os.urandom(700_000))
        (self.state / "small").write_text("small")
        os.link(self.state / "file3", self.state / "directory" / "third")
        os.link(self.state / "file6", self.state / "directory" / "sixth")
        (self.state / "link").symlink_to("file3")
        with open(self.state / "holes", "wb") as file:
            for offset in (0, 2 * MIB, 5 * MIB):
                file.seek(offset)
                file.write(os.urandom(300_000))
            file.truncate(6 * MIB)
        (self.state / "zz").write_bytes(os.urandom(3 * MIB))
        self.before = snapshot.take(self.state)
        self.checkpoint()
        self.whole = self.image.read_bytes()
        self.layout = ImageFile(self.whole)
        self.files = self.layout.files()

    def place(self, name):
        """An offset in the middle of that file's first extent."""
        start, end = self.files[str(self.state / name)][0]
        return (start + end) // 2

    def damage(self, *places):
        """Flips bits; returns the paths of the files in those blocks, as text."""
        data = bytearray(self.whole)
        for at in places:
            data[at] ^= 4
        self.image.write_bytes(data)
        return self.near(*places)

    def near(self, *places):
        return self.layout.files_in(*((at, at + 1) for at in places))

    def salvage(self, *options, status=DAMAGED, **others):
        return self.expect(status, "--json", "restore", "--salvage", "--image", self.image,
                           "--into", self.target, *options, **others)

    def check(self, lost, result):
        """Intact files are restored, the others are not, and each of these is listed."""
        self.assertTrue(lost)
        self.assertLess(len(lost), len(self.files))
        self.assertEqual(sorted(json.loads(result.out)["damaged"]), sorted(lost))
        for path in lost:
            self.assertIn(f"damaged: {path}\n", result.text)
        expected = {path: dict(entry) for path, entry in self.before.items()
                    if os.fsdecode(os.fsencode(self.state) + path) not in lost}
        self.assert_restored(expected, "what was salvaged")

    def expect_phase(self, phase):
        status = self.expect(DONE, "--json", "status", "--image", self.image).json
        self.assertEqual(status["image"]["phase"], phase)

    def test_files(self):
        """One bad block would cost the whole state."""
        for names in (["file0"], ["file3"], ["holes"], ["zz"], ["file1", "file6", "zz"]):
            with self.subTest(names):
                lost = self.damage(*map(self.place, names))
                for name in names:
                    self.assertIn(str(self.state / name), lost)
                for threads in ("1", "8"):
                    self.check(lost, self.salvage("-j", threads))
                    self.clear()
                self.expect_phase("committed")

    def clear(self):
        self.target = self.box / f"target-{len(os.listdir(self.box))}"
        self.target.mkdir()

    def test_each_mib(self):
        """The file at the edge of the damage would be lost, or come back half."""
        for at in range(self.layout.header("data_offset"),
                        max(end for extents in self.files.values() for _, end in extents), MIB):
            with self.subTest(at=at):
                self.check(self.damage(at + 1), self.salvage())
                self.clear()

    def test_hard_links(self):
        """By another name damage would be restored, or only that name be missing."""
        lost = self.damage(self.place("file3"))
        self.assertIn(str(self.state / "directory" / "third"), lost)
        self.salvage()
        self.assertFalse((self.restored() / "directory" / "third").exists())
        self.assertEqual((self.restored() / "directory" / "sixth").stat().st_nlink, 2)

    def test_again(self):
        """After salvaging the checkpoint must still exist, and be reported."""
        lost = self.damage(self.place("zz"))
        self.check(lost, self.salvage("--keep"))
        self.salvage(status=REFUSED)
        self.clear()
        self.check(lost, self.salvage())
        verify = self.expect(DAMAGED, "--json", "verify", "--image", self.image)
        self.assertEqual(sorted(json.loads(verify.out)["damaged"]), sorted(lost))
        self.expect_phase("committed")
        self.checkpoint(status=REFUSED)
        self.expect(DONE, "discard", "--image", self.image)
        self.salvage(status=NO_CHECKPOINT)

    def test_nothing_is_damaged(self):
        """For an intact checkpoint it must do the same as restore."""
        result = self.salvage(status=DONE)
        self.assertEqual(json.loads(result.out)["damaged"], [])
        self.assert_restored(self.before)
        self.expect_phase("restored")

    def test_unreadable(self):
        """The same for blocks that cannot be read at all."""
        place = self.place("file4") // 4096 * 4096
        bad = badblocks.environment(self.image, read=[(place, place + 4096)])
        self.check(self.near(place), self.salvage(environment=bad))

    def test_dry_run(self):
        """A dry run lists what would be lost."""
        lost = self.damage(self.place("file5"))
        result = self.salvage("--dry-run")
        self.assertEqual(sorted(json.loads(result.out)["damaged"]), sorted(lost))
        self.assertEqual(os.listdir(self.target), [])

    def lose_header(self, block, *places):
        self.damage(*places)
        self.image.write_bytes(block + self.image.read_bytes()[len(block):])

    def check_all(self, result):
        self.assertEqual(json.loads(result.out)["damaged"], [])
        self.assertIn("everything else is intact", result.text)
        self.assert_restored(self.before, "what was salvaged")
        self.clear()

    def test_lost_header(self):
        """4 KiB in the wrong place would cost the whole state."""
        garbage = os.urandom(4096)
        for block in (bytes(1024), bytes(4096), garbage):
            self.lose_header(block)
            result = self.expect(DAMAGED, "restore", "--image", self.image, "--into", self.target)
            self.assertIn("--salvage", result.text)
            self.assertEqual(os.listdir(self.target), [])
            self.check_all(self.salvage())
        for places in ((0,), (20,), (40,), (70,), (300,), (1010,), (1024,), (1024 + 40,), (3000,),
                       (40, COPY + 1030), (1030, COPY + 40)):
            with self.subTest(places):
                self.damage(*places)
                self.check_all(self.salvage())
        self.image.write_bytes(self.whole)
        self.check_all(self.salvage(
            environment=badblocks.environment(self.image, read=[(0, 4096)])))
        self.expect(DONE, "discard", "--image", self.image)

    def test_lost_header_and_files(self):
        """The copy of the header has the digests: other damage is found, too."""
        place = self.place("zz")
        lost = self.near(place)
        self.lose_header(bytes(4096), place)
        self.check(lost, self.salvage())
        verify = self.expect(DAMAGED, "--json", "verify", "--image", self.image)
        self.assertEqual(sorted(json.loads(verify.out)["damaged"]), sorted(lost))

    def test_what_was_only_begun(self):
        """The copy of a header without any state is not a lost checkpoint."""
        self.image.unlink()
        with open(self.image, "wb") as file:
            file.truncate(len(self.whole))
        bad = badblocks.environment(self.image, write=[(self.layout.header("data_offset"),
                                                        len(self.whole))])
        self.expect(FAILED, "checkpoint", "--in-place", "--replace", "--image", self.image,
                    self.state, environment=bad)
        begun = self.image.read_bytes()
        self.assertTrue(any(begun[COPY:COPY + 4096]), "no copy was written")
        self.image.write_bytes(bytes(4096) + begun[4096:])
        self.salvage(status=NO_CHECKPOINT)

    def test_what_cannot_be_salvaged(self):
        """Without directories and digests nothing can be verified: files would be guesses."""
        index, copy = (self.layout.header(name) for name in ("index_offset", "index_copy_offset"))
        top = self.layout.levels()[-1][0] - index
        meta = self.layout.leaf(index) - index
        for fields in ((40, COPY + 40), (index + 200, copy + 201), (index + top, copy + top),
                       (index + meta, copy + meta)):
            with self.subTest(fields=fields):
                self.damage(*fields)
                result = self.salvage()
                self.assertNotIn("damaged", json.loads(result.out))
                self.assertIn("fsck.erofs --extract", result.text)
                self.assertEqual(os.listdir(self.target), [])

    @unittest.skipUnless(shutil.which("fsck.erofs"), "fsck.erofs is not installed")
    def test_by_hand(self):
        """The last resort in the manual, if both the first block and the digests are lost."""
        top = self.layout.levels()[-1][0]
        self.lose_header(bytes(4096), top + 1, top + 1 - self.layout.header("index_offset") +
                         self.layout.header("index_copy_offset"))
        self.assertIn("pmem-preserve(8)", self.salvage().text)
        extract = ["fsck.erofs", f"--extract={self.target}", "--overwrite", self.image]
        self.assertNotEqual(subprocess.run(extract, capture_output=True).returncode, 0)
        subprocess.run(["dd", f"if={self.image}", f"of={self.image}", "bs=4k", "skip=257", "count=1",
                        "conv=notrunc", "status=none"], check=True)
        subprocess.run(extract, check=True, capture_output=True)
        # fsck.erofs 1.5 does not extract holes, as the manual says.
        for name in ("small", "file0", "zz"):
            self.assertTrue((self.restored() / name).read_bytes() == (self.state / name).read_bytes(),
                            f"{name} is another")

    def test_not_over_files(self):
        """Files of the checkpoint would be mixed with older ones."""
        self.damage(self.place("file5"))
        self.salvage("--overwrite", status=USAGE)

    def test_no_room(self):
        """A part of the intact files would be taken for all of them."""
        self.damage(self.place("file5"))
        place = self.box / "place"
        place.mkdir()
        mounts.mount_tmpfs(self, place, "4m")
        self.target = place
        self.salvage(status=NO_FIT)
        self.assertEqual(os.listdir(place), [])
