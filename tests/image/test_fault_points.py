# SPDX-License-Identifier: GPL-2.0-or-later
"""
At every fault point of checkpoint and restore on a file: the process is killed, the step fails, or
a signal arrives. In each case the state or a complete checkpoint exists afterwards, and the next
command succeeds.
"""

import os
import pathlib
import re
import shutil
import signal

from .support import faults, program, scratch, snapshot
from .support.case import ImageCase, beneath
from .support.program import DONE, FAILED, NO_CHECKPOINT

FILE = ("FILE_LINKED", "FILE_RENAMED", "FILE_PUBLISHED")
WRITE = (("IMAGE_BEGIN", 1), ("IMAGE_MARKED", 1), ("IMAGE_MIB", 1), ("IMAGE_MIB", 3),
         ("IMAGE_MIB", 5), ("IMAGE_COPIED", 1), ("IMAGE_TABLE", 1), ("IMAGE_HEADER", 1),
         ("IMAGE_FLUSHED", 1), ("PHASE_WRITTEN", 1), ("PHASE_FLUSHED", 1))
RESTORE = (("RESTORE_BEGIN", 1), ("RESTORE_DIRECTORIES", 1), ("RESTORE_ENTRIES", 1),
           ("RESTORE_SPAN", 1), ("RESTORE_SPAN", 2), ("RESTORE_FILES", 1), ("RESTORE_LINKS", 1),
           ("RESTORE_ATTRIBUTES", 1), ("RESTORE_STAGED", 1), ("PUBLISH_BEGIN", 1),
           ("PUBLISH_ENTRY", 1), ("RESTORE_PUBLISHED", 1), ("RESTORE_FLUSHED", 1))
MARK = (("PHASE_WRITTEN", 1), ("PHASE_FLUSHED", 1))
STAGING = ".pmem-preserve-"
ROOM = 16 << 20


