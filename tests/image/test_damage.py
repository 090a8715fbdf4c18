# SPDX-License-Identifier: GPL-2.0-or-later
"""
Damaged images: flipped bits, lost blocks, missing ends. A restore either gives back exactly what
was saved, or reports the damage.
"""

import os
import random

from .support import bases, program, snapshot
from .support.case import ImageCase

COUNT = int(os.environ.get("PMEM_PRESERVE_MUTANTS", "60"))
BLOCK = 4096
COPY = (1 << 20) + BLOCK


class Damage(ImageCase):
    fill = staticmethod(bases.fill_small)

    def setUp(self):
        super().setUp()
        self.base, self.state, _ = bases.make(self.box / "base", self.fill)
        self.whole = self.base.image.data
        self.before = snapshot.take(self.state)
        self.damaged = self.box / "damaged"

    def judge(self, data, what):
        """Whether the damage was reported. If not, it must not matter."""
        self.damaged.write_bytes(data)
        result = program.run("restore", "--keep", "--image", self.damaged, "--into", self.target)
        self.assertIn(result.status, (program.DONE, program.DAMAGED, program.NO_CHECKPOINT),
                      "%s: %s" % (what, result))
        if result.status == program.DONE:
            self.assert_restored(self.before, what + " was not detected")
        if os.listdir(self.target):
            self.empty_target()
        return result.status != program.DONE

    def flip(self, at, bit):
        data = bytearray(self.whole)
        data[at] ^= 1 << bit
        return data

    def flips(self, start, end, count, seed):
        rng = random.Random(seed)
        told = 0
        for _ in range(count):
            at, bit = rng.randrange(start, end), rng.randrange(8)
            told += self.judge(self.flip(at, bit), "bit %d of byte %d" % (bit, at))
        return told

    def test_header(self):
        """A bit of the header: an offset, or whether it was committed."""
        self.flips(0, 864, COUNT // 4, 1)
        self.assertTrue(self.judge(self.flip(40, 3), "the uuid"))
        # The timeline is only displayed: damage there is harmless.
        self.assertFalse(self.judge(self.flip(870, 3), "the timeline"))
        for bit in range(64):
            if bit % 8 == 1:
                self.assertTrue(self.judge(self.flip(16 + bit // 8, bit % 8), "the phase"))

    def test_magic(self):
        """With one bit flipped the memory would be reused as if it held no checkpoint."""
        for at, bit in ((0, 0), (5, 3), (15, 7)):
            self.damaged.write_bytes(self.flip(at, bit))
            for command in ("verify", "restore"):
                result = self.expect(program.DAMAGED, command, "--image", self.damaged)
                self.assertIn("header", result.text)
            self.expect(program.REFUSED, "checkpoint", "--image", self.damaged, self.state)
            self.assertEqual(self.damaged.read_bytes(), self.flip(at, bit))
        self.expect(program.DONE, "discard", "--image", self.damaged)

    def test_lost_header(self):
        """Without the first block the memory would be reused as if it held no checkpoint."""
        rng = random.Random(7)
        for what, block in (("zeroed", bytes(BLOCK)), ("overwritten", rng.randbytes(BLOCK)),
                            ("zeroed in part", bytes(1024) + self.whole[1024:BLOCK])):
            self.damaged.write_bytes(block + self.whole[BLOCK:])
            for command in ("verify", "restore"):
                result = self.expect(program.DAMAGED, command, "--image", self.damaged)
                self.assertIn("header", result.text, what)
            self.expect(program.REFUSED, "checkpoint", "--image", self.damaged, self.state)
        self.expect(program.DONE, "discard", "--image", self.damaged)

    def test_lost_copy(self):
        """The copy is used only if the header is damaged: damage to the copy costs nothing."""
        self.assertFalse(self.judge(self.whole[:COPY] + bytes(BLOCK) + self.whole[COPY + BLOCK:],
                                    "the copy of the header"))

    def test_everything_else(self):
        """A bit anywhere behind the header: superblock, files, index and its copy."""
        count = COUNT // 4
        self.assertEqual(self.flips(1024, BLOCK, count, 2), count)
        self.flips(BLOCK, len(self.whole), count, 2)

    def test_metadata(self):
        """A bit of an inode or a name, in both copies: one would be restored wrongly."""
        header = self.base.image.header
        rng = random.Random(3)
        for _ in range(COUNT // 4):
            at = rng.randrange(header("inodes_bytes") + header("tables_bytes"))
            data = bytearray(self.whole)
            for start in (header("index_offset"), header("index_copy_offset")):
                data[start + at] ^= 1 << rng.randrange(8)
            self.assertTrue(self.judge(data, "byte %d of both copies of the index" % at))

    def test_cut_short(self):
        """An image whose end is missing."""
        header = self.base.image.header
        for length in (header("index_offset"), header("index_offset") - 1):
            self.judge(self.whole[:length], "an image cut to %d" % length)
            self.expect(program.DAMAGED, "verify", "--image", self.damaged)
        for length in (header("data_offset") + BLOCK, header("data_offset"), COPY + 2 * BLOCK,
                       COPY + BLOCK, 2 * BLOCK, BLOCK, BLOCK - 1, 1024, 1023, 17, 1, 0):
            self.assertTrue(self.judge(self.whole[:length], "an image cut to %d" % length))
            # As long as a part of it is recognized, it is damaged, and not missing.
            if length >= 16:
                self.expect(program.DAMAGED, "verify", "--image", self.damaged)

    def test_longer(self):
        """An image at the start of something larger is valid."""
        self.assertFalse(self.judge(self.whole + b"more" * BLOCK, "a longer file"))

    def test_lost_and_misplaced_blocks(self):
        """A block that was never written, or written elsewhere."""
        index = self.base.image.header("index_offset")
        for at in range(self.base.image.header("data_offset"), len(self.whole), BLOCK):
            block = self.whole[at:at + BLOCK]
            for what, other in (("lost", bytes(BLOCK)),
                                ("misplaced", self.whole[index:index + BLOCK])):
                if block == other or at // BLOCK % 3 == 2:
                    continue
                told = self.judge(self.whole[:at] + other + self.whole[at + BLOCK:],
                                  "the block at %d, %s," % (at, what))
                self.assertEqual(told, bool(self.base.image.files_in((at, at + BLOCK))))
                self.expect(program.DAMAGED, "verify", "--image", self.damaged)

    def test_every_file_is_named(self):
        """verify names the damaged files, so that the others can be copied by hand."""
        plain = self.state / "plain"
        self.assertTrue(plain.exists())
        data = self.flip(self.whole.index(plain.read_bytes()[:4096]), 0)
        self.damaged.write_bytes(data)
        self.expect(program.DAMAGED, "verify", "--image", self.damaged)


class DamageInSegments(Damage):
    """The same with an image of several MiB, where each digest covers different files."""

    fill = staticmethod(bases.fill_segments)
    test_header = test_magic = test_metadata = test_longer = test_cut_short = None
    test_lost_and_misplaced_blocks = None

    def test_everything_else(self):
        """A bit anywhere in the data."""
        places = [at for extents in self.base.image.files().values() for extent in extents
                  for at in extent]
        self.assertEqual(self.flips(min(places), max(places), COUNT // 8, 4), COUNT // 8)

    def test_every_file_is_named(self):
        """verify names the damaged files, and only those of that block."""
        for name in ("first", "second"):
            text = (self.state / name).read_bytes()
            self.damaged.write_bytes(self.flip(self.whole.index(text[:4096]) + 100000, 0))
            result = self.expect(program.DAMAGED, "verify", "--image", self.damaged)
            self.assertIn(os.fsencode(self.state / name), result.out)
            for other in {"first", "second", "small"} - {name}:
                self.assertNotIn(os.fsencode(self.state / other), result.out)

    def test_swapped_segments(self):
        """Two MiB in each other's place have valid digests, but at the wrong place."""
        mib, start = 1 << 20, self.base.image.header("data_offset")
        one, other = (self.whole[start + n * mib:start + (n + 1) * mib] for n in (0, 1))
        data = self.whole[:start] + other + one + self.whole[start + 2 * mib:]
        self.assertTrue(self.judge(data, "two segments that were swapped"))
