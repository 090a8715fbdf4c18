# SPDX-License-Identifier: GPL-2.0-or-later
"""A boot that does not find the checkpoint that was saved for it says so.

It would otherwise take the machine for one that had no state, and start the services cold without a
word.
"""

import re

from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT
from .support.units import UnitsCase


class Expected(UnitsCase):

    def down_and_up(self):
        self.call(DONE, "shutdown", "reboot")
        self.next_boot()

    def outcome(self):
        return re.search('PMEM_PRESERVE_OUTCOME="(.*)"', self.note("boot")).group(1)

    def expected(self):
        path = self.library / "pmem-preserve" / "expected"
        return path.read_text() if path.exists() else ""

    def expect_lost(self, outcome, *words):
        said = self.call(DAMAGED, "boot").text
        self.assertEqual(self.outcome(), outcome)
        for word in words:
            self.assertIn(word, said)
            self.assertIn(word, self.note("boot"))
            self.assertIn(word, self.problems())

    def expect_none(self):
        self.notes.joinpath("boot").unlink(missing_ok=True)
        self.call(NO_CHECKPOINT, "boot")
        self.assertEqual(self.outcome(), "none")
        self.assertNotRegex(self.problems(), "not reachable|lost:|this boot")

    def test_file_is_gone(self):
        """Each way to find nothing where there was something, and that it is not told for ever."""
        self.down_and_up()
        self.assertIn(str(self.fallback), self.expected())
        self.fallback.unlink()
        self.expect_lost("lost", str(self.fallback), "No such file")
        self.call(DONE, "discard", "--dry-run")
        self.assertTrue(self.expected())
        self.call(DONE, "discard")
        self.assertEqual(self.expected(), "")
        self.expect_none()

    def test_file_system_is_not_mounted(self):
        disk = self.box / "disk"
        disk.mkdir()
        self.fallback = disk / "fallback.img"
        self.configure(f"fallback = {self.fallback}")
        self.down_and_up()
        disk.rename(self.box / "elsewhere")
        self.expect_lost("unreachable", "is its file system mounted?")
        (self.box / "elsewhere").rename(disk)
        self.call(DONE, "boot")
        self.assertEqual(self.outcome(), "restored")
        self.assertEqual(self.expected(), "")

    def test_overwritten(self):
        self.down_and_up()
        self.fallback.write_bytes(bytes(self.fallback.stat().st_size))
        self.expect_lost("lost", "holds no checkpoint")

    def test_older_one(self):
        """An older state must not pass for the present one; whoever wants it can have it."""
        self.call(DONE, "shutdown", "reboot")
        older = self.fallback.read_bytes()
        self.next_boot()
        self.call(DONE, "boot")
        (self.state / "file").write_text("second\n")
        self.down_and_up()
        self.fallback.write_bytes(older)
        self.expect_lost("lost", "holds an older one")
        self.assertEqual(list(self.state.iterdir()), [])
        self.call(DONE, "restore")
        self.assertEqual((self.state / "file").read_text(), "first\n")
        self.assertEqual(self.expected(), "")

    def test_restored_by_hand(self):
        """What was restored in between is not missed by the next boot."""
        for arguments in (["restore"], ["restore", "--image", self.fallback]):
            self.down_and_up()
            self.call(DONE, *arguments)
            self.fallback.unlink()
            self.expect_none()

    def test_not_noted(self):
        """Restored, but that could not be noted: the image itself knows it."""
        self.down_and_up()
        noted = self.expected()
        self.call(DONE, "boot")
        (self.library / "pmem-preserve" / "expected").write_text(noted)
        self.expect_none()
        self.assertEqual(self.expected(), "")

    def test_other_image_is_restored(self):
        """Restoring another file says nothing about the one that is expected."""
        other = self.box / "other.img"
        self.call(DONE, "checkpoint", "--image", other)
        self.down_and_up()
        self.call(DONE, "restore", "--image", other)
        self.assertTrue(self.expected())
        self.empty_state()
        self.call(DONE, "boot")

    def test_command_line(self):
        """A kernel that kexec has started is told what to find; the same words may come again."""
        uuid = "12345678-1234-4234-8234-123456789abc"
        self.cmdline.write_text(
            f'memmap=2G!4G quiet pmem_preserve.expect={uuid}:7@region0 -- single\n')
        self.expect_lost("unreachable", "region0", "not reachable", uuid[:13])
        self.call(DONE, "discard")
        self.expect_none()
        # It saves again, and comes up with the same command line: another program started it.
        (self.state / "file").write_text("first\n")
        self.down_and_up()
        self.call(DONE, "boot")
        self.expect_none()
        self.assertIn("SETTLED", self.expected())

    def test_unrestored_by_this_boot(self):
        """Another state is saved: what was lost before is not told again in its place."""
        self.cmdline.write_text(
            "pmem_preserve.expect=12345678-1234-4234-8234-123456789abc:7@/gone/f%20ile\n")
        self.expect_lost("unreachable", "/gone/f ile")
        (self.state / "file").write_text("first\n")
        self.down_and_up()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "file").read_text(), "first\n")

    def test_strange_command_lines(self):
        """Anybody may write there: nothing is expected, and nothing breaks."""
        for value in ("", "x", ":::", "1234:5@", "@region0", "-" * 36 + ":x@y", "%" * 3000):
            self.cmdline.write_text(f"pmem_preserve.expect={value}\n")
            self.expect_none()

    def test_nothing_could_be_saved(self):
        """The reason is told by the boot, when the journal of the shutdown may be gone."""
        self.configure()
        self.call(FAILED, "shutdown", "reboot")
        self.next_boot()
        self.expect_lost("lost", "could not save it", "does not survive a reboot")

    def test_not_writable(self):
        """That it cannot be noted must not cost the state."""
        (self.library / "pmem-preserve").write_text("not a directory")
        said = self.call(DONE, "shutdown", "reboot").text
        self.assertIn("cannot tell whether there was one", said)
        self.next_boot()
        self.call(DONE, "boot")
