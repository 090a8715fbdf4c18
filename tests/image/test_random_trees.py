# SPDX-License-Identifier: GPL-2.0-or-later
"""Random trees: combinations of sizes, holes, links and attributes that nobody planned."""

import os
import random
import stat

from .support import judges, scratch, snapshot
from .support.case import ImageCase, beneath

SEEDS = range(int(os.environ.get("PMEM_PRESERVE_FIRST_SEED", "1")),
              int(os.environ.get("PMEM_PRESERVE_LAST_SEED", "4")))
EDGES = (0, 1, 4095, 4096, 4097, 65536, (1 << 20) - 8192, (1 << 20) - 4096, 1 << 20, (1 << 20) + 1,
         3 << 20)


class Grower:
    def __init__(self, seed, top):
        self.rng = random.Random(seed)
        self.directories, self.files = [top], []
        self.root = os.geteuid() == 0

    def name(self):
        length = self.rng.choice((1, 2, 8, 30, 255))
        while True:
            name = bytes(self.rng.randrange(1, 256) for _ in range(length)).replace(b"/", b"_")
            path = os.path.join(self.rng.choice(self.directories), name)
            if name not in (b".", b"..") and not os.path.lexists(path):
                return path

    def file(self, path):
        with open(path, "wb") as file:
            size = self.rng.choice(EDGES)
            if self.rng.random() < 0.4:
                for _ in range(self.rng.randrange(6)):
                    file.seek(self.rng.randrange(size + 1))
                    file.write(self.rng.randbytes(self.rng.choice((1, 4096, 9000, 100000))))
                file.truncate(self.rng.choice((size, size * 2 + 7)))
            else:
                file.write(self.rng.randbytes(size))
        self.files.append(path)

    def directory(self, path):
        os.mkdir(path)
        self.directories.append(path)

    def symlink(self, path):
        os.symlink(self.rng.randbytes(self.rng.choice((1, 50, 4000))).replace(b"\0", b"0"), path)

    def link(self, path):
        if self.files:
            os.link(self.rng.choice(self.files), path)

    def node(self, path):
        kind = self.rng.choice((stat.S_IFIFO, stat.S_IFSOCK) + (stat.S_IFCHR,) * self.root)
        os.mknod(path, kind | 0o600, os.makedev(self.rng.randrange(4096),
                                                self.rng.randrange(1 << 20)))

    def adorn(self, path):
        rng = self.rng
        if self.root and rng.random() < 0.5:
            os.chown(path, rng.choice((0, 1000, 1 << 31)), rng.choice((0, 5, 4294967294)),
                     follow_symlinks=False)
            for number in range(rng.choice((0, 1, 3, 40))):
                try:
                    os.setxattr(path, "trusted.%d" % number, rng.randbytes(rng.choice((0, 9, 900))),
                                follow_symlinks=False)
                except OSError:
                    break
        if not os.path.islink(path):
            os.chmod(path, rng.randrange(0o10000) | 0o700)
        os.utime(path, ns=(1, rng.randrange(1, 1 << 61)), follow_symlinks=False)

    def grow(self, count):
        made = []
        for _ in range(count):
            path = self.name()
            self.rng.choice((self.file, self.file, self.directory, self.symlink, self.link,
                             self.node))(path)
            made.append(path)
        for path in reversed(made):
            if os.path.lexists(path):
                self.adorn(path)


class RandomTrees(ImageCase):
    def test_random_trees(self):
        """Bugs that need several rare conditions at once."""
        for seed in SEEDS:
            with self.subTest(seed=seed):
                state = self.box / ("state-%d" % seed)
                state.mkdir()
                Grower(seed, os.fsencode(state)).grow(80)
                before = snapshot.take(state)
                threads = ("-j", str(seed % 5 + 1))
                self.checkpoint(state, options=("--replace", *threads))
                self.assertEqual(judges.fsck(self.image), "")
                with judges.mounted(self.image) as mount:
                    if mount:
                        self.assert_same(before, snapshot.take(beneath(mount, state)), "mounted")
                self.restore(*threads)
                self.assert_same(before, snapshot.take(self.restored(state)), "restored")
                for path in (state, self.restored(state)):
                    scratch.remove(path)
