# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that can be wrong when the machine goes down, alone and in pairs, and what the next boot
has then.

Nobody can correct anything any more: what can be saved is saved, and what cannot is told.
"""

import fcntl
import itertools
import os
import signal

from .support import failing, judges, program, scratch
from .support.program import DAMAGED, DONE, NO_CHECKPOINT
from .support.units import UnitsCase

# What the next boot has.
STATE, NOTHING, EARLIER = "the state", "nothing, and says why", "the state of before"


# Its message depends on whether the machine that runs the test has another one.
NO_REGION = "no( such)? region"


class WayDown(UnitsCase):
    """The region is gone in all of them."""

    def setUp(self):
        super().setUp()
        self.full = self.box / "full"
        self.full.mkdir()
        self.good, self.lines = [], []
        self.open_file = None
        self.addCleanup(self.close_file)

    def unknown_key(self):
        self.lines[-1:] = [f"fallbak = {self.fallback}"]

    def wrong_value(self):
        self.lines += ["deadline = soon"]

    def lost_state_key(self):
        self.lines[:1] = [f"state {self.state}"]

    def comment(self):
        self.lines += ["threads = 2 # for now"]

    def no_file(self):
        self.lines = None

    def no_key(self):
        self.lines += [f"key-file = {self.box / 'no-key'}"]

    def no_library(self):
        (self.library / "pmem-preserve").write_text("in the way")

    def use_fallback(self, path):
        self.fallback = path
        self.good[-1] = f"fallback = {path}"
        self.lines[-1:] = self.good[-1:]

    def no_directory(self):
        self.use_fallback(self.box / "nowhere" / "file")

    def disk_is_full(self):
        """A file system of 16 KiB."""
        self.mounts = f"mount -t tmpfs -o size=16k tmpfs {self.full}"
        self.use_fallback(self.full / "file")

    def unrestored(self):
        self.call(DONE, "checkpoint", "--image", self.fallback)
        (self.state / "file").write_text("second\n")

    def somebody_elses(self):
        self.fallback.write_text("not an image")

    def close_file(self):
        if self.open_file:
            self.open_file.close()
        self.open_file = None

    def still_written(self):
        """A log that nobody closes any more."""
        log = self.state / "log"
        self.open_file = open(log, "w", encoding="ascii")
        self.open_file.write("begun\n")
        self.open_file.flush()
        self.told.append(str(log))

    def fail_at(self, variable, path):
        self.environment |= {"LD_PRELOAD": failing.library(), variable: str(path)}
        self.program = failing.plain()
        self.told.append(str(path))

    def unreadable_directory(self):
        directory = self.state / "directory"
        directory.mkdir()
        (directory / "inside").write_text("of an unreadable directory")
        self.fail_at("FAIL_DIRECTORY", directory)

    def unreadable_file(self):
        file = self.state / "broken"
        file.write_text("on a bad block")
        self.fail_at("FAIL_READ", file)

    def missing_path(self):
        """A second "state =", which nobody has made."""
        missing = f"state = {self.box / 'missing'}"
        self.good.insert(1, missing)
        self.lines.insert(1, missing)
        self.told.append(str(self.box / "missing"))

    # What excludes each other is in one list.
    PLACES = [no_directory, disk_is_full, unrestored, somebody_elses]
    SETTINGS = [unknown_key, wrong_value, lost_state_key, comment, no_file]
    FILES = [still_written, unreadable_directory, unreadable_file, missing_path]
    OTHERS = [[no_key], [no_library]]
    # The configuration names the fallback file, and is lost after everything else.
    ORDER = [*PLACES, *FILES, no_key, no_library, *SETTINGS]
    OUTCOMES = {no_directory: NOTHING, disk_is_full: NOTHING, unrestored: EARLIER,
                somebody_elses: NOTHING}

    def begin(self):
        """A machine that is up and well."""
        scratch.remove(self.library)
        self.library.mkdir()
        self.next_boot()
        self.mounts = "true"
        self.fallback = self.box / "fallback.img"
        self.fallback.unlink(missing_ok=True)
        self.good = [f"state = {self.state}", "region = no-such-region", "survives = reboot",
                     f"fallback = {self.fallback}"]
        self.lines = list(self.good)
        self.environment, self.told, self.program = {}, [], program.PROGRAM
        self.write_lines()
        (self.state / "file").write_text("first\n")
        self.call(NO_CHECKPOINT, "boot")

    def write_lines(self):
        if self.lines is None:
            self.config.unlink()
        else:
            self.config.write_text("\n".join([*self.lines, ""]))

    def go_down(self, faults):
        """The shutdown, after what is wrong has become so."""
        for fault in sorted(faults, key=self.ORDER.index):
            fault(self)
        # That is what was good at boot, with this fallback file.
        (self.notes / "config").write_text("\n".join([*self.good, ""]))
        self.write_lines()
        return program.finish(self.start("shutdown", "reboot", environment=self.environment))

    def check(self, faults):
        self.begin()
        outcome = STATE
        for fault in faults:
            outcome = self.OUTCOMES.get(fault, outcome)
        result = self.go_down(faults)
        shutdown = self.note("shutdown")
        self.assertEqual(result.status == DONE, outcome == STATE, str(result))
        self.assertRegex(shutdown, NO_REGION)
        for words in self.told if outcome == STATE else []:
            self.assertIn(words, shutdown, "it does not tell what it did not save")
        self.lines = list(self.good)
        self.write_lines()
        words = self.last_word("reboot")
        self.close_file()
        self.next_boot()
        if outcome == NOTHING:
            self.assertIn("the state was not saved", words)
            if WayDown.no_library in faults:
                # Then only the journal knows.
                self.call(NO_CHECKPOINT, "boot")
                return
            result = self.call(DAMAGED, "boot")
            self.assertIn('OUTCOME="lost"', self.note("boot"))
            # Each cause is named, by the boot as by the shutdown.
            self.assertRegex(self.note("boot"), NO_REGION)
            self.assertIn(str(self.fallback), self.note("boot"))
            return
        self.assertIn(str(self.fallback), words)
        self.assertEqual(judges.fsck(self.fallback), "")
        self.call(DONE, "boot")
        self.assertEqual((self.state / "file").read_text(), "first\n")

    def run_table(self, groups):
        tried = 0
        for fault in itertools.chain(*groups):
            with self.subTest(fault.__name__):
                self.check([fault])
                tried += 1
        for one, other in itertools.combinations(groups, 2):
            for faults in itertools.product(one, other):
                with self.subTest(" and ".join(fault.__name__ for fault in faults)):
                    self.check(faults)
                    tried += 1
        return tried

    def test_nothing_but_the_region(self):
        self.check([])

    def test_alone_and_in_pairs(self):
        self.assertGreater(self.run_table([self.FILES, self.PLACES, self.SETTINGS,
                                               *self.OTHERS]), 90)

    def test_what_is_left_out(self):
        """What is left out must not take anything else with it."""
        self.begin()
        (self.state / "other").mkdir()
        (self.state / "other" / "file").write_text("other\n")
        self.go_down([WayDown.unreadable_directory, WayDown.unreadable_file])
        self.next_boot()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "other" / "file").read_text(), "other\n")
        self.assertEqual(os.listdir(self.state / "directory"), [])
        self.assertEqual(set((self.state / "broken").read_bytes()), {0})

    def test_still_written(self):
        """What a service has written by then, it finds again."""
        self.begin()
        self.go_down([WayDown.still_written])
        self.close_file()
        self.next_boot()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "log").read_text(), "begun\n")

    def test_sigterm(self):
        """The timeout of the unit sends it: what it ended would be lost."""
        self.begin()
        lock = self.notes / "lock"
        with open(lock, "w", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            process = self.start("shutdown", "reboot")
            program.wait_until_open(process, lock)
            process.send_signal(signal.SIGTERM)
        self.assertEqual(program.finish(process).status, DONE)
        self.next_boot()
        self.call(DONE, "boot")
        self.assertEqual((self.state / "file").read_text(), "first\n")
