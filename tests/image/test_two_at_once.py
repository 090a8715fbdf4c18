# SPDX-License-Identifier: GPL-2.0-or-later
"""Two checkpoints to one file at once, and a file whose name cannot be flushed.

The second one replaced the unrestored first without --replace, and said that all was well.
"""

import os

from .support import failing, program, snapshot
from .support.case import ImageCase
from .support.program import DONE, FAILED, REFUSED

TRIES = int(os.environ.get("PMEM_PRESERVE_RACES", 15))


class TwoAtOnce(ImageCase):
    def setUp(self):
        super().setUp()
        self.states = [self.box / "big", self.box / "small"]
        for number, state in enumerate(self.states):
            state.mkdir()
            (state / "file").write_bytes(bytes([number]) * (3 << 20 >> 10 * number))

    def race(self, *options):
        """Statuses of both; the file holds the state of one that has succeeded."""
        processes = [program.start("checkpoint", "--image", self.image, *options, state)
                     for state in self.states]
        results = [program.finish(process) for process in processes]
        statuses = [result.status for result in results]
        self.assertIn(DONE, statuses, "\n".join(map(str, results)))
        self.assertLessEqual(set(statuses), {DONE, REFUSED}, "\n".join(map(str, results)))
        self.assertEqual([name for name in os.listdir(self.box) if name.endswith(".new")], [])
        return statuses

    def check_winner(self, statuses):
        listed = self.expect(DONE, "list", "--image", self.image).out
        held = [bytes(state / "file") in listed for state in self.states]
        self.assertIn((DONE, True), list(zip(statuses, held)))
        self.expect(DONE, "verify", "--image", self.image)

    def test_new_file(self):
        """Of two, one is refused; nothing that was committed is lost."""
        for _ in range(TRIES):
            statuses = self.race()
            self.assertEqual(sorted(statuses), [DONE, REFUSED])
            self.check_winner(statuses)
            self.image.unlink()

    def test_restored_file(self):
        """The same where a file may be replaced, as it was restored."""
        for _ in range(TRIES):
            self.checkpoint()
            self.restore()
            self.empty_target()
            statuses = self.race()
            self.assertEqual(sorted(statuses), [DONE, REFUSED])
            self.check_winner(statuses)
            self.image.unlink()

    def test_replace(self):
        """--replace gives up what was there when it was said, and not what has come since."""
        for _ in range(TRIES):
            self.checkpoint()
            statuses = self.race("--replace")
            header = self.expect(DONE, "--json", "status", "--image", self.image).json["image"]
            self.assertEqual(header["generation"], 1 + statuses.count(DONE))
            self.image.unlink()

    def test_in_place(self):
        """The same for a file that is written like a device."""
        for _ in range(TRIES):
            self.image.write_bytes(b"")
            os.truncate(self.image, 8 << 20)
            self.checkpoint(options=["--in-place", "--replace"])
            self.restore()
            self.empty_target()
            processes = [program.start("checkpoint", "--image", self.image, "--in-place", state)
                         for state in self.states]
            statuses = [program.finish(process).status for process in processes]
            # Who finds the file in use does not wait.
            self.assertEqual(statuses.count(DONE), 1, statuses)
            self.check_winner(statuses)

    def test_name_that_is_not_flushed(self):
        """What is said must be true: the new image is there, and only the power can take it."""
        self.checkpoint()
        (self.state / "later").write_text("later")
        before = snapshot.take(self.state)
        result = failing.run({"FAIL_NAMES": "1"}, "checkpoint", "--replace", "--image", self.image,
                             self.state)
        self.assertEqual(result.status, FAILED, str(result))
        self.assertIn("the new file is there", result.text)
        self.assertIn("The checkpoint is committed", result.text)
        self.restore()
        self.assert_restored(before)
