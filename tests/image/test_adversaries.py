# SPDX-License-Identifier: GPL-2.0-or-later
"""
Processes that change the target while root restores into it, and images with setuid and special
files that not every machine should accept. Nothing outside of the target may change.
"""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

from .support import program, snapshot
from .support.case import ImageCase
from .support.program import DONE, FAILED, REFUSED

RACER = pathlib.Path(__file__).resolve().parent / "support" / "racer.py"
TRIES = int(os.environ.get("PMEM_PRESERVE_RACES", "15"))  # more if the racer was never in time
DEADLINE = 60  # seconds for that
SPLIT = 2_500_000  # never within one span


def stop(process):
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)


class Race(ImageCase):
    """Each try restores into a new directory; the racer is stopped in between."""

    def setUp(self):
        super().setUp()
        self.outside = self.box / "outside"
        self.outside.mkdir()

    def start_racer(self, kind, *words):
        racer = subprocess.Popen([sys.executable, RACER, kind, *words], stdout=subprocess.PIPE)
        self.addCleanup(racer.wait)
        self.addCleanup(racer.kill)
        self.addCleanup(racer.stdout.close)
        racer.stdout.readline()
        stop(racer)
        return racer

    def race(self, kind, pairs, prepare=lambda place: None, options=()):
        """@pairs: (name in the state, path outside). Returns {exit status: tries}."""
        before = snapshot.take(self.outside)
        endings = {}
        place = self.restored()
        racer = self.start_racer(kind, *(str(word) for name, other in pairs
                                         for word in (place / name, other)))
        deadline = time.monotonic() + DEADLINE
        while sum(endings.values()) < TRIES or endings.keys() == {DONE}:
            if endings.keys() == {DONE} and time.monotonic() > deadline:
                self.skipTest(f"the racer was too late in each of {endings[DONE]} tries")
            place.mkdir(parents=True)
            prepare(place)
            racer.send_signal(signal.SIGCONT)
            result = program.run("restore", "--keep", "--image", self.image, "--into",
                                 self.target, *options)
            stop(racer)
            self.assertIn(result.status, (DONE, FAILED, REFUSED), str(result))
            endings[result.status] = endings.get(result.status, 0) + 1
            self.empty_target()
            self.assert_same(before, snapshot.take(self.outside), "what lies outside")

    def test_directories_become_symlinks(self):
        """Root would write into /etc for somebody who owns a directory on the way there."""
        pairs = []
        for number in range(6):
            name = f"directory{number}"
            for top in (self.state, self.outside):
                (top / name / "sub").mkdir(parents=True)
                for file in range(40):
                    (top / name / "sub" / f"file{file}").write_text(f"{top.name} {file}")
            os.symlink(self.outside / name, self.box / f"link{number}")
            pairs.append((name, f"decoy{number}"))
        (self.state / "directory0" / "sub" / "large").write_bytes(os.urandom(SPLIT))
        (self.outside / "directory0" / "sub" / "large").write_bytes(bytes(SPLIT))
        self.checkpoint()
        place = self.restored()

        def prepare(_):
            for name, decoy in pairs:
                os.symlink(self.outside / name, place / decoy)

        self.race("exchange", [(name, place / decoy) for name, decoy in pairs], prepare)

    def test_files_become_links_to_the_outside(self):
        """A file written in pieces is opened by name again, and may be another one by then."""
        pairs = []
        for number in range(6):
            (self.state / f"file{number}").write_bytes(os.urandom(SPLIT))
            os.chmod(self.state / f"file{number}", 0o666)
            victim = self.outside / f"victim{number}"
            victim.write_bytes(b"precious\n" * 1000)
            victim.chmod(0o600)
            pairs.append((f"file{number}", victim))
        self.checkpoint()
        self.race("link", pairs)

    def test_special_files_become_links_to_the_outside(self):
        """Owner and mode of a file elsewhere would be changed."""
        pairs = []
        for number in range(300):
            os.mkfifo(self.state / f"fifo{number}")
            os.chmod(self.state / f"fifo{number}", 0o666)
        os.mkfifo(self.outside / "victim", 0o600)
        for number in range(0, 300, 7):
            pairs.append((f"fifo{number}", self.outside / "victim"))
        self.checkpoint()
        self.race("link", pairs, options=("-j", "1"))

    def test_a_fifo_in_place_of_a_file(self):
        """Opening it would wait for a reader forever, and so would the boot."""
        (self.state / "file").write_bytes(os.urandom(SPLIT))
        os.mkfifo(self.outside / "fifo")
        self.checkpoint()
        self.race("link", [("file", self.outside / "fifo")])


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