class FaultPoints(ImageCase):
    def setUp(self):
        super().setUp()
        if not faults.are_built_in(self.box):
            self.skipTest("the program was built without fault points (-Dfault_points=true)")
        self.place = self.box / "place"
        self.place.mkdir()
        self.image = self.place / "image"
        (self.state / "directory").mkdir()
        (self.state / "directory" / "inner").write_text("inner")
        (self.state / "link").symlink_to("directory")
        (self.state / "large").write_bytes(os.urandom(4 << 20))
        (self.state / "small").write_text("small")
        os.link(self.state / "small", self.state / "linked")
        self.before = snapshot.take(self.state)
        self.table = []

    def clear(self):
        for directory in (self.place, self.target):
            scratch.remove(directory)
            directory.mkdir()

    def fail_at(self, operation, point, count, action, *arguments):
        """Runs a command that must end at the point, by the action there."""
        status, error = faults.run(point, count, action, *arguments)
        where = "%s: %s:%d %s" % (operation, point, count, action)
        self.assertTrue(faults.was_reached(point, error), "%s: not reached: %r" % (where, error))
        if action == "kill":
            self.assertEqual(status, -signal.SIGKILL, where)
        elif action == "error":
            self.assertEqual(status, FAILED, where)
        else:
            # If only the message is left to be printed, the signal has no effect.
            self.assertIn(status, (FAILED, DONE), where)
        return status

    def look(self):
        """(phase, uuid) of the checkpoint, which must be valid; ("none", None) without one."""
        result = program.run("--json", "verify", "--image", self.image)
        if result.status == NO_CHECKPOINT:
            return "none", None
        self.assertEqual(result.status, DONE, str(result))
        image = result.json["image"]
        return image["phase"], image["uuid"]

    def note(self, operation, point, count, action, outcome):
        number = faults.POINTS[point].number
        self.table.append((operation, number, "%s:%d" % (point, count), action, outcome))

    def print_table(self):
        for operation, number, point, action, outcome in self.table:
            print("fault %2d %-22s %-6s in %s: %s" % (number, point, action, operation, outcome))

    def check_state(self, where):
        self.assert_same(self.before, snapshot.take(self.state), "the state after " + where)

    def go_on(self, *options):
        """The next checkpoint and restore must succeed."""
        self.checkpoint(options=("--replace", *options))
        self.assertEqual(os.listdir(self.place), ["image"])
        self.restore()
        self.assert_restored(self.before)

    def write_and_fail(self, operation, points, prepare, options, allowed):
        for point, count in points:
            for action in faults.ACTIONS:
                where = "%s, %s:%d, %s" % (operation, point, count, action)
                self.clear()
                old = prepare()
                status = self.fail_at(operation, point, count, action, "checkpoint", "-j", "1",
                                      "--image", self.image, *options, self.state)
                self.check_state(where)
                phase, uuid = self.look()
                outcome = ("no checkpoint" if phase == "none" else
                           "the checkpoint before" if uuid == old else "the new checkpoint")
                if status == DONE:
                    self.assertEqual(outcome, "the new checkpoint", where)
                self.assertIn(outcome, allowed, where)
                if action != "kill" and self.image.exists():
                    self.assertEqual(os.listdir(self.place), ["image"], where)
                self.note(operation, point, count, action, "the state, and " + outcome)
                self.go_on(*options)
        self.print_table()

    def prepare_old(self):
        """A checkpoint of another state that was not restored."""
        other = self.box / "other"
        other.mkdir(exist_ok=True)
        (other / "file").write_text("another state")
        self.checkpoint(other)
        return self.look()[1]

    def prepare_room(self):
        """The same in a file that has room for the next one."""
        uuid = self.prepare_old()
        with open(self.image, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, ROOM)
        return uuid

    def test_new_file(self):
        """An incomplete checkpoint would be restored, or half an image be left behind."""
        self.write_and_fail("a new file", WRITE + tuple((name, 1) for name in FILE),
                            lambda: None, (), ("no checkpoint", "the new checkpoint"))

    def test_over_another(self):
        """The checkpoint that is replaced would be lost before the new one exists."""
        self.write_and_fail("a file in place of another", WRITE + tuple((name, 1) for name in FILE),
                            self.prepare_old, ("--replace",),
                            ("the checkpoint before", "the new checkpoint"))

    def test_in_place(self):
        """A mix of two images would be taken for one of them."""
        self.write_and_fail("a file in place", WRITE, self.prepare_room,
                            ("--in-place", "--replace"),
                            ("the checkpoint before", "no checkpoint", "the new checkpoint"))

    def test_restore(self):
        """Half a state would be marked as restored, or the checkpoint be lost."""
        for point, count in RESTORE + MARK:
            for action in faults.ACTIONS:
                where = "restore, %s:%d, %s" % (point, count, action)
                self.clear()
                self.checkpoint()
                self.fail_at("restore", point, count, action, "restore", "-j", "1", "--image",
                             self.image, "--into", self.target)
                phase, _ = self.look()
                self.assertIn(phase, ("committed", "restored"), where)
                if phase == "restored":
                    outcome = "the state, restored"
                else:
                    left = os.listdir(self.target)
                    published = [name for name in left if not name.startswith(STAGING)]
                    outcome = "the checkpoint" + (", and the whole state" if published else
                                                  ", and a staging directory" if left else "")
                    if action == "error" and not point.startswith("PHASE"):
                        self.assertEqual(left, [], where)
                    if published:
                        self.assert_restored(self.before, where)
                    self.restore(*(["--overwrite"] if published else []))
                    self.assertFalse([name for name in os.listdir(self.target)
                                      if name.startswith(STAGING)], where)
                self.assert_restored(self.before, where)
                self.note("restore", point, count, action, outcome)
        self.print_table()

    def make_old(self):
        """What is there before a restore with --overwrite: files of the state, changed."""
        place = self.restored()
        shutil.copytree(self.state, place, symlinks=True)
        for name in ("small", "large", "directory/inner"):
            (place / name).write_text("old " + name)
        (place / "link").unlink()
        (place / "link").write_text("old link")
        (place / "unrelated").write_text("unrelated")
        os.chmod(place, 0o1770)
        return {path.relative_to(place): path.read_text()
                for path in place.rglob("*") if path.is_file() and path.name != "linked"}

    def find_old(self, name, text):
        """An old file, where it was or where the message says."""
        places = [self.restored(), *(beneath(staging / "root", self.state) for staging in
                                     self.restored().glob(STAGING + "replaced-*"))]
        return any((place / name).exists() and not (place / name).is_symlink() and
                   (place / name).read_bytes() == text.encode() for place in places)

    def test_overwrite(self):
        """What was there is lost, and the restore has failed."""
        for point, count in RESTORE + (("PUBLISH_ENTRY", 2), ("PUBLISH_ENTRY", 4)):
            for action in faults.ACTIONS:
                where = "restore --overwrite, %s:%d, %s" % (point, count, action)
                self.clear()
                self.checkpoint()
                old = self.make_old()
                before = snapshot.take(self.restored())
                status = self.fail_at("restore", point, count, action, "restore", "--overwrite",
                                      "-j", "1", "--image", self.image, "--into", self.target)
                if action == "error" or (action == "signal" and status != DONE):
                    self.assert_same(before, snapshot.take(self.restored()), where)
                if action == "kill":
                    lost = [name for name, text in old.items() if not self.find_old(name, text)]
                    self.assertEqual(lost, [], where)
                    kept = [path.name for path in self.restored().glob(STAGING + "replaced-*")]
                    result = self.restore("--overwrite")
                    for name in kept:
                        self.assertIn(name, result.text)
                        self.assertTrue((self.restored() / name).exists())
                elif status == FAILED:
                    self.restore("--overwrite")
                for path in self.restored().glob(STAGING + "replaced-*"):
                    scratch.remove(path)
                self.assertEqual((self.restored() / "unrelated").read_text(), "unrelated")
                (self.restored() / "unrelated").unlink()
                os.utime(self.restored(), ns=(1, self.before[b""]["mtime"]))
                self.assert_restored(self.before, where)
                self.note("restore --overwrite", point, count, action,
                          "what was there" if status == FAILED else "both" if status < 0 else
                          "the state, restored")
        self.print_table()

    def test_undo(self):
        """Files that a failed restore could not remove would be taken for the state."""
        for action in faults.ACTIONS:
            self.clear()
            self.checkpoint()
            whole = self.image.read_bytes()
            damaged = bytearray(whole)
            damaged[3 << 20] ^= 1
            self.image.write_bytes(damaged)
            status, error = faults.run("STAGING_REMOVE", 1, action, "restore", "-j", "1", "--image",
                                       self.image, "--into", self.target)
            self.assertTrue(faults.was_reached("STAGING_REMOVE", error))
            self.assertNotEqual(status, DONE)
            left = os.listdir(self.target)
            self.assertEqual(bool(left), action != "signal", action)
            if action == "error":
                self.assertIn(b"could not be removed", error)
            self.image.write_bytes(whole)
            self.restore()
            self.assert_restored(self.before, action)
            self.note("undo", "STAGING_REMOVE", 1, action,
                      "the checkpoint" + (", and a staging directory" if left else ""))
        self.print_table()

    def test_no_point_is_forgotten(self):
        """A new fault point would never be tried: neither here nor in the VM."""
        scenarios = program.REPOSITORY / "tests" / "qemu-nvdimm"
        files = [pathlib.Path(__file__), *scenarios.glob("guest/faults.sh"),
                 *scenarios.glob("scenarios/faults*.sh")]
        words = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", "".join(path.read_text() for path in files)))
        self.assertEqual(sorted(faults.POINTS.keys() - words), [])

    def test_discard(self):
        """A discarded checkpoint would come back, or block the next one forever."""
        for action in faults.ACTIONS:
            self.clear()
            self.checkpoint()
            self.fail_at("discard", "FILE_REMOVED", 1, action, "discard", "--image", self.image)
            self.assertEqual(os.listdir(self.place), [])
            self.note("discard", "FILE_REMOVED", 1, action, "the state")
            self.go_on()
            self.empty_target()
        self.print_table()

    def test_two_at_once(self):
        """Two processes that write to one file would leave a mix of both."""
        self.prepare_room()
        first = faults.start("IMAGE_MIB", 2, "stop", "checkpoint", "--in-place", "--replace",
                             "--image", self.image, self.state)
        os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)
        second = program.run("checkpoint", "--in-place", "--replace", "--image", self.image,
                             self.state)
        self.assertEqual(second.status, FAILED, str(second))
        self.assertIn("in use by process %d (pmem-preserve)" % first.pid, second.text)
        first.send_signal(signal.SIGCONT)
        self.assertEqual(program.finish(first).status, DONE)
        self.restore()
        self.assert_restored(self.before)
