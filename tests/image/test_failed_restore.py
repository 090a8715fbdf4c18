# SPDX-License-Identifier: GPL-2.0-or-later
"""Restores that fail: what is left, and what can be done next."""

import errno
import os
import signal
import stat
import subprocess
import time

from .support import failing, mounts, program, snapshot
from .support.case import ImageCase, beneath
from .support.program import DAMAGED, DONE, FAILED, NO_FIT, REFUSED

SIZE = 24 << 20
TRIES = 8


class FailedRestore(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "directory").mkdir()
        (self.state / "directory" / "inner").write_text("inner")
        (self.state / "first").write_text("first")
        (self.state / "link").symlink_to("first")
        os.link(self.state / "first", self.state / "linked")
        (self.state / "large").write_bytes(b"large" * (SIZE // 5))
        (self.state / "zz").write_bytes(b"pattern!" * 200000)
        # So that directories and inodes are not in the same MiB as the last file.
        (self.state / "zzz").write_bytes(bytes(1 << 20))
        self.before = snapshot.take(self.state)
        self.checkpoint()
        self.whole = self.image.read_bytes()

    def damage(self):
        data = bytearray(self.whole)
        data[data.index(b"pattern!" * 1000) + 1000000] ^= 1
        self.image.write_bytes(data)

    def expect_phase(self, phase):
        status = self.expect(DONE, "--json", "status", "--image", self.image).json
        self.assertEqual(status["image"]["phase"], phase)

    def test_damage_leaves_nothing(self):
        """Services would start with half a state, and take it for a complete one."""
        self.damage()
        for options in ([], ["-j", "1"], ["-j", "8"]):
            self.restore(*options, status=DAMAGED)
            self.assertEqual(os.listdir(self.target), [])
        self.expect_phase("committed")
        self.image.write_bytes(self.whole)
        self.restore()
        self.assert_restored(self.before)

    def test_damage_and_other_files(self):
        """Other files must be kept when the restored ones are removed again."""
        self.damage()
        self.restored().mkdir(parents=True)
        (self.restored() / "unrelated").write_text("unrelated")
        self.restore(status=DAMAGED)
        self.assertEqual(os.listdir(self.restored()), ["unrelated"])
        self.assertEqual((self.restored() / "unrelated").read_text(), "unrelated")

    def test_damage_and_an_acl(self):
        """A failed restore would remove the ACL of the directory that the state belongs to."""
        self.restored().mkdir(parents=True)
        subprocess.run(["setfacl", "-d", "-m", "u:4242:rwx", self.restored()], check=True)
        acl = os.getxattr(self.restored(), "system.posix_acl_default")
        self.damage()
        self.restore(status=DAMAGED)
        self.assertEqual(os.getxattr(self.restored(), "system.posix_acl_default"), acl)
        self.image.write_bytes(self.whole)
        self.restore()
        self.assert_restored(self.before)

    def test_overwrite_by_a_damaged_checkpoint(self):
        """--overwrite with a damaged checkpoint would destroy the only good copy there is."""
        self.restore("--keep")
        self.damage()
        (self.restored() / "first").write_text("newer than the checkpoint")
        before = snapshot.take(self.restored())
        self.restore("--overwrite", status=DAMAGED)
        self.assert_same(before, snapshot.take(self.restored()), "what was there before")

    def test_no_room(self):
        """A tmpfs that is too small at boot: nothing is restored, and the checkpoint is kept."""
        place = self.box / "place"
        place.mkdir()
        mounts.mount_tmpfs(self, place, "8m")
        self.expect(NO_FIT, "restore", "--image", self.image, "--into", place)
        self.assertEqual(os.listdir(place), [])
        self.expect_phase("committed")

    def test_no_room_for_so_many_files(self):
        """The same with too few inodes."""
        place = self.box / "place"
        place.mkdir()
        mounts.mount_tmpfs(self, place, "64m,nr_inodes=9")
        result = program.run("restore", "--image", self.image, "--into", place)
        self.assertIn(result.status, (FAILED, NO_FIT), str(result))
        self.assertEqual(os.listdir(place), [])
        self.expect_phase("committed")

    def staged(self, name):
        """Where a restore to the empty target makes that file."""
        return [beneath(staging / "root", self.state) / name
                for staging in self.target.glob(".pmem-preserve-*")]

    def stop_in_the_middle(self, number):
        """Ends a restore by a signal while it writes; None if it was faster."""
        process = program.start("restore", "-j", "1", "--image", self.image, "--into", self.target)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if any(large.stat().st_blocks for large in self.staged("large")):
                    break
            except FileNotFoundError:
                pass
        process.send_signal(number)
        process.communicate()
        return process.returncode or None

    def test_interrupted(self):
        """Ctrl-C, or a service's time limit: the user would have to clean up."""
        for _ in range(TRIES):
            status = self.stop_in_the_middle(signal.SIGTERM)
            if status is not None:
                break
            self.image.write_bytes(self.whole)
            self.empty_target()
        self.assertEqual(status, FAILED)
        self.assertEqual(os.listdir(self.target), [])
        self.expect_phase("committed")
        self.restore()
        self.assert_restored(self.before)

    def test_killed(self):
        """After a power cut or a kill the checkpoint must exist, and be restorable."""
        for _ in range(TRIES):
            if self.stop_in_the_middle(signal.SIGKILL) is not None:
                break
            self.image.write_bytes(self.whole)
            self.empty_target()
        self.expect_phase("committed")
        self.checkpoint(status=REFUSED)
        # Nothing has its name yet, and the next restore removes what is left.
        left, = os.listdir(self.target)
        self.assertRegex(left, r"^\.pmem-preserve-[0-9a-f]{8}$")
        self.assertEqual(stat.S_IMODE((self.target / left).stat().st_mode), 0o700)
        self.restore()
        self.assertNotIn(left, os.listdir(self.target))
        self.assert_restored(self.before)
        self.expect_phase("restored")


class Overwrite(ImageCase):
    """--overwrite that fails: what was there must be there still, whatever the reason."""

    def setUp(self):
        super().setUp()
        (self.state / "directory").mkdir()
        for number in range(4):
            (self.state / f"file{number}").write_text(f"new {number}" * 1000)
            (self.state / "directory" / f"file{number}").write_text(f"new {number}")
        (self.state / "large").write_bytes(b"large" * 500000)
        (self.state / "link").symlink_to("file0")
        os.link(self.state / "file1", self.state / "directory" / "linked")
        os.mkfifo(self.state / "fifo")
        self.before = snapshot.take(self.state)
        self.checkpoint()
        self.root = self.restored()

    def make_old(self, place):
        (place / "directory").mkdir(parents=True)
        for name in ("file0", "file1", "large", "link", "directory/file2", "other"):
            (place / name).write_text("old " + name)
        (place / "directory").chmod(0o751)
        subprocess.run(["setfacl", "-m", "u:4242:rwx", "-d", "-m", "u:4242:rx", place], check=True)

    def each_failure(self, error, options):
        """Fails the first call that opens or changes a file, then the second..."""
        failures = count = 0
        log = self.box / "log"
        while True:
            count += 1
            self.empty_target()
            self.make_old(self.root)
            before = snapshot.take(self.root)
            if log.exists():
                log.unlink()
            result = failing.run({"FAIL_CALL": str(count), "FAIL_ERRNO": str(error),
                                  "FAIL_LOG": str(log), **options},
                                 "restore", "-j", "1", "--keep", "--overwrite", "--image", self.image,
                                 "--into", self.target)
            where = "call %d, %s, %s" % (count, os.strerror(error), result)
            if result.status == DONE:
                self.assertEqual((self.root / "file0").read_bytes(),
                                 (self.state / "file0").read_bytes(), where)
            else:
                failures += 1
                self.assertIn(result.status, (FAILED, NO_FIT, REFUSED), where)
                self.assert_same(before, snapshot.take(self.root), where)
            if not log.exists():
                return failures

    def test_each_call(self):
        """A full disk, a bad one, no memory: 72 of 116 such failures have cost files."""
        for error in (errno.ENOSPC, errno.EIO, errno.ENOMEM):
            self.assertGreater(self.each_failure(error, {}), 50)

    def test_each_call_without_renames(self):
        """The same on a file system without RENAME_EXCHANGE."""
        self.assertGreater(self.each_failure(errno.EIO, {"NO_RENAME_FLAGS": "1"}), 50)

    def test_a_full_file_system(self):
        """Seven of eight files were gone, and not one was restored."""
        place = self.box / "place"
        place.mkdir()
        mounts.mount_tmpfs(self, place, "3m")
        old = beneath(place, self.state)
        self.make_old(old)
        (old / "large").write_bytes(b"old" * 500000)
        before = snapshot.take(old)
        result = self.expect(NO_FIT, "restore", "--overwrite", "--image", self.image, "--into",
                             place)
        self.assertIn("are missing", result.text)
        self.assert_same(before, snapshot.take(old), "what was there before")
