# SPDX-License-Identifier: GPL-2.0-or-later
"""
Images with valid digests and invalid content: a device may hold anything, and root restores it.
Nothing may crash, hang, or write outside of the target.
"""

import concurrent.futures
import os
import pathlib
import random
import shutil

from .support import bases, mutants, program, recipes, sealing, snapshot
from .support.case import ImageCase

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
DEADLINE = 30
# How many of the generated ones: enough to notice what a change has broken.
COUNT = int(os.environ.get("PMEM_PRESERVE_MUTANTS", "60"))
ALLOWED = {program.DONE, program.FAILED, program.NO_CHECKPOINT, program.DAMAGED, program.REFUSED,
           program.NO_FIT}


class Malformed(ImageCase):
    def setUp(self):
        super().setUp()
        (self.box / "canary").mkdir()
        (self.box / "canary" / "file").write_text("canary")
        self.canary = snapshot.take(self.box / "canary")
        self.work = self.box / "work"
        self.work.mkdir()

    def judge(self, image):
        """What is wrong with how the program handles this image; None if nothing is."""
        target = pathlib.Path("%s.target" % image)
        target.mkdir()
        statuses = []
        try:
            for command in (["list", "-l"], ["verify", "-j", "1"],
                            ["restore", "--keep", "-j", "1", "--into", target]):
                result = program.run(*command, "--image", image, deadline=DEADLINE)
                statuses.append(result.status)
                if result.status not in ALLOWED:
                    return "exit status: %s" % result
                if result.status and not result.err:
                    return "no message: %s" % result
        except program.Crash as crash:
            return str(crash)
        finally:
            shutil.rmtree(target, ignore_errors=True)
            image.unlink()
        return statuses

    def run_all(self, base, state, wanted):
        """@wanted: [(name, lines, statuses that all must have, or None)]"""
        before = snapshot.take(state)
        levels, images = {}, []
        for number, (name, lines, expected) in enumerate(wanted):
            data, level = recipes.apply(base, lines)
            path = self.work / ("%04d" % number)
            path.write_bytes(data)
            levels.setdefault(level, []).append(path)
            images.append((path, name, lines, expected))
        for level, paths in levels.items():
            sealing.reseal(level, paths)
        problems = []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = pool.map(self.judge, [image[0] for image in images])
            for (_, name, lines, expected), answer in zip(images, answers):
                if isinstance(answer, str):
                    problems.append("%s: %s\n%s" % (name, "; ".join(lines), answer))
                elif expected and answer != [expected] * 3:
                    problems.append("%s: %s\nexit statuses %s" % (name, "; ".join(lines), answer))
        self.assertEqual(problems, [], "\n\n".join(problems[:10]))
        self.assert_same(before, snapshot.take(state), "the source")
        self.assert_same(self.canary, snapshot.take(self.box / "canary"), "the canary")
        self.assertEqual(sorted(os.listdir(self.work)), [], "something was written outside")

    def test_corpus(self):
        """An image made on purpose would crash root's restore, or make it write elsewhere."""
        for path in sorted(CORPUS.glob("*.recipes")):
            fill = getattr(bases, "fill_" + path.stem)
            try:
                base, state, _ = bases.make(self.box / path.stem, fill)
            except OSError as error:
                with self.subTest(base=path.stem):
                    self.skipTest("no %s base can be made here: %s" % (path.stem, error))
                continue
            wanted = [(name, lines, program.DAMAGED) for name, lines in recipes.read(path).items()]
            with self.subTest(base=path.stem):
                self.assertTrue(wanted)
                self.run_all(base, state, wanted)

    def test_bases(self):
        """If the base images were refused, the other tests here would test nothing."""
        base, state, _ = bases.make(self.box / "small", bases.fill_small)
        self.run_all(base, state, [("base", [], program.DONE),
                                   ("base, unsealed", ["seal none"], program.DONE)])

    def test_each_field(self):
        """A field with an extreme value would cause a read out of bounds, or use all memory."""
        base, state, _ = bases.make(self.box / "small", bases.fill_small)
        everything = [("field", lines, None) for lines in mutants.small()]
        picked = random.Random(1).sample(everything, min(COUNT, len(everything)))
        self.run_all(base, state, picked)

    def test_inode_in_a_value(self):
        """Whoever may set an xattr could make an inode that nobody has checked."""
        base, state, path = bases.make(self.box / "small", bases.fill_small)
        value = state / "directory" / "inner"
        os.setxattr(value, "user.inode", b"\xa5" * 1000)
        self.expect(program.DONE, "checkpoint", "--replace", "--image", path, state)
        base = recipes.Base(path.read_bytes(), state)
        inode, image = base.find("directory/inner")[0], base.image
        fifo, dirent, _ = base.find("fifo")
        start = image.header("index_offset")
        inside = start + (inode + 400 - start) // 64 * 64
        data = bytearray(image.data)
        data[inside:inside + 64] = data[fifo:fifo + 64]
        data[fifo:fifo + 64] = bytes(64)
        data[dirent:dirent + 8] = ((inside - start) // 32).to_bytes(8, "little")
        path.write_bytes(data)
        sealing.reseal("all", [path])
        result = self.expect(program.DAMAGED, "list", "--image", path)
        self.assertIn("bytes shared with another inode", result.text)

    def test_random_bytes(self):
        """Combinations that nobody thought of."""
        base, state, _ = bases.make(self.box / "small", bases.fill_small)
        wanted = [("random", lines, None)
                  for lines in mutants.random_patches(base, COUNT // 2, seed=2)]
        self.run_all(base, state, wanted)


class MalformedExtra(Malformed):
    needs = ("64 KiB xattrs",)
    needs_root = True

    test_corpus = test_bases = test_random_bytes = test_inode_in_a_value = None

    def test_each_field(self):
        """The table of extra xattrs at its extremes."""
        base, state, _ = bases.make(self.box / "extra", bases.fill_extra)
        wanted = [("extra", lines, None) for lines in mutants.extra()]
        self.run_all(base, state, random.Random(3).sample(wanted, min(COUNT // 6, len(wanted))))
