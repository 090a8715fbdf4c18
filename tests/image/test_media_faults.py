# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random faults of a medium. Each is detected and the file is named, or it hits bytes without a
meaning; a wrong file is never restored. MEDIA_TRIES says how many (default 300, over all classes),
MEDIA_SEED which.

What is damaged is determined here from the format alone (support/imagefile.py).
"""

import concurrent.futures
import json
import os
import random
import shutil
import time

from .support import badblocks, mediafaults, program, snapshot
from .support.case import ImageCase, beneath
from .support.imagefile import BLOCK, COPY

TRIES = int(os.environ.get("MEDIA_TRIES", "300"))
SEED = int(os.environ.get("MEDIA_SEED", str(int(time.time()))))
MIB = 1 << 20
PHASE, TIMELINE, TIMELINE_END = mediafaults.PHASE, 864, 1008
ROOM = 8 * MIB
THREADS = 2


def fill(state, rng):
    """Files in different MiB, and some side by side; always of the same sizes."""
    for name, size in (("large", 2 * MIB + 12345), ("middle", 700000), ("other", 300000),
                       ("tiny", 10), ("block", 4096), ("small", 5000)):
        (state / name).write_bytes(rng.randbytes(size))
    (state / "same").write_bytes(b"the same in both\n" * 20000)
    with open(state / "sparse", "wb") as file:
        for offset in (0, 400000, 800000):
            file.seek(offset)
            file.write(rng.randbytes(50000))
        file.truncate(MIB)
    for number in range(12):
        (state / ("number-%d" % number)).write_bytes(rng.randbytes(1000 * number))


class Judge:
    """Tries images, one after the other, in a directory of its own."""

    def __init__(self, case, number):
        self.case = case
        self.image = case.box / ("damaged-%d" % number)
        self.target = case.box / ("target-%d" % number)

    def run(self, fault, *arguments):
        environment = {}
        if fault.unreadable:
            environment = badblocks.environment(self.image, read=fault.unreadable)
        return program.run("--json", *arguments, "--image", self.image, environment=environment)

    def restore(self, fault, *options):
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir()
        return self.run(fault, "restore", "--keep", "-j", "2", "--into", self.target, *options)

    def judge(self, fault):
        """("found" or "harmless" or "missed", how many files it costs, why)."""
        self.image.write_bytes(fault.data)
        try:
            verify = self.run(fault, "verify", "-j", "2")
            restore = self.restore(fault)
            why = self.wrong_verify(fault, verify) or self.wrong_restore(fault, verify, restore)
            if restore.status == program.DAMAGED and not why:
                restore = self.restore(fault, "--salvage")
                why = self.wrong_salvage(fault, verify, restore)
        except program.Crash as crash:
            return "missed", 0, str(crash)
        if why:
            return "missed", 0, "%s\n%s\n%s" % (why, verify, restore)
        return ("found" if verify.status else "harmless"), self.cost(verify), ""

    def cost(self, verify):
        """Files that are lost; all of them if it cannot even be listed."""
        if verify.status == program.DONE:
            return 0
        return len(json.loads(verify.out).get("damaged", self.case.files))

    def wrong_verify(self, fault, verify):
        """Why verify is wrong about which files are damaged; "" when it is not."""
        changed = self.case.changed_files(fault)
        if verify.status not in (program.DONE, program.DAMAGED, program.NO_CHECKPOINT):
            return "verify ended with status %d" % verify.status
        if verify.status == program.NO_CHECKPOINT:
            return "" if self.case.may_be_none(fault) else "no checkpoint any more"
        damaged = json.loads(verify.out).get("damaged")
        if damaged is None:
            # It could not even be listed, which is reported.
            return "" if self.case.is_unlistable(fault) or self.case.is_old(fault) \
                else "verify names no file"
        if self.case.is_old(fault):
            return ""
        if verify.status == program.DONE:
            return "" if not self.case.is_damaged(fault) else "verify finds nothing"
        if not changed <= set(damaged):
            return "verify does not name %s" % sorted(changed - set(damaged))
        near = self.case.files_near(fault)
        if not set(damaged) <= near:
            return "verify names what is whole: %s" % sorted(set(damaged) - near)
        return ""

    def wrong_restore(self, fault, verify, restore):
        if restore.status != program.DONE:
            if os.listdir(self.target):
                return "a failed restore left something behind"
            if restore.status not in (program.DAMAGED, program.NO_CHECKPOINT):
                return "restore ended with status %d" % restore.status
            if restore.status == program.NO_CHECKPOINT and not self.case.may_be_none(fault):
                return "no checkpoint any more"
            return ""
        if verify.status != program.DONE and json.loads(verify.out).get("damaged") != []:
            return "verify found a damaged file, and restore did not"
        before = self.case.before_old if self.case.is_old(fault) else self.case.before
        lines = snapshot.differences(before, snapshot.take(beneath(self.target, self.case.state)))
        return "a wrong file was restored:\n%s" % "\n".join(lines) if lines else ""


    def wrong_salvage(self, fault, verify, salvage):
        """Why what was salvaged is not just the files that verify does not name; "" if it is."""
        damaged = json.loads(verify.out).get("damaged")
        if salvage.status != program.DAMAGED:
            return "restore --salvage ended with status %d" % salvage.status
        if json.loads(salvage.out).get("damaged") != damaged:
            return "restore --salvage and verify do not name the same"
        if damaged is None:
            return "it was salvaged blindly" if os.listdir(self.target) else ""
        before = self.case.before_old if self.case.is_old(fault) else self.case.before
        whole = {path: entry for path, entry in before.items()
                 if os.fsdecode(os.fsencode(self.case.state) + path) not in damaged}
        lines = snapshot.differences(whole,
                                     snapshot.take(beneath(self.target, self.case.state)))
        return "salvaged wrongly:\n%s" % "\n".join(lines) if lines else ""


class MediaFaults(ImageCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(4711)
        with open(self.image, "wb") as file:
            file.truncate(ROOM)
        fill(self.state, rng)
        self.write()
        self.before_old = snapshot.take(self.state)
        old = self.image.read_bytes()
        fill(self.state, rng)
        begun = self.begin(old)
        self.write()
        self.images = mediafaults.Images(self.image.read_bytes(), old, begun)
        self.before = snapshot.take(self.state)
        self.layout = self.images.layout
        self.files = self.layout.files()
        self.check_layout()

    def write(self):
        self.checkpoint(options=("--in-place", "--replace"))

    def begin(self, old):
        """The image as it is if the first block after the header cannot be written."""
        self.expect(program.FAILED, "checkpoint", "--in-place", "--replace", "--image", self.image,
                    self.state, environment=badblocks.environment(self.image, write=[(BLOCK, COPY)]))
        begun = self.image.read_bytes()
        self.assertNotEqual(begun[:1024], old[:1024])
        self.assertNotEqual(begun[COPY:COPY + 1024], old[COPY:COPY + 1024])
        self.assertEqual(begun[BLOCK:COPY] + begun[COPY + BLOCK:],
                         old[BLOCK:COPY] + old[COPY + BLOCK:])
        return begun

    def check_layout(self):
        """Otherwise all other results here would be based on a wrong layout."""
        self.assertEqual(len(self.files), len([path for path in self.state.iterdir()
                                               if path.stat().st_size]))
        for path, extents in self.files.items():
            with open(path, "rb") as file:
                content = file.read()
            for start, end in extents:
                self.assertIn(self.images.new[start:end], content, path)
        self.assertEqual(len(self.images.old), len(self.images.new))

    def is_changed(self, fault, start, end):
        return fault.data[start:end] != self.images.new[start:end] or \
            any(a < end and b > start for a, b in fault.unreadable)

    def is_damaged(self, fault):
        """Whether verify must find something: all but phase and timeline has a digest or is zero."""
        end = self.layout.header("image_bytes")
        whole = ((0, PHASE), (PHASE + 8, TIMELINE), (TIMELINE_END, COPY + PHASE),
                 (COPY + PHASE + 8, COPY + TIMELINE), (COPY + TIMELINE_END, end))
        return any(self.is_changed(fault, *part) for part in whole)

    def changed_files(self, fault):
        """Paths of the files with a byte that was changed, or cannot be read."""
        return {path for path, extents in self.files.items()
                if any(self.is_changed(fault, *extent) for extent in extents)}

    def lost_index(self, fault):
        """Offsets in the index of the blocks that are damaged in both copies."""
        one, other = (self.layout.header(name) for name in ("index_offset", "index_copy_offset"))
        return [at for at in range(0, self.layout.header("index_bytes"), BLOCK)
                if self.is_changed(fault, one + at, one + at + BLOCK) and
                self.is_changed(fault, other + at, other + at + BLOCK)]

    def files_near(self, fault):
        """Paths of the files in the blocks that were changed, or whose digests were."""
        start, index = (self.layout.header(name) for name in ("data_offset", "index_offset"))
        hit = [(at, at + BLOCK) for at in range(start, index, BLOCK)
               if self.is_changed(fault, at, at + BLOCK)]
        for lost in self.lost_index(fault):
            first = (index + lost - self.layout.digests()) // 16
            if first >= 0:
                hit.append((start + first * BLOCK, start + (first + 256) * BLOCK))
        return self.layout.files_in(*hit)

    def is_unlistable(self, fault):
        """Of the header, or of what the list is made of, or of its digests, both copies are bad."""
        index, levels = self.layout.header("index_offset"), self.layout.levels()
        needed = [*range(index, self.layout.digests(), BLOCK), levels[-1][0],
                  self.layout.leaf(index) // BLOCK * BLOCK,
                  self.layout.leaf(self.layout.digests() - 1) // BLOCK * BLOCK]
        lost = {index + at for at in self.lost_index(fault)}
        return (self.is_changed(fault, 0, BLOCK) and self.is_changed(fault, COPY, COPY + BLOCK)) or \
            not lost.isdisjoint(needed) or \
            len(fault.data) < self.layout.header("index_copy_offset") + \
            self.layout.header("index_bytes")

    def may_be_none(self, fault):
        """It was never committed, or both header and copy are damaged."""
        return fault.data[PHASE:PHASE + 8] == mediafaults.WRITING or \
            (self.is_changed(fault, 0, 1024) and self.is_changed(fault, COPY, COPY + 1024))

    def is_old(self, fault):
        """The header of the earlier image, or its copy, is the one that counts."""
        def has(image, start, end):
            return fault.data[start:end] == image[start:end] and \
                not any(a < end and b > start for a, b in fault.unreadable)

        def has_header(image, start):
            """The timeline between the two has a digest of its own, and may be damaged."""
            return has(image, start, start + TIMELINE) and \
                has(image, start + TIMELINE_END, start + 1024)

        for image in (self.images.new, self.images.old):
            if has_header(image, 0):
                return image is self.images.old
        return has_header(self.images.old, COPY)

    def try_class(self, make, tries, judges):
        counts = {"found": 0, "harmless": 0, "missed": 0, "files": 0}
        problems = []

        def judge(number):
            fault = make(random.Random("%d %s %d" % (SEED, make.__name__, number)), self.images)
            own = judges.pop()
            try:
                return (fault.text, *own.judge(fault))
            finally:
                judges.append(own)

        with concurrent.futures.ThreadPoolExecutor(len(judges)) as pool:
            for text, verdict, cost, why in pool.map(judge, range(tries)):
                counts[verdict] += 1
                counts["files"] += cost
                if why:
                    problems.append("%s: %s\n%s" % (make.__name__, text, why))
        return counts, problems

    def test_random_faults(self):
        """Undetected damage would become the state, when the correct one is lost already."""
        judges = [Judge(self, number) for number in range(THREADS)]
        problems, total, files = [], 0, 0
        lines = ["MEDIA seed %d" % SEED,
                 "MEDIA %-18s %6s %6s %8s %6s %6s" % ("class", "tries", "found", "harmless",
                                                      "missed", "files")]
        share = max(1, TRIES // len(mediafaults.CLASSES))
        for make in mediafaults.CLASSES:
            counts, missed = self.try_class(make, share, judges)
            problems += missed
            total += share
            files += counts["files"]
            lines.append("MEDIA %-18s %6d %6d %8d %6d %6.2f" % (
                make.__name__.replace("_", " "), share, counts["found"], counts["harmless"],
                counts["missed"], counts["files"] / share))
        lines.append("MEDIA of %d files, each try cost %.2f" % (len(self.files), files / total))
        print("\n".join(lines), flush=True)
        self.assertEqual(problems, [], "%d of %d:\n%s" % (len(problems), total,
                                                          "\n".join(problems[:5])))
