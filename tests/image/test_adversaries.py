# SPDX-License-Identifier: GPL-2.0-or-later
"""
Those who can write to the target while root restores into it. Nothing outside of the target may
change.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

from support import program, snapshot
from support.case import ImageCase
from support.program import DONE, FAILED, REFUSED

RACER = pathlib.Path(__file__).resolve().parent / "support" / "racer.py"
TRIES = int(os.environ.get("PMEM_PRESERVE_RACES", "25"))
SPLIT = 2_500_000  # never within one span


def stop(process):
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)


class Race(ImageCase):
    """Each try restores into a new directory, and the racer sleeps in between."""

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
        """@pairs: (name in the state, path outside). How many tries ended how."""
        before = snapshot.take(self.outside)
        endings = {}
        place = self.restored()
        racer = self.start_racer(kind, *(str(word) for name, other in pairs
                                         for word in (place / name, other)))
        for _ in range(TRIES):
            place.mkdir(parents=True)
            prepare(place)
            racer.send_signal(signal.SIGCONT)
            result = program.run("restore", "--keep", "--image", self.image, "--into",
                                 self.target, *options)
            stop(racer)
            self.assertIn(result.status, (DONE, FAILED, REFUSED), str(result))
            endings[result.status] = endings.get(result.status, 0) + 1
            shutil.rmtree(self.target)
            self.target.mkdir()
            self.assert_same(before, snapshot.take(self.outside), "what lies outside")
        self.assertGreater(TRIES, endings.get(DONE, 0), "the racer was always too late")

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
        """A file that is filled in pieces is opened by its name again: by then it may be another."""
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
        """Owner and mode would be given to a file elsewhere."""
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
        """Opening it would wait for a reader for ever, and the boot with it."""
        (self.state / "file").write_bytes(os.urandom(SPLIT))
        os.mkfifo(self.outside / "fifo")
        self.checkpoint()
        self.race("link", [("file", self.outside / "fifo")])
