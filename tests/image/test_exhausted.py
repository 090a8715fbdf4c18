# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine that runs out of memory, threads or open files; and a clock that jumps. A checkpoint or a
restore may then fail with a message; it must not crash, lose the state or leave half of one behind.
"""

import os
import resource

from .support import failing, keyed, program, snapshot
from .support.case import ImageCase
from .support.program import DONE, FAILED, NO_CHECKPOINT

# More allocations would mean that their number depends on the number of files.
ALLOCATIONS_MAX = 5000


class Exhausted(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "directory").mkdir()
        for number in range(3):
            (self.state / "directory" / ("file %d" % number)).write_text("%d" % number)
        (self.state / "large").write_bytes(b"large" * 600000)
        (self.state / "link").symlink_to("directory")
        os.setxattr(self.state / "large", "trusted.note", b"a value")
        os.link(self.state / "large", self.state / "linked")
        self.log = self.box / "log"
        self.keyed = ()
        self.before = snapshot.take(self.state)

    def judge_checkpoint(self, result, where):
        """Succeeded, with a valid image; or failed with a message, and there is none."""
        self.assert_same(self.before, snapshot.take(self.state), "the state, " + where)
        self.assertIn(result.status, (DONE, FAILED), "%s: %s" % (where, result))
        if result.status == DONE:
            self.expect(DONE, "verify", "--image", self.image)
        else:
            self.assertRegex(result.text, "(?m)^pmem-preserve: ", where)
            # If only the last message could not be printed, the checkpoint exists and is valid.
            self.assertIn(program.run("verify", "--image", self.image).status
                          if self.image.exists() else NO_CHECKPOINT, (DONE, NO_CHECKPOINT), where)

    def judge_restore(self, result, where):
        self.assertIn(result.status, (DONE, FAILED), "%s: %s" % (where, result))
        if os.listdir(self.target):
            self.assert_restored(self.before, where)
        else:
            self.assertEqual(result.status, FAILED, where)
            self.assertRegex(result.text, "(?m)^pmem-preserve: ", where)

    def each_failure(self, variable, form, attempt, step=1, most=ALLOCATIONS_MAX):
        """Calls attempt(environment, where) with the first, the second... one failing."""
        count = 1 - step
        while True:
            count += step
            self.assertLess(count, most)
            if self.log.exists():
                self.log.unlink()
            attempt({variable: form % count, "FAIL_LOG": str(self.log)},
                    "%s=%s" % (variable, form % count))
            if not self.log.exists():
                return count - 1

    def try_checkpoint(self, environment, where):
        if self.image.exists():
            self.image.unlink()
        self.judge_checkpoint(failing.run(environment, "--json", "checkpoint", "--image",
                                          self.image, self.state), where)

    def try_restore(self, environment, where):
        self.empty_target()
        self.image.write_bytes(self.whole)
        # Otherwise a second restore would be refused as a replay.
        (self.box / "counter").unlink(missing_ok=True)
        self.judge_restore(failing.run(environment, "--json", "restore", *self.keyed, "--image",
                                       self.image, "--into", self.target), where)

    def make_image(self):
        self.checkpoint()
        self.whole = self.image.read_bytes()

    def test_memory_of_a_checkpoint(self):
        """Out of memory at shutdown: that must be reported, and the fallback be tried."""
        self.assertGreater(self.each_failure("FAIL_ALLOCATION", "%d", self.try_checkpoint), 50)
        self.each_failure("FAIL_ALLOCATION", "%d+", self.try_checkpoint, step=7)

    def test_memory_of_a_restore(self):
        """Services would start with half a state."""
        self.make_image()
        self.assertGreater(self.each_failure("FAIL_ALLOCATION", "%d", self.try_restore), 50)

    def test_memory_of_an_authentic_restore(self):
        """What could not be verified for lack of memory would count as damaged: a cold start."""
        key = keyed.write_key(self.box / "key")
        config = self.box / "config"
        config.write_text("counter-file = %s\n" % (self.box / "counter"))
        self.keyed = ("--config", config, "--key-file", key)
        self.expect(DONE, "checkpoint", *self.keyed, "--image", self.image, self.state)
        self.whole = self.image.read_bytes()
        # libcrypto makes thousands.
        self.assertGreater(self.each_failure("FAIL_ALLOCATION", "%d", self.try_restore, step=101,
                                             most=100000), 50)

    def test_threads(self):
        """If no thread can be started, the work is done in one."""
        self.make_image()
        for form in ("%d", "%d+"):
            self.assertGreater(self.each_failure("FAIL_THREAD", form, self.try_restore), 0)
            self.assertGreater(self.each_failure("FAIL_THREAD", form, self.try_checkpoint), 0)
        result = failing.run({"FAIL_THREAD": "1+"}, "checkpoint", "--replace", "--image",
                             self.image, self.state)
        self.assertEqual(result.status, DONE, str(result))

    def test_open_files(self):
        """A unit's limit of open files would lead to a crash or half a tree."""
        self.make_image()
        for limit in range(4, 40):
            def lower(limit=limit):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            where = "with %d open files" % limit
            self.empty_target()
            self.image.write_bytes(self.whole)
            restored = failing.run({}, "restore", "--image", self.image, "--into", self.target,
                                   preexec_fn=lower)
            self.judge_restore(restored, where)
            self.image.unlink()
            saved = failing.run({}, "checkpoint", "--image", self.image, self.state,
                                preexec_fn=lower)
            self.judge_checkpoint(saved, where)
        self.assertEqual((restored.status, saved.status), (DONE, DONE))

    def test_clock(self):
        """A clock that is set during a run: times are only displayed, nothing depends on them."""
        for jump in ("86400", "-86400", "-4000000000", "4000000000"):
            self.try_checkpoint({"JUMP_CLOCK": jump}, jump)
            self.whole = self.image.read_bytes()
            self.try_restore({"JUMP_CLOCK": jump}, jump)
            self.assertTrue(os.listdir(self.target))
