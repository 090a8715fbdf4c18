# SPDX-License-Identifier: GPL-2.0-or-later
"""State that changes while it is read, and checkpoints that are killed."""

import mmap
import os
import pathlib
import signal
import threading
import time

from .support import program, snapshot
from .support.case import ImageCase

FILLER = 64 << 20
TRIES = 8


def wchans(pid):
    """What the threads of a process wait for in the kernel."""
    found = []
    for path in pathlib.Path("/proc/%d/task" % pid).glob("*/wchan"):
        found.append(path.read_text())
    return " ".join(found)


class Changes(ImageCase):
    """
    The program lists the tree, then opens a new file for the image, then reads the files in the
    order of their names. So it is stopped (SIGSTOP) once it has that new file open and while it
    still reads the first, large file: what is changed then was listed but not yet read.
    """

    def setUp(self):
        super().setUp()
        (self.state / "0-filler").write_bytes(b"f" * FILLER)
        self.victim = self.state / "victim"
        self.victim.write_bytes(b"before" * 1000)
        self.places = self.box / "places"
        self.places.mkdir()
        self.image = self.places / "image"

    def new_image(self, process):
        """Size of the image that is being written (it may not have a name yet), or None."""
        directory = "/proc/%d/fd" % process.pid
        try:
            for fd in os.listdir(directory):
                link = os.readlink("%s/%s" % (directory, fd))
                if link.startswith("%s/" % self.places) and link != str(self.image):
                    return os.stat("%s/%s" % (directory, fd)).st_size
        except OSError:
            pass
        return None

    def stop(self, process):
        """Stops it while it reads the filler; False if that did not succeed."""
        deadline = time.monotonic() + 30
        while self.new_image(process) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                return False
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if process.poll() is not None:
            return False
        return (self.new_image(process) or 0) < FILLER

    def stop_reading(self, process, path):
        """Stops it while it has the file open and leased."""
        descriptors = pathlib.Path("/proc/%d/task" % process.pid)
        wanted = str(path)
        while process.poll() is None:
            try:
                links = [os.readlink(link) for link in descriptors.glob("*/fd/*")]
            except OSError:
                continue
            if wanted in links:
                process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                return process.poll() is None and self.is_leased(path)
        return False

    @staticmethod
    def is_leased(path):
        inode = ":%d " % os.stat(path).st_ino
        with open("/proc/locks", encoding="ascii") as locks:
            return any("LEASE" in line and inode in line for line in locks)

    def wait_for(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline)

    def checkpoint_and(self, change, *paths):
        """Calls change() in the middle of a checkpoint; returns the result of the checkpoint."""
        for _ in range(TRIES):
            process = program.start("checkpoint", "--replace", "-j", "1", "--image", self.image,
                                    *(paths or (self.state,)))
            try:
                if self.stop(process):
                    change()
                    process.send_signal(signal.SIGCONT)
                    return program.finish(process)
            finally:
                if process.returncode is None:
                    process.kill()
                    process.communicate()
            for path in self.places.iterdir():
                if path != self.image:
                    path.unlink()
        raise self.failureException("the program was never seen at work; the machine is too busy")

    def expect_named(self, change, name="victim"):
        """The checkpoint fails and names the file, and the previous image is unchanged."""
        self.checkpoint(self.state / "0-filler")
        before = self.image.read_bytes()
        result = self.checkpoint_and(change)
        self.assertEqual(result.status, program.FAILED, str(result))
        self.assertIn(name, result.text)
        self.assertEqual(self.image.read_bytes(), before, "the image of before is gone")
        self.assertEqual(os.listdir(self.places), ["image"], "something was left behind")

    def test_a_file_that_is_written(self):
        """A file that is written during the checkpoint would be saved half old, half new."""
        self.expect_named(lambda: self.victim.write_bytes(b"after!" * 1000))

    def test_a_file_that_grows(self):
        """A log that grows would be cut in the middle of a line."""
        def change():
            with open(self.victim, "ab") as file:
                file.write(b"more")
        self.expect_named(change)

    def test_a_file_that_is_emptied(self):
        """A truncated file would end the copy without a reason."""
        self.expect_named(lambda: os.truncate(self.victim, 0))

    def test_a_file_that_is_replaced(self):
        """An editor's save (write, rename) would mix two versions."""
        def change():
            status = self.victim.stat()
            new = self.state / "new"
            new.write_bytes(b"after!" * 1000)
            os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
            new.rename(self.victim)
        self.expect_named(change)

    def test_a_file_that_is_removed(self):
        """A file that has vanished would be saved as zeroes."""
        self.expect_named(self.victim.unlink)

    def test_a_file_with_its_old_time(self):
        """A change must be noticed even if the mtime is set back afterwards (tar, cp -p)."""
        def change():
            status = self.victim.stat()
            self.victim.write_bytes(b"after!" * 1000)
            os.utime(self.victim, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.expect_named(change)

    def test_a_hole_that_is_filled(self):
        """A file that was one hole when it was listed would be restored without its new data."""
        self.victim.write_bytes(b"")
        os.truncate(self.victim, 1 << 20)

        def change():
            with open(self.victim, "r+b") as file:
                file.write(b"a record that must not be lost")
        self.expect_named(change)

    def test_an_empty_file_that_is_filled(self):
        """The first write to a new file would be lost without an error."""
        self.victim.write_bytes(b"")
        self.expect_named(lambda: self.victim.write_bytes(b"x"))

    def test_a_directory_that_changes(self):
        """A file that is created during the checkpoint would be missing without an error."""
        (self.state / "directory").mkdir()
        self.expect_named(lambda: (self.state / "directory" / "new").write_text("x"), "directory")

    def test_a_directory_that_becomes_a_link(self):
        """A directory replaced by a link would add other files to the image."""
        directory = self.state / "directory"
        directory.mkdir()
        (directory / "file").write_text("inside")
        (self.box / "secret").mkdir()
        (self.box / "secret" / "file").write_text("secret")

        def change():
            directory.rename(self.state / "moved")
            directory.symlink_to(self.box / "secret")
        self.expect_named(change, "directory")

    def test_a_hole_that_is_filled(self):
        """Stores to a mapped hole set no times on tmpfs: the file would be saved without them."""
        with open(self.victim, "r+b") as file:
            file.truncate(1 << 20)

        def change():
            with open(self.victim, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
                mapping[512 << 10:(512 << 10) + 4] = b"late"
        self.expect_named(change)

    def test_a_symlink_that_changes(self):
        """A "current" link that was switched would be saved with the old version's files."""
        (self.state / "current").symlink_to("v1")

        def change():
            (self.state / "current").unlink()
            (self.state / "current").symlink_to("v2")
        self.expect_named(change, str(self.state))

    def test_mode_and_attributes(self):
        """A file that is made private during the checkpoint would come back public."""
        self.expect_named(lambda: self.victim.chmod(0o600))

    def test_a_file_that_is_open_for_writing(self):
        """A write that has begun has set the times already: half of it would be saved."""
        with open(self.victim, "r+b"):
            result = self.checkpoint(status=program.FAILED)
        self.assertIn(str(self.victim), result.text)
        self.assertIn(f"process {os.getpid()} (", result.text, "it does not say who writes")
        self.checkpoint()

    def test_a_file_that_is_mapped(self):
        """Stores through a mapping leave no mark, and need no open file."""
        with open(self.victim, "r+b") as file:
            mapping = mmap.mmap(file.fileno(), 0)
        self.addCleanup(mapping.close)
        self.assertIn(str(self.victim), self.checkpoint(status=program.FAILED).text)
        mapping.close()
        self.checkpoint()

    def test_a_file_that_is_only_read(self):
        """A service that has read its files would keep them from being saved."""
        with open(self.victim, "rb") as file:
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ):
                self.checkpoint()

    def test_a_writer_waits(self):
        """One that comes while its file is read would spoil the checkpoint, or get an error."""
        (self.state / "0-filler").write_bytes(b"f" * 4 * FILLER)

        def write():
            with open(self.state / "0-filler", "r+b") as file:
                file.write(b"late")
        for _ in range(TRIES):
            process = program.start("checkpoint", "--replace", "-j", "2", "--image", self.image,
                                    self.state)
            writer = threading.Thread(target=write)
            if self.stop_reading(process, self.state / "0-filler"):
                writer.start()
                self.wait_for(lambda: "break_lease" in wchans(os.getpid()))
                process.send_signal(signal.SIGCONT)
                result = program.finish(process)
                writer.join()
                self.assertEqual(result.status, program.DONE, str(result))
                self.assertEqual((self.state / "0-filler").read_bytes()[:4], b"late")
                self.restore()
                self.assertEqual(set((self.restored() / "0-filler").read_bytes()), {ord("f")})
                return
            process.kill()
            process.communicate()
        raise self.failureException("the program was never seen at work")

    def test_killed(self):
        """The OOM killer, or an impatient operator: the previous checkpoint must still be valid."""
        self.checkpoint()
        self.restore("--keep")
        before = self.image.read_bytes()
        expected = snapshot.take(self.state)
        result = None

        def kill():
            nonlocal result
            os.kill(self.process.pid, signal.SIGKILL)
        for _ in range(TRIES):
            self.process = program.start("checkpoint", "--replace", "-j", "1", "--image",
                                         self.image, self.state)
            stopped = self.stop(self.process)
            kill()
            self.process.communicate()
            if stopped:
                result = True
                break
        self.assertTrue(result, "the program was never seen at work")
        self.assertEqual(self.image.read_bytes(), before)
        for path in self.places.iterdir():
            if path != self.image:
                self.expect(program.NO_CHECKPOINT, "restore", "--image", path, "--into",
                            self.target)
        self.expect(program.DONE, "verify", "--image", self.image)
        # The next checkpoint succeeds.
        self.checkpoint(options=("--replace",))
        again = self.box / "again"
        again.mkdir()
        self.expect(program.DONE, "restore", "--image", self.image, "--into", again)
        self.assert_same(expected, snapshot.take(again / str(self.state).lstrip("/")), "restored")

    def test_interrupted(self):
        """Ctrl-C on a long checkpoint would leave gigabytes behind on the disk."""
        result = None
        for _ in range(TRIES):
            process = program.start("checkpoint", "-j", "1", "--image", self.image, self.state)
            stopped = self.stop(process)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
            process.communicate()
            if stopped:
                result = process.returncode
                break
            for path in self.places.iterdir():
                path.unlink()
        self.assertNotIn(result, (None, 0))
        self.assertEqual(os.listdir(self.places), [], "something was left behind")
