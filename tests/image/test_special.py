# SPDX-License-Identifier: GPL-2.0-or-later
"""Links of both kinds, fifos, sockets, devices."""

import os
import socket
import stat

from .support import snapshot
from .support.case import ImageCase


class Links(ImageCase):
    def test_hard_links_across_directories(self):
        """Two names of one file (git objects, a package cache) would become two files."""
        for name in ("a", "b", "b/deep"):
            (self.state / name).mkdir()
        (self.state / "b" / "original").write_text("content")
        os.link(self.state / "b" / "original", self.state / "a" / "first in order")
        os.link(self.state / "b" / "original", self.state / "b" / "deep" / "third")
        (self.state / "empty").touch()
        os.link(self.state / "empty", self.state / "a" / "empty too")
        (self.state / "large").write_bytes(os.urandom(3 << 20))
        os.link(self.state / "large", self.state / "b" / "large")
        self.round_trip()

    def test_hard_links_of_other_kinds(self):
        """Fifos and symlinks can have several names, too."""
        os.mkfifo(self.state / "fifo")
        os.link(self.state / "fifo", self.state / "zfifo")
        os.symlink("target", self.state / "link")
        os.link(self.state / "link", self.state / "zlink", follow_symlinks=False)
        os.mknod(self.state / "socket", stat.S_IFSOCK | 0o600)
        os.link(self.state / "socket", self.state / "zsocket")
        self.round_trip()

    def test_a_link_to_the_outside(self):
        """A file with another name outside of the state would be refused or lost."""
        (self.box / "outside").write_text("shared")
        os.link(self.box / "outside", self.state / "inside")
        self.round_trip()

    def test_symlinks(self):
        """Links that dangle, loop, or have the maximum length would be followed or cut."""
        for number, target in enumerate(("nowhere", "/", "..", "link-2", "\n", "x" * 59, "x" * 60,
                                         "y" * 3967, "y" * 3968, "y" * 3969, "z" * 4031,
                                         "z" * 4032, "z" * 4033, "z" * 4095)):
            os.symlink(target, self.state / ("link-%d" % number))
        os.symlink(b"\xff\xfe", os.fsencode(self.state) + b"/bytes")
        self.round_trip()


class Nodes(ImageCase):
    def test_fifos_and_sockets(self):
        """Opening a fifo would block the checkpoint forever; a socket would make it fail."""
        os.mkfifo(self.state / "fifo", 0o622)
        with socket.socket(socket.AF_UNIX) as server:
            here = os.open(self.state, os.O_RDONLY)
            server.bind("/proc/self/fd/%d/socket" % here)
            os.close(here)
            self.round_trip()


class Devices(ImageCase):
    needs_root = True

    def test_devices(self):
        """A container's /dev, or an overlay's whiteouts (0:0), would come back as other devices."""
        for number, (major, minor) in enumerate(((1, 3), (0, 0), (8, 255), (8, 256), (259, 65536),
                                                 (4095, 1048575))):
            os.mknod(self.state / ("c%d" % number), stat.S_IFCHR | 0o620,
                     os.makedev(major, minor))
            os.mknod(self.state / ("b%d" % number), stat.S_IFBLK | 0o604,
                     os.makedev(major, minor))
        self.round_trip()


class Many(ImageCase):
    def test_in_several_threads(self):
        """Descriptors of one thread would be used by another: modes would be set on other files."""
        for i in range(4000):
            path = self.state / f"fifo{i:04}"
            os.mkfifo(path)
            path.chmod(0o400 + i % 0o400)
        before = snapshot.take(self.state)
        self.checkpoint(options=("--threads", "4"))
        self.restore("--threads", "4")
        self.assert_restored(before)
