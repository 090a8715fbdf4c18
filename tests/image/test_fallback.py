# SPDX-License-Identifier: GPL-2.0-or-later
"""The fallback file, to which the state is saved when no memory can keep it.

The commands of the units, on a machine without a region.
"""

import fcntl
import os
import re
import signal
import socket
import subprocess
import time

from .support import compiler, keyed, program, snapshot
from .support.imagefile import ImageFile
from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT, REFUSED, USAGE
from .support.units import UnitsCase


def receive(datagrams):
    """The next state of the machine; empty if there is none."""
    try:
        return datagrams.recv(4096)
    except BlockingIOError:
        return b""


class Fallback(UnitsCase):

    def test_down_and_up(self):
        """At a poweroff the state would be lost with the memory."""
        before = snapshot.take(self.state)
        self.call(DONE, "shutdown", "poweroff")
        self.assertIn('PMEM_PRESERVE_OUTCOME="saved"', self.note("shutdown"))
        self.assertIn(f'PMEM_PRESERVE_PLACE="{self.fallback}"', self.note("shutdown"))
        self.empty_state()
        self.call(DONE, "boot")
        self.assertIn('PMEM_PRESERVE_OUTCOME="restored"', self.note("boot"))
        self.assert_same(before, snapshot.take(self.state), "the state after the boot")

    def test_again_and_again(self):
        """A restored checkpoint is replaced by the next, and never restored twice."""
        for generation in (1, 2, 3):
            (self.state / "file").write_text(f"round {generation}\n")
            self.call(DONE, "shutdown", "reboot")
            self.empty_state()
            self.call(DONE, "boot")
            self.assertEqual((self.state / "file").read_text(), f"round {generation}\n")
            self.assertIn(f'PMEM_PRESERVE_GENERATION="{generation}"', self.note("boot"))
            # The unit is started once more in the same boot.
            (self.state / "file").write_text("newer\n")
            self.call(DONE, "boot")
            self.assertIn('PMEM_PRESERVE_OUTCOME="restored"', self.note("boot"))
            self.assertEqual((self.state / "file").read_text(), "newer\n")

    def test_first_boot(self):
        self.call(NO_CHECKPOINT, "boot")
        self.assertIn('PMEM_PRESERVE_OUTCOME="none"', self.note("boot"))

    def test_damage(self):
        """A cold start must give its reason, and keep the checkpoint for inspection."""
        self.call(DONE, "shutdown", "poweroff")
        whole = self.fallback.read_bytes()
        self.empty_state()
        data = ImageFile(whole).header("data_offset")
        for at, length in ((data, 1), (40, 1), (0, 4096)):
            data = whole[:at] + bytes(byte ^ 0xa5 for byte in whole[at:at + length]) + \
                whole[at + length:]
            self.fallback.write_bytes(data)
            self.call(DAMAGED, "boot")
            self.assertIn('PMEM_PRESERVE_OUTCOME="damaged"', self.note("boot"))
            self.assertIn("PMEM_PRESERVE_REASON=", self.note("boot"))
            self.assertTrue(self.fallback.read_bytes() == data, "it was changed")
            self.assertEqual(list(self.state.iterdir()), [])
        self.call(DAMAGED, "verify")
        self.call(DONE, "discard")
        self.call(NO_CHECKPOINT, "boot")

    def test_something_is_in_the_way(self):
        """A checkpoint that could not be restored is kept until it can be."""
        self.call(DONE, "shutdown", "poweroff")
        (self.state / "file").write_text("somebody was faster\n")
        result = self.call(REFUSED, "boot")
        self.assertIn("systemctl start", result.text)
        self.assertIn('PMEM_PRESERVE_OUTCOME="failed"', self.note("boot"))
        self.assertEqual((self.state / "file").read_text(), "somebody was faster\n")
        self.empty_state()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "file").read_text(), "first\n")
        self.assertIn('PMEM_PRESERVE_OUTCOME="restored"', self.note("boot"))

    def test_unrestored_is_not_replaced(self):
        """Two shutdowns without a restore: the second does not overwrite the first state."""
        self.call(DONE, "shutdown", "poweroff")
        kept = self.fallback.read_bytes()
        self.call(REFUSED, "shutdown", "poweroff")
        self.assertEqual(self.fallback.read_bytes(), kept)
        self.assertIn('PMEM_PRESERVE_OUTCOME="failed"', self.note("shutdown"))
        self.assertIn("holds a checkpoint that was not restored", self.problems())
        self.empty_state()
        self.call(DONE, "boot")
        self.assertNotIn("was not restored", self.problems())

    def test_none_configured(self):
        """Nothing is lost silently."""
        self.configure()
        result = self.call(FAILED, "shutdown", "poweroff")
        self.assertIn("does not survive a poweroff", result.text)
        self.assertIn("the state is not kept", self.note("shutdown"))

    def test_inside_the_state(self):
        """The file cannot hold itself: on the way down it would be too late to find that out."""
        inside = self.state / "fallback.img"
        self.configure(f"fallback = {inside}")
        for said in (self.problems(), self.call(NO_CHECKPOINT, "boot").text):
            self.assertIn(f"the fallback file {inside} lies in the state {self.state}", said)
            self.assertIn("choose a place outside of the state", said)
        said = self.call(USAGE, "checkpoint", "--image", inside).text
        self.assertIn("name one outside of it", said)
        self.call(USAGE, "shutdown", "reboot")
        self.assertIn(f"image file is inside {self.state}", self.note("shutdown"))
        self.assertEqual(os.listdir(self.state), ["file"])

    def test_inside_one_of_the_states(self):
        """It can hold the others, which would be lost."""
        disk = self.box / "disk"
        disk.mkdir()
        (disk / "kept").write_text("by the disk\n")
        (self.box / "link").symlink_to(disk)
        self.configure(f"state = {disk}", f"fallback = {self.box}/link/fallback.img")
        self.assertIn(f"lies in the state {disk}", self.problems())
        self.assertIn(f"{disk} is left out", self.call(DONE, "shutdown", "reboot").text)
        self.assertIn(f"left out: {disk}: ", self.note("shutdown"))
        self.next_boot()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "file").read_text(), "first\n")
        self.assertEqual((disk / "kept").read_text(), "by the disk\n")

    def test_sigterm_ends_a_wait(self):
        """Whoever holds the lock could keep a unit from being stopped."""
        lock = self.notes / "lock"
        with open(lock, "w", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            process = self.start("boot")
            program.wait_until_open(process, lock)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            result = program.finish(process)
        self.assertEqual(result.status, FAILED, str(result))
        self.assertIn("stopped by signal", result.text)
        self.assertLess(time.monotonic() - started, 15)

    def systemd_with(self, *unit):
        """A systemd in whose queue there is a job for @unit; it ends with the test."""
        source = program.REPOSITORY / "tests" / "unit" / "fake-systemd.c"
        server = compiler.build("serve-systemd.c", source, "-lsystemd")
        self.private.unlink(missing_ok=True)
        process = subprocess.Popen([server, self.private, *unit], stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")

    def test_the_machine_stays(self):
        """Without systemd, or with no shutdown in progress, nothing happens."""
        self.call(FAILED, "shutdown")
        self.systemd_with()
        result = self.call(DONE, "shutdown")
        self.assertIn("is not going down", result.text)
        self.assertFalse(self.fallback.exists())
        self.assertEqual(list(self.notes.iterdir()), [])
        self.systemd_with("poweroff.target")
        self.call(DONE, "shutdown")
        self.assertTrue(self.fallback.exists())

    def test_service_that_may_hang(self):
        """With the memory taken and the services stopping, it would keep the machine from going down."""
        self.mounts = "mkdir /run/systemd/system"
        self.systemd_with("redis-server.service")
        for options in ([], ["--dry-run"]):
            said = self.call(REFUSED, "kexec", *options).text
            self.assertIn("redis-server.service", said)
            self.assertIn(f"TimeoutStopSec=90 and ReadWritePaths={self.state}", said)
        self.assertIn("the machine might never go down", self.problems())

    def test_systemd_is_asked_for_time(self):
        """With a long deadline the unit would be killed before the fallback is tried."""
        self.configure(f"fallback = {self.fallback}", "deadline = 600", "survives = reboot")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(os.fsencode(self.box / "notify"))
            self.call(DONE, "shutdown", "reboot",
                      environment={"NOTIFY_SOCKET": str(self.box / "notify")})
            systemd.setblocking(False)
            heard = b"\n".join(iter(lambda: receive(systemd), b""))
        microseconds = [int(text) for text in re.findall(rb"EXTEND_TIMEOUT_USEC=(\d+)", heard)]
        self.assertGreaterEqual(len(microseconds), 2, heard)
        self.assertGreater(min(microseconds), 600 * 10**6)
        self.assertIn(b"STATUS=The checkpoint is committed", heard)

    def test_errors_are_all_told(self):
        """Whoever corrects one error only to meet the next does not trust the program."""
        wrong = ["fallbak = /x", "deadline = soon", "just words", "key = 1 # one"]
        self.configure(*wrong, f"fallback = {self.fallback} # on the disk")
        for command in ("checkpoint", "kexec", "prepare", "hot-add", "list"):
            said = self.call(USAGE, command).text
            for line in range(3, 8):
                self.assertIn(f"{self.config}:{line}: ", said)
        self.assertIn('is it "fallback"?', said)
        problems = self.problems()
        for line in range(3, 8):
            self.assertIn(f"{self.config}:{line}: ", problems)
        self.config.unlink()
        self.assertIn("cannot be read", self.problems())

    def test_errors_since_the_boot(self):
        """One wrong key cost the whole state, although all was good at boot."""
        for lines in (["fallbak = /x"], ["deadline = soon", f"fallback = {self.fallback}"],
                      ["fallback = relative"], ["[section]"], ["key-file"], None):
            with self.subTest(lines):
                self.configure(f"fallback = {self.fallback}")
                self.call(NO_CHECKPOINT, "boot")
                if lines:
                    self.configure(*lines)
                else:
                    self.config.unlink()
                said = self.call(DONE, "shutdown", "poweroff").text
                self.assertIn(str(self.config), said)
                self.assertEqual((self.notes / "config").stat().st_mode & 0o777, 0o600)
                self.empty_state()
                self.configure(f"fallback = {self.fallback}")
                self.next_boot()
                self.call(DONE, "boot")
                self.assertEqual((self.state / "file").read_text(), "first\n")
                self.next_boot()
                (self.state / "file").write_text("first\n")

    def test_errors_at_boot(self):
        """A typo must neither cost the state nor let a forged one in."""
        self.call(DONE, "shutdown", "poweroff")
        self.empty_state()
        for line in ("keyfile = /etc/key", "key-file = key", "special = nope"):
            self.configure(f"fallback = {self.fallback}", line)
            self.assertIn("it is not known what may be restored", self.call(REFUSED, "boot").text)
            self.assertEqual(list(self.state.iterdir()), [])
        self.configure(f"fallback = {self.fallback}", "deadlin = 20", "[section]")
        self.assertIn("deadlin", self.call(DONE, "boot").text)
        self.assertEqual((self.state / "file").read_text(), "first\n")

    def test_broken_configuration(self):
        """A typo must not suppress the last message, or the creation of a new file."""
        self.config.write_text("stat = /var/state\n")
        self.call(FAILED, "shutdown", "poweroff")
        self.call(DONE, "last-look", "poweroff")
        result = self.call(REFUSED, "setup", self.state)
        self.assertIn("--replace", result.text)

    def test_last_word(self):
        """The console must show in time whether the state is kept."""
        self.assertIn("pmem-preserve.service saved no state", self.last_word())
        self.call(DONE, "shutdown", "poweroff")
        self.assertIn(f"{self.fallback} holds the state (generation 1", self.last_word())
        with open(self.fallback, "r+b") as file:
            file.write(bytes(4096))
        self.assertIn(f"{self.fallback} should hold the state, and does not", self.last_word())
        # The file system of the image is unmounted by then.
        self.fallback.unlink()
        self.assertIn(f"the state was saved to {self.fallback}", self.last_word())
        self.configure()
        self.call(FAILED, "shutdown", "poweroff")
        self.assertIn("the state was not saved: the memory does not survive", self.last_word())

    def test_with_a_key(self):
        """On a disk that others can write to, a forged or an old state is not restored."""
        key, counter = keyed.write_key(self.box / "key"), self.box / "counter"
        lines = f"fallback = {self.fallback}", f"key-file = {key}", f"counter-file = {counter}"
        self.configure(*lines)
        self.call(DONE, "shutdown", "poweroff")
        old = self.fallback.read_bytes()
        self.empty_state()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "file").read_text(), "first\n")
        self.call(DONE, "status")
        self.empty_state()
        self.fallback.write_bytes(old)
        self.assertIn("is an old one", self.call(REFUSED, "boot").text)
        self.assertIn('PMEM_PRESERVE_OUTCOME="failed"', self.note("boot"))
        self.fallback.unlink()
        self.configure(lines[0])
        (self.state / "file").write_text("forged\n")
        self.call(DONE, "shutdown", "poweroff")
        self.configure(*lines)
        self.empty_state()
        self.assertIn("not authentic", self.call(DAMAGED, "boot", "-v").text)
        self.assertIn('PMEM_PRESERVE_OUTCOME="damaged"', self.note("boot"))
        self.assertIn("not authentic", self.call(DAMAGED, "status").text)
        self.assertEqual(list(self.state.iterdir()), [])

    def test_without_its_key(self):
        """A key that is refused at shutdown would cost the state."""
        key = keyed.write_key(self.box / "key", mode=0o644)
        self.configure(f"fallback = {self.fallback}", f"key-file = {key}",
                       f"counter-file = {self.box / 'counter'}")
        self.assertIn("can be read or written by others", self.problems())
        self.assertIn("without a seal", self.call(DONE, "shutdown", "poweroff").text)
        self.empty_state()
        key.chmod(0o600)
        self.call(DAMAGED, "boot")
        self.assertEqual(list(self.state.iterdir()), [])
        self.call(DONE, "restore", "--key-file=")
        self.assertEqual((self.state / "file").read_text(), "first\n")

    def test_another_at_work(self):
        """Two processes that convert a region at once would leave it in an unknown state."""
        with open(self.notes / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in ("hot-add", "hot-remove", "prepare", "checkpoint", "restore", "discard"):
                said = self.call(FAILED, command).text
                self.assertRegex(said, r"process %d \(.*\) is changing the memory" % os.getpid())
            # Commands that use a file, or only read, do not wait.
            self.call(DONE, "checkpoint", "--image", self.box / "image")
            self.call(DONE, "status", "--image", self.box / "image")
        self.assertNotIn("changing the memory", self.call(FAILED, "hot-add").text)

    def test_wrong_words(self):
        self.call(USAGE, "shutdown", "sideways")
        self.call(USAGE, "shutdown", "kexec", "reboot")
