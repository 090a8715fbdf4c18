# SPDX-License-Identifier: GPL-2.0-or-later
"""Names: any byte, any length that a file system allows, any depth, any number."""

import os
import resource

from .support import judges, program, snapshot
from .support.case import ImageCase, beneath


DEPTH = 8100  # a path of 16 KiB with names of one byte
LEAVES = 1000


def descend(directory, levels, name="d", make=False):
    """Opens what lies so many levels beneath @directory, which it closes."""
    for _ in range(levels):
        if make:
            os.mkdir(name, dir_fd=directory)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
        os.close(directory)
        directory = inner
    return directory


class Deep(ImageCase):
    """Anyone who may write in the state could keep all of it from being saved."""

    SECONDS = 20  # of processor time, for each command; what is quadratic in the depth takes more

    def timed(self, status, *arguments):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = self.expect(status, *arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                        self.SECONDS, arguments[0])
        return result

    def round_trip_of(self, check):
        self.timed(program.DONE, "checkpoint", "--image", self.image, self.state)
        self.assertEqual(judges.fsck(self.image), "")
        self.timed(program.DONE, "verify", "--image", self.image)
        self.timed(program.DONE, "restore", "--image", self.image, "--into", self.target)
        check(self.restored())

    def test_many_directories_far_down(self):
        """1,000 directories, each with a file, at a depth of 8,100."""
        bottom = descend(os.open(self.state, os.O_RDONLY), DEPTH, make=True)
        for i in range(LEAVES):
            os.mkdir("leaf-%d" % i, 0o711, dir_fd=bottom)
            file = os.open("leaf-%d/file" % i, os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=bottom)
            os.write(file, b"of leaf %d" % i)
            os.close(file)
        os.close(bottom)

        def check(root):
            bottom = descend(os.open(root, os.O_RDONLY), DEPTH)
            self.assertEqual(len(os.listdir(bottom)), LEAVES)
            for i in range(LEAVES):
                file = os.open("leaf-%d/file" % i, os.O_RDONLY, dir_fd=bottom)
                self.assertEqual(os.read(file, 100), b"of leaf %d" % i)
                os.close(file)
            os.close(bottom)
        self.round_trip_of(check)

    def test_several_chains(self):
        """The levels of the tree are read one after the other, and lie in different chains."""
        chains = "abcdefgh"
        for name in chains:
            os.mkdir(self.state / name)
            bottom = descend(os.open(self.state / name, os.O_RDONLY), DEPTH // 4, make=True)
            os.symlink("end of " + name, "link", dir_fd=bottom)
            os.close(bottom)

        def check(root):
            for name in chains:
                bottom = descend(os.open(root / name, os.O_RDONLY), DEPTH // 4)
                self.assertEqual(os.readlink("link", dir_fd=bottom), "end of " + name)
                os.close(bottom)
        self.round_trip_of(check)

    def test_long_paths(self):
        """100 KiB of path, and more branches than directories can be kept open."""
        name = "n" * 250
        bottom = descend(os.open(self.state, os.O_RDONLY), 200, name, make=True)
        for i in range(200):
            os.mkdir("%d" % i, dir_fd=bottom)
            os.mkdir("%d/x" % i, dir_fd=bottom)
            os.mkdir("%d/x/y" % i, dir_fd=bottom)
            os.close(os.open("%d/x/y/z" % i, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=bottom))
        beneath_all = descend(bottom, 200, name, make=True)
        file = os.open("file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=beneath_all)
        os.write(file, b"reached")
        os.close(file)
        os.close(beneath_all)

        def check(root):
            middle = descend(os.open(root, os.O_RDONLY), 200, name)
            for i in range(200):
                os.stat("%d/x/y/z" % i, dir_fd=middle)
            bottom = descend(middle, 200, name)
            file = os.open("file", os.O_RDONLY, dir_fd=bottom)
            self.assertEqual(os.read(file, 100), b"reached")
            os.close(file)
            os.close(bottom)
        self.round_trip_of(check)
        listed = self.timed(program.DONE, "list", "--image", self.image)
        self.assertIn((name + "/").encode() * 400 + b"file", listed.out)

    def test_exclude_far_down(self):
        """An exclude with a path is compared with each path."""
        bottom = descend(os.open(self.state, os.O_RDONLY), DEPTH, make=True)
        os.mkdir("skipped", dir_fd=bottom)
        os.close(bottom)
        self.timed(program.DONE, "checkpoint", "--image", self.image, "-x",
                   "%s/x" % self.state, "-x", "skipped", self.state)


class Names(ImageCase):
    def test_any_byte(self):
        """A file whose name is not text (old archives, binary keys) would be lost or renamed."""
        top = os.fsencode(self.state)
        for byte in range(1, 256):
            if byte != ord("/"):
                for name in (b"x%cy" % byte, b"%c%c%c" % (byte, byte, byte)):
                    with open(os.path.join(top, name), "wb") as file:
                        file.write(name)
        for name in (b"new\nline", b"\xff\xfe\x80", b" ", b"-rf", b"*", b"\xc3\xa4", b"...",
                     b"..x", b".hidden", b"a\\012b"):
            os.mkdir(os.path.join(top, b"d" + name))
            with open(os.path.join(top, b"d" + name, name), "wb") as file:
                file.write(b"content")
        self.round_trip()

    def test_longest_names(self):
        """Names of 255 bytes are legal; losing them loses mail spools and browser caches."""
        for i in range(40):
            (self.state / ("%03d" % i + "n" * 252)).write_text(str(i))
        (self.state / ("d" * 255)).mkdir()
        (self.state / ("d" * 255) / ("f" * 255)).write_text("deep")
        self.round_trip()

    def test_paths_beyond_path_max(self):
        """A tree deeper than PATH_MAX (build caches have them) would make a checkpoint fail."""
        directory = os.open(self.state, os.O_RDONLY)
        for level in range(24):
            name = "%02d" % level + "p" * 248
            os.mkdir(name, dir_fd=directory)
            inner = os.open(name, os.O_RDONLY, dir_fd=directory)
            os.close(directory)
            directory = inner
            file = os.open("file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=directory)
            os.write(file, b"at level %d" % level)
            os.close(file)
        os.link("file", "second name", src_dir_fd=directory, dst_dir_fd=directory)
        os.symlink("file", "link", dir_fd=directory)
        os.close(directory)
        # rsync fails at PATH_MAX.
        self.round_trip(rsync=False)

    def test_deep_chain(self):
        """A thousand levels of short names would overflow a stack, or take forever."""
        directory = os.open(self.state, os.O_RDONLY)
        for _ in range(1000):
            os.mkdir("d", dir_fd=directory)
            inner = os.open("d", os.O_RDONLY, dir_fd=directory)
            os.close(directory)
            directory = inner
        file = os.open("bottom", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=directory)
        os.write(file, b"reached")
        os.close(file)
        os.close(directory)
        self.checkpoint()
        self.assertEqual(judges.fsck(self.image), "")
        self.restore()
        directory = os.open(self.restored(), os.O_RDONLY)
        for _ in range(1000):
            inner = os.open("d", os.O_RDONLY, dir_fd=directory)
            os.close(directory)
            directory = inner
        file = os.open("bottom", os.O_RDONLY, dir_fd=directory)
        self.assertEqual(os.read(file, 100), b"reached")
        os.close(file)
        os.close(directory)

    def test_a_hundred_thousand_names(self):
        """A directory of 100,000 entries (a mail queue) would come back incomplete."""
        directory = os.open(self.state, os.O_RDONLY)
        for i in range(1000):
            os.close(os.open("file-%d" % i, os.O_WRONLY | os.O_CREAT, dir_fd=directory))
            for k in range(99):
                os.link("file-%d" % i, "link-%d-%d" % (i, k), src_dir_fd=directory,
                        dst_dir_fd=directory)
        os.close(directory)
        expected = sorted(os.listdir(self.state))
        self.assertEqual(len(expected), 100000)
        self.checkpoint()
        self.assertEqual(judges.fsck(self.image), "")
        with judges.mounted(self.image) as mount:
            if mount:
                self.assertEqual(sorted(os.listdir(beneath(mount, self.state))), expected)
        self.restore()
        back = self.restored()
        self.assertEqual(sorted(os.listdir(back)), expected)
        for i in (0, 1, 500, 999):
            numbers = {os.stat(back / name).st_ino
                       for name in ["file-%d" % i] + ["link-%d-%d" % (i, k) for k in range(99)]}
            self.assertEqual(len(numbers), 1, "the names of file-%d are no longer one file" % i)
        self.assertEqual(os.stat(back / "file-7").st_nlink, 100)

    def test_nothing_at_all(self):
        """An empty state directory would be taken for an error, and stop the reboot."""
        self.round_trip()
        self.assertEqual(list(snapshot.take(self.restored())), [b""])
