# SPDX-License-Identifier: GPL-2.0-or-later
"""
One damaged range of 1 MiB, anywhere: all names are kept, and exactly the files whose blocks lie in it
are lost. RANGE_TRIES says how many random places are tried besides those at the edges of each part.
"""

import json
import os
import random
import shutil
import time

from .support import program, snapshot
from .support.case import ImageCase, beneath
from .support.imagefile import BLOCK, COPY, MIB, ImageFile
from .support.keyed import write_key
from .support.program import DAMAGED, DONE

TRIES = int(os.environ.get("RANGE_TRIES", "12"))
SEED = int(os.environ.get("RANGE_SEED", str(int(time.time()))))


class Ranges(ImageCase):
    options = ()

    def prepare(self):
        """What must be there before the checkpoint."""

    def setUp(self):
        super().setUp()
        self.prepare()
        rng = random.Random(SEED)
        for number in range(400):
            (self.state / ("file%d" % number)).write_bytes(rng.randbytes(rng.randrange(1, 20000)))
        (self.state / "large").write_bytes(rng.randbytes(3 * MIB + 100))
        with open(self.state / "sparse", "wb") as file:
            for at in (0, 100000, 900000):
                file.seek(at)
                file.write(rng.randbytes(30000))
        # So many names that the index is larger than the damage.
        (self.state / "empty").mkdir()
        for number in range(4500):
            (self.state / "empty" / ("%05d" % number + "n" * 200)).touch()
        self.before = snapshot.take(self.state)
        self.use_well("checkpoint", self.state)
        self.whole = self.image.read_bytes()
        self.layout = ImageFile(self.whole)
        self.assertGreater(self.layout.header("index_bytes"), MIB)
        self.rng = rng
        print("RANGE seed %d" % SEED, flush=True)

    def use(self, *arguments):
        """Runs the program on the image."""
        command, *others = arguments
        return program.run("--json", command, *self.options, "--image", self.image, *others)

    def use_well(self, *arguments):
        result = self.use(*arguments)
        self.assertEqual(result.status, DONE, str(result))

    def places(self):
        """Where a damaged MiB begins: around the edges of each part, and anywhere."""
        end = len(self.whole)
        for start, stop in self.layout.parts().values():
            for edge in (start, stop):
                yield from (edge, edge - BLOCK, edge - MIB, edge - MIB + BLOCK, edge - MIB // 2)
        yield from (self.layout.digests() + away for away in (-MIB, -MIB // 2, 0))
        yield from (1, BLOCK - 1, COPY - MIB + 1)
        for _ in range(TRIES):
            yield self.rng.randrange(end)

    def damage(self, start):
        stop = min(start + MIB, len(self.whole))
        data = bytearray(self.whole)
        for at in range(start // BLOCK * BLOCK, stop, BLOCK):
            # Each block in the range is another, whatever it was.
            place = max(at, start)
            data[place] ^= self.rng.randrange(1, 256)
        self.image.write_bytes(data)
        return start, stop

    def check(self, start, stop):
        lost = self.layout.files_in((start, stop))
        blocks = start // BLOCK * BLOCK, (stop + BLOCK - 1) // BLOCK * BLOCK
        verify = self.use("verify")
        self.assertEqual(verify.status, DAMAGED, str(verify))
        answer = json.loads(verify.out)
        self.assertEqual(set(answer["damaged"]), lost)
        ranges = [(part["offset"], part["offset"] + part["length"]) for part in answer["ranges"]]
        self.assertEqual((ranges[0][0], ranges[-1][1]), blocks)
        for (_, before), (after, _) in zip(ranges, ranges[1:]):
            self.assertEqual(before, after)
        self.check_restore(start, lost)

    def check_restore(self, start, lost):
        shutil.rmtree(self.target)
        self.target.mkdir()
        needs_salvage = lost or start < BLOCK
        if needs_salvage:
            self.assertEqual(self.use("restore", "--into", self.target).status, DAMAGED)
            self.assertEqual(os.listdir(self.target), [])
        options = ("--salvage",) if needs_salvage else ()
        result = self.use("restore", "--keep", "--into", self.target, *options)
        self.assertEqual(result.status, DAMAGED if needs_salvage else DONE, str(result))
        if not needs_salvage:
            self.use_well("list")
        expected = {path: entry for path, entry in self.before.items()
                    if os.fsdecode(os.fsencode(self.state) + path) not in lost}
        self.assert_same(expected, snapshot.take(beneath(self.target, self.state)), "the rest")

    def test_one_range(self):
        """A range of bad memory would cost names, or files that are not in it."""
        places = sorted({at for at in self.places() if 0 <= at < len(self.whole)})
        for at in places:
            with self.subTest(at=at):
                self.check(*self.damage(at))


class KeyedRanges(Ranges):
    def prepare(self):
        self.options = ("--key-file", write_key(self.box / "key"))
