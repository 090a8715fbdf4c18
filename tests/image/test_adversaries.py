# SPDX-License-Identifier: GPL-2.0-or-later
"""
Users beside a restore of root's, and images with setuid and special files that not every machine
should accept.
"""

import os
import pathlib
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

from .support import program, scratch, snapshot
from .support.case import ImageCase
from .support.program import DONE, FAILED, REFUSED

ATTACKER = pathlib.Path(__file__).resolve().parent / "support" / "attacker.py"
ATTACKS = int(os.environ.get("ATTACKS", "15"))
USER = 1000
LARGE = 2_500_000  # never within one span
SECRET = "root's secret"


class Attack(ImageCase):
    """
    Root restores into a directory that uid 1000 may write to, while uid 1000 does what it can. No delay
    is injected. A restore may fail because of it, but nothing may be gained.
    """

    needs_root = True

    def setUp(self):
        super().setUp()
        # Where a freed inode number is given out again at once, if /tmp is such a file system.
        self.box = pathlib.Path(tempfile.mkdtemp(prefix="pmem-preserve-", dir="/tmp"))
        self.addCleanup(scratch.remove, self.box)
        self.box.chmod(0o755)
        self.state, self.target, self.image = (self.box / name for name in
                                               ("state", "target", "image"))
        self.state.mkdir()
        self.target.mkdir()
        self.place = self.restored()
        self.endings = {}

    def start_attacker(self, *words):
        attacker = subprocess.Popen([sys.executable, ATTACKER, *map(str, words)],
                                    stdout=subprocess.PIPE)
        attacker.stdout.readline()
        return attacker

    def empty_the_target(self, mode):
        scratch.remove(self.target)
        self.place.mkdir(parents=True)
        self.place.chmod(mode)
        os.chown(self.place, USER, USER)

    def attack(self, words, judge, place=None, mode=0o777, prepare=lambda: None, options=()):
        """@judge returns what can be seen to have been gained, or nothing."""
        gained = {}
        for _ in range(ATTACKS):
            self.empty_the_target(mode)
            prepare()
            attacker = self.start_attacker(words[0], place or self.place, *words[1:])
            try:
                result = program.run("restore", "--keep", "--image", self.image, "--into",
                                     self.target, *options)
            finally:
                attacker.kill()
                told = attacker.stdout.read().decode().split("\n")[:-1]
                attacker.stdout.close()
                attacker.wait()
            self.assertIn(result.status, (DONE, FAILED, REFUSED), str(result))
            self.endings[result.status] = self.endings.get(result.status, 0) + 1
            seen = judge()
            for what in {*told, *([seen] if seen else [])}:
                gained[what] = gained.get(what, 0) + 1
        self.assertEqual(gained, {}, "in %d tries, %s by exit status" % (ATTACKS, self.endings))

    def test_a_link_into_a_closed_directory(self):
        """A user puts a file or a symlink of their own into root's directory, by root's link(2)."""
        (self.state / "private").mkdir(0o700)
        for number in range(200):
            (self.state / f"first{number}").write_text(SECRET)
            os.link(self.state / f"first{number}", self.state / "private" / f"link{number}")
        (self.state / "large").write_bytes(bytes(LARGE))
        self.state.chmod(0o777)
        self.checkpoint()

        def judge():
            private = self.place / "private"
            if not private.exists():
                return None
            for path in private.iterdir():
                if path.is_symlink() or path.lstat().st_uid == USER:
                    return "put a file of its own into root's directory"
            return None

        self.attack(["link", "first", 200], judge)

    def test_a_descriptor_on_a_closed_file(self):
        """A user keeps a file open that root then fills and closes to everybody."""
        (self.state / "before").write_bytes(bytes([1]) * (8 * LARGE))
        (self.state / "secret").write_bytes((SECRET * (LARGE // len(SECRET))).encode())
        os.chmod(self.state / "secret", 0o600)
        self.state.chmod(0o777)
        self.checkpoint()
        self.attack(["descriptor", "secret", SECRET], lambda: None)

    def test_swapped_directories(self):
        """A directory that only root may enter gets the mode of one that is open to all."""
        names = []
        for number in range(20):
            for name, mode in ((f"closed{number}", 0o700), (f"open{number}", 0o777)):
                (self.state / name).mkdir()
                (self.state / name / f"in-{name}").write_text(SECRET)
                (self.state / name).chmod(mode)
                names.append(name)
        self.state.chmod(0o777)
        self.checkpoint()

        def judge():
            for path in self.place.iterdir():
                mode = stat.S_IMODE(path.lstat().st_mode)
                if mode != 0o700 and path.is_dir() and any(
                        inner.name.startswith("in-closed") for inner in path.iterdir()):
                    return "entered a directory that was closed"
            return None

        self.attack(["swap", *names], judge)

    def test_swapped_devices(self):
        """A device that only root may use gets the mode of one that all may use."""
        try:
            os.mknod(self.box / "probe", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except OSError as error:
            self.skipTest(str(error))
        names = []
        for number in range(100):
            for name, mode, minor in ((f"dev{number}a", 0o600, 99), (f"dev{number}b", 0o666, 3)):
                os.mknod(self.state / name, stat.S_IFCHR, os.makedev(1, minor))
                os.chmod(self.state / name, mode)
                names.append(name)
        self.state.chmod(0o777)
        self.checkpoint()

        def judge():
            for path in self.place.iterdir():
                status = path.lstat()
                if status.st_rdev == os.makedev(1, 99) and status.st_mode & 0o077:
                    return "may use a device that was closed"
            return None

        self.attack(["swap", *names], judge, options=("-j", "1"))

    def test_something_unfinished(self):
        """A service, or an attacker, reads half of a state and takes it for the whole."""
        (self.state / "large").write_bytes(os.urandom(4 * LARGE))
        (self.state / "directory").mkdir()
        for number in range(100):
            (self.state / "directory" / f"file{number}").write_text(SECRET)
        self.state.chmod(0o777)
        self.checkpoint()
        self.attack(["enter", "large", 4 * LARGE], lambda: None)

    def lure(self, mode):
        """Root's directory beside the state must stay as it is, whatever it is called."""
        parent = self.place.parent
        (self.state / "directory").mkdir()
        (self.state / "directory" / "file").write_text(SECRET)
        self.checkpoint()

        def prepare():
            self.place.rmdir()
            parent.chmod(mode)
            os.chown(parent, USER, USER)
            (parent / "precious").mkdir(0o700)
            (parent / "precious" / "file").write_text("precious")

        def judge():
            if not any(path.name == "file" and path.read_text() == "precious"
                       for path in parent.rglob("file")):
                return "made root remove a directory"
            for path in parent.rglob("directory"):
                if any(stat.S_IMODE(above.stat().st_mode) & 0o022 and above.owner() != "root"
                       for above in path.parents if parent in above.parents):
                    return "has what root restored in a directory of its own"
            return None

        self.attack(["lure", "precious"], judge, place=parent, prepare=prepare)

    def test_the_directory_around_is_the_attackers(self):
        """Whoever owns /srv/x can rename everything in it, and so what the program works with."""
        self.lure(0o777)

    def test_the_directory_around_is_sticky(self):
        """The same in a directory like /tmp, but owned by the attacker."""
        self.lure(0o1777)

    def test_a_name_like_that_of_a_leftover(self):
        """A user would have root remove any directory of root's that they can rename."""
        (self.state / "file").write_text("file")
        self.checkpoint()
        self.empty_the_target(0o777)
        precious = self.place / ".pmem-preserve-01234567"
        precious.mkdir(0o700)
        (precious / "file").write_text("precious")
        self.restore()
        self.assertEqual((precious / "file").read_text(), "precious")


@unittest.skipUnless(os.geteuid() == 0, "only root can make devices, and give files away")
class NoSpecial(ImageCase):
    def setUp(self):
        super().setUp()
        os.mknod(self.state / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.link(self.state / "null", self.state / "null-linked")
        os.mknod(self.state / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 99))
        for name, mode in (("setuid", 0o4755), ("setgid", 0o2755), ("both", 0o6711),
                           ("plain", 0o755), ("sticky", 0o1644)):
            (self.state / name).write_text(name)
            os.chmod(self.state / name, mode)
        os.link(self.state / "setuid", self.state / "setuid-linked")
        (self.state / "directory").mkdir()
        os.chmod(self.state / "directory", 0o3775)
        os.mkfifo(self.state / "fifo")
        with socket.socket(socket.AF_UNIX) as end:
            os.chdir(self.state)
            end.bind("socket")
            os.chdir("/")
        (self.state / "link").symlink_to("null")
        self.has_capability = False
        try:
            os.setxattr(self.state / "plain", "security.capability",
                        bytes.fromhex("0100000200040000000000000000000000000000"))
            os.setxattr(self.state / "plain", "user.kept", b"kept")
            self.has_capability = True
        except OSError:
            pass
        self.checkpoint()

    def modes(self):
        return {path.name: stat.S_IMODE(path.lstat().st_mode)
                for path in self.restored().iterdir()}

    def expect_ordinary(self):
        """Nothing in the target may let a user become root."""
        modes = self.modes()
        self.assertEqual(sorted(modes), ["both", "directory", "fifo", "link", "plain", "setgid",
                                         "setuid", "setuid-linked", "socket", "sticky"])
        self.assertEqual(modes["setuid"], 0o755)
        self.assertEqual(modes["setgid"], 0o755)
        self.assertEqual(modes["both"], 0o711)
        self.assertEqual(modes["sticky"], 0o1644)
        self.assertEqual(modes["directory"], 0o3775)
        self.assertTrue((self.restored() / "setuid").samefile(self.restored() / "setuid-linked"))
        self.assertEqual((self.restored() / "both").read_text(), "both")
        names = os.listxattr(self.restored() / "plain")
        self.assertNotIn("security.capability", names)
        if self.has_capability:
            self.assertIn("user.kept", names)

    def test_option(self):
        result = self.restore("--no-special")
        self.expect_ordinary()
        for name in ("null", "null-linked", "disk"):
            self.assertIn(f"{self.state}/{name}: a device", result.text)
        self.assertIn(f"{self.state}/setuid: setuid", result.text)

    def test_what_was_left_out_is_told(self):
        """An operator must learn why a service lacks its device."""
        result = self.expect(DONE, "--json", "restore", "--no-special", "--image", self.image,
                             "--into", self.target)
        told = {(os.path.basename(item["path"]), item["what"])
                for item in result.json["left_out"]}
        wanted = {("null", "a device"), ("null-linked", "a device"), ("disk", "a device"),
                  ("setuid", "setuid"), ("setuid-linked", "setuid"), ("setgid", "setgid"),
                  ("both", "setuid"), ("both", "setgid")}
        if self.has_capability:
            wanted.add(("plain", "capabilities"))
        self.assertEqual(told, wanted)

    def test_configured(self):
        """At boot nobody can give options: the configuration file counts."""
        config = self.box / "config"
        config.write_text("special = no\n")
        self.expect(DONE, "--config", config, "restore", "--image", self.image, "--into",
                    self.target)
        self.expect_ordinary()

    def test_with_overwrite(self):
        """A device that existed before is not from the checkpoint, and is kept."""
        place = self.restored()
        place.mkdir(parents=True)
        (place / "disk").write_text("mine")
        (place / "setuid").write_text("old")
        os.chmod(place / "setuid", 0o4755)
        self.restore("--no-special", "--overwrite")
        self.assertEqual((place / "disk").read_text(), "mine")
        (place / "disk").unlink()
        self.expect_ordinary()

    def test_without_it(self):
        """Without the option everything is restored."""
        before = snapshot.take(self.state)
        self.restore()
        self.assert_restored(before)
