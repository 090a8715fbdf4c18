# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that somebody else holds: no other user can keep the state from being saved, and whoever waits
for root's own lock can be stopped."""

import contextlib
import fcntl
import os
import signal
import subprocess
import time

from .support import program
from .support.keyed import KeyedCase
from .support.program import DONE

OTHER_USER = 1000

def become_other_user():
    os.setgroups([])
    os.setgid(OTHER_USER)
    os.setuid(OTHER_USER)


@contextlib.contextmanager
def locked_by_other_user(*paths):
    locks = [word for path in paths for word in ("flock", "--nonblock", path)]
    holder = subprocess.Popen([*locks, "sh", "-c", "echo locked; exec cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, preexec_fn=become_other_user)
    try:
        if holder.stdout.readline() != b"locked\n":
            raise AssertionError("the other user cannot lock " + ", ".join(map(str, paths)))
        yield
    finally:
        holder.stdin.close()
        holder.stdout.close()
        holder.wait()


class Locks(KeyedCase):
    def setUp(self):
        super().setUp()
        (self.state / "file").write_text("content")
        # As /var/lib/pmem-preserve is if the administrator has made it.
        directory = self.box / "lib"
        directory.mkdir(mode=0o755)
        self.counter = directory / "counter"
        self.configure()

    def start(self, *arguments):
        return program.start_words([program.PROGRAM, "--config", self.config, *arguments])

    def test_held_by_another_user(self):
        """A checkpoint and a restore would wait for ever, and the machine with them."""
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        self.checkpoint()
        self.restore()
        self.box.chmod(0o755)
        self.counter.chmod(0o644)
        with locked_by_other_user(self.counter.parent, self.counter, self.box):
            for command in (["checkpoint", "--image", self.image, self.state],
                            ["restore", "--image", self.image, "--into", self.target,
                             "--overwrite"]):
                result = program.finish(self.start(*command))
                self.assertEqual(result.status, DONE, str(result))
        self.assertEqual(self.counted(), 3 + 1)

    def test_sigterm(self):
        """It would have to be killed, and a unit with a long timeout would keep the machine up."""
        self.checkpoint()
        (self.state / "file").write_text("newer")
        lock = self.counter.with_name("counter.lock")
        with open(lock, "r+", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            process = self.start("checkpoint", "--replace", "--image", self.image, self.state)
            program.wait_until_open(process, lock)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            result = program.finish(process)
        self.assertLess(time.monotonic() - started, 5)
        self.assertIn("stopped by signal", result.text)
        self.assertIn("failed to update the generation counter", result.text)
        self.assertEqual(self.counted(), 1)
        self.restore()
        self.assertEqual((self.restored() / "file").read_text(), "newer")
