# SPDX-License-Identifier: GPL-2.0-or-later
"""Owner, mode, times and extended attributes of every kind of file."""

import os
import stat
import struct

from .support import scratch, snapshot
from .support.case import ImageCase
from .support.program import DONE
from .support.scratch import ACL_GROUP_OBJ, ACL_MASK, ACL_OTHER, ACL_USER, ACL_USER_OBJ, acl

CAP_NET_RAW = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def kinds(state, devices):
    """One of each kind of file; returns their paths."""
    (state / "file").write_text("content")
    (state / "empty").touch()
    (state / "directory").mkdir()
    (state / "symlink").symlink_to("nowhere")
    os.mkfifo(state / "fifo")
    os.mknod(state / "socket", stat.S_IFSOCK | 0o600)
    if devices:
        os.mknod(state / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    return sorted(state.iterdir())


class Modes(ImageCase):
    def test_modes(self):
        """A private key would become readable, or a program lose its setuid bit."""
        for mode in (0, 0o400, 0o644, 0o777, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777):
            file, directory = self.state / ("f%o" % mode), self.state / ("d%o" % mode)
            file.write_text("x")
            directory.mkdir()
            (directory / "inside").write_text("y")
            if os.geteuid() == 0 or mode & 0o400:
                file.chmod(mode)
            if os.geteuid() == 0 or mode & 0o700 == 0o700:
                directory.chmod(mode)
        self.round_trip()

    def test_times(self):
        """Builds and backups go by mtime: a lost nanosecond makes everything out of date."""
        for number, time in enumerate((0, 1, 999999999, 10**18 + 1, 4294967295 * 10**9,
                                       4294967296 * 10**9 + 5)):
            path = self.state / str(number)
            path.write_text("x")
            os.utime(path, ns=(5, time))
        (self.state / "directory").mkdir()
        (self.state / "directory" / "child").write_text("x")
        os.utime(self.state / "directory", ns=(7, 123456789123456789))
        os.symlink("x", self.state / "link")
        os.utime(self.state / "link", ns=(7, 987654321987654321), follow_symlinks=False)
        self.round_trip()


class FarTimes(ImageCase):
    needs = ("times before 1970", "times after 2106")

    def test_far_times(self):
        """Dates before 1970 or after 2106 would wrap around."""
        for name, time in (("old", scratch.BEFORE_1970), ("minus one", -1),
                           ("new", scratch.AFTER_2106)):
            (self.state / name).mkdir()
            (self.state / name / "file").write_text(name)
            os.utime(self.state / name / "file", ns=(time, time))
            os.utime(self.state / name, ns=(time, time))
        self.round_trip()


class NoWorkingDirectory(ImageCase):
    needs = ("ACLs",)
    needs_root = True

    def test_one_that_cannot_be_entered(self):
        """A service could not be checkpointed from a working directory that it cannot enter."""
        (self.state / "file").write_text("x")
        os.setxattr(self.state / "file", "system.posix_acl_access", scratch.SMALL_ACL)
        closed = self.box / "closed"
        closed.mkdir(0o700)
        for path in (self.box, self.state, self.state / "file"):
            os.chown(path, 1000, 1000)
        self.box.chmod(0o755)
        before = snapshot.take(self.state)
        self.expect(DONE, "checkpoint", "--image", self.image, self.state, cwd=closed, user=1000,
                    group=1000, extra_groups=[])
        self.restore()
        self.assert_restored(before)


class Owners(ImageCase):
    needs_root = True

    def test_owners(self):
        """User namespaces use ids beyond 2^31: files of containers would change their owners."""
        for number in (0, 1, 65534, 65535, 65536, 2147483648, 4294967294):
            for path in kinds_in(self.state / str(number)):
                os.chown(path, number, 4294967294 - number, follow_symlinks=False)
        self.round_trip()

    def test_setuid_of_another_user(self):
        """chown clears setuid: the program would come back without the bit."""
        for path, mode in ((self.state / "setuid", 0o4755), (self.state / "setgid", 0o2775)):
            path.write_text("#!")
            os.chown(path, 1234, 5678)
            path.chmod(mode)
        (self.state / "shared").mkdir()
        os.chown(self.state / "shared", 1234, 5678)
        (self.state / "shared").chmod(0o2770)
        (self.state / "shared" / "file").write_text("x")
        os.chown(self.state / "shared" / "file", 0, 0)
        self.round_trip()

    def test_what_a_target_hands_down(self):
        """A setgid directory and a umask in the target must not affect groups and modes."""
        for number, mode in enumerate((0o400, 0o644, 0o666, 0o2755, 0o000)):
            directory = self.state / str(number)
            directory.mkdir()
            for owner in (0, 1234):
                path = directory / str(owner)
                path.write_text("x" * number)
                os.chown(path, owner, owner)
                path.chmod(mode)
        (self.state / "top").write_text("x")
        (self.state / "top").chmod(0o666)
        before = snapshot.take(self.state)
        self.checkpoint()
        for mask, there in ((0o077, False), (0o777, True)):
            self.target = self.box / f"target{mask}"
            self.target.mkdir()
            os.chown(self.target, 1234, 5678)
            self.target.chmod(0o2777)
            if there:
                self.restored().mkdir(parents=True)
            self.expect(DONE, "restore", "--keep", "--image", self.image, "--into", self.target,
                        umask=mask)
            self.assert_restored(before)


def kinds_in(directory):
    directory.mkdir()
    return kinds(directory, devices=True) + [directory]


class Attributes(ImageCase):
    needs_root = True
    needs = ("trusted xattrs", "security xattrs")

    def test_on_every_kind(self):
        """Labels on directories, links, fifos or devices would be lost, and access denied."""
        for path in kinds(self.state, devices=True) + [self.state]:
            os.setxattr(path, "trusted.kind", os.fsencode(path.name), follow_symlinks=False)
            os.setxattr(path, "security.label", b"system_u:\0" + os.fsencode(path.name),
                        follow_symlinks=False)
        self.round_trip()

    def test_values(self):
        """Values that are empty, binary or numerous would come back changed."""
        for number, length in enumerate((0, 1, 2, 3, 4, 255, 256, 4000, 4096, 5000, 65535)):
            path = self.state / ("length %d" % length)
            path.write_text("x")
            os.setxattr(path, "trusted.v", bytes(i % 256 for i in range(length)))
            os.setxattr(path, "trusted.n" + "n" * (243 - number), b"longest name")
        many = self.state / "many"
        many.mkdir()
        for number in range(600):
            os.setxattr(many, "trusted.attribute-%04d" % number, b"%d" % number * 20)
        link = self.state / "link"
        link.symlink_to("t" * 3000)
        os.setxattr(link, "trusted.x", b"v" * 3000, follow_symlinks=False)
        self.round_trip()

    def test_same_sets_are_not_mixed(self):
        """Files that share most attributes would get each other's."""
        for number in range(60):
            path = self.state / ("%02d" % number)
            path.touch()
            if number % 5:
                os.setxattr(path, "trusted.a", b"same")
            if number % 7 == 0:
                os.setxattr(path, "trusted.b", b"%d" % number)
        self.round_trip()

    def test_capabilities(self):
        """ping without its capability no longer works for users; chown must not come after it."""
        path = self.state / "ping"
        path.write_text("#!")
        os.chown(path, 1000, 1000)
        path.chmod(0o755)
        os.setxattr(path, "security.capability", CAP_NET_RAW)
        self.round_trip()


class LargeAttributes(ImageCase):
    needs_root = True
    needs = ("64 KiB xattrs",)

    def test_largest_value(self):
        """A value of 64 KiB is legal, but EROFS cannot hold it: ours must, beside EROFS."""
        for name in ("one", "two"):
            path = self.state / name
            path.write_text("x")
            os.setxattr(path, "trusted.large", name.encode() * 21845 + b"xxxxx"[:65536 % 21845])
        os.setxattr(self.state / "one", "trusted.exact", b"y" * 65536)
        os.setxattr(self.state / "two", "trusted.small", b"z")
        os.setxattr(self.state, "trusted.exact", b"w" * 65536)
        # The mounted image lacks these, which is documented.
        self.round_trip(mount=False)

    def test_more_than_an_inode_holds(self):
        """Attributes of more than 256 KiB on one file: the rest would be dropped silently."""
        path = self.state / "heavy"
        path.write_text("x")
        for number in range(9):
            os.setxattr(path, "trusted.n%d" % number, bytes([number]) * 60000)
        self.round_trip(mount=False)


class Acls(ImageCase):
    needs_root = True
    needs = ("ACLs", "trusted xattrs")

    DEFAULT = acl((ACL_USER_OBJ, 7, None), (ACL_USER, 7, 4242), (ACL_GROUP_OBJ, 5, None),
                  (ACL_MASK, 7, None), (ACL_OTHER, 0, None))

    def test_acls(self):
        """Users with access by an ACL would lose it, or others would gain it."""
        for name in ("file", "other"):
            (self.state / name).write_text("x")
            os.setxattr(self.state / name, "system.posix_acl_access", scratch.SMALL_ACL)
        shared = self.state / "shared"
        shared.mkdir()
        (shared / "before").write_text("made before the default was set")
        os.setxattr(shared, "system.posix_acl_default", self.DEFAULT)
        os.setxattr(shared, "system.posix_acl_access", self.DEFAULT)
        (shared / "after").write_text("inherits")
        (shared / "below").mkdir()
        (shared / "plain").mkdir()
        os.removexattr(shared / "plain", "system.posix_acl_default")
        os.removexattr(shared / "plain", "system.posix_acl_access")
        self.round_trip()

    def test_default_acl_of_the_target(self):
        """Files restored below a directory with a default ACL would be accessible to its users."""
        (self.state / "secret").write_text("for the owner only")
        (self.state / "secret").chmod(0o600)
        os.mkfifo(self.state / "fifo", 0o600)
        for source in (self.state, self.state / "secret", self.state / "fifo"):
            with self.subTest(source=source.name):
                before = snapshot.take(source)
                self.checkpoint(source, options=("--replace",))
                parent = self.restored(source).parent
                parent.mkdir(parents=True, exist_ok=True)
                os.setxattr(parent, "system.posix_acl_default", self.DEFAULT)
                self.restore()
                self.assert_same(before, snapshot.take(self.restored(source)),
                                 "restored below a default ACL")
                self.empty_target()
