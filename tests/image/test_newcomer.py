# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody meets who has not read the manual: each message names the command that goes on."""

import os
import subprocess

from .support import keyed, program
from .support.case import ImageCase
from .support.program import DONE, FAILED, NO_CHECKPOINT, REFUSED, USAGE

NOBODY = 65534


def other_user():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


class Hints(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "file").write_text("content")

    def test_a_file_without_image(self):
        """"restore FILE" would end in the manual."""
        self.checkpoint()
        for command in ("restore", "list", "verify", "discard", "status"):
            said = self.expect(USAGE, command, self.image).text
            self.assertIn(f"pmem-preserve {command} --image {self.image}", said)

    def test_standard_output_is_no_image(self):
        """A file named "-" would be found by nobody."""
        for command in (["checkpoint", self.state], ["restore"], ["list"]):
            result = program.finish(program.start(*command, "--image", "-", cwd=self.box))
            self.assertEqual(result.status, USAGE, str(result))
            self.assertIn("./-", result.text)
        self.assertEqual(sorted(os.listdir(self.box)), ["state", "target"])
        self.assertIn("name of a file", self.expect(USAGE, "list", "--image=").text)

    def test_without_a_region(self):
        """A fixed range would be proposed, which this machine need not have."""
        self.skip_with_region()
        for command in (["restore"], ["checkpoint", self.state], ["hot-add"]):
            said = program.run(*command).text
            self.assertNotIn("2G!4G", said)
            if os.geteuid() == 0:
                self.assertIn("pmem-preserve setup", said)
                self.assertIn("--image FILE", said)

    def test_without_root(self):
        """The lock that cannot be opened is not what is wrong."""
        self.skip_without_root()
        self.checkpoint()
        process = program.start("restore", preexec_fn=other_user)
        said = program.finish(process).text
        self.assertIn("call it as root", said)
        self.assertIn("--image FILE", said)
        self.assertNotIn("lock", said)
        os.chmod(self.box, 0o755)
        result = program.finish(program.start("list", "--image", self.image,
                                              preexec_fn=other_user))
        self.assertEqual(result.status, FAILED)
        self.assertIn("except as root", result.text)

    def test_a_key_is_missing(self):
        """Which of many files is meant, and what to do without it, is not to be guessed."""
        key = keyed.write_key(self.box / "key")
        counter = self.box / "counter"
        config = self.box / "config"
        config.write_text(f"key-file = {key}\ncounter-file = {counter}\n")
        said = program.finish(program.start_words(
            [program.PROGRAM, "--config", config, "checkpoint", "--image", self.image,
             self.state]))
        self.assertEqual(said.status, DONE, str(said))
        self.assertIn("--key-file", self.expect(REFUSED, "list", "--image", self.image).text)
        key.unlink()
        for command in ("list", "verify", "restore"):
            result = program.finish(program.start_words(
                [program.PROGRAM, "--config", config, command, "--image", self.image]))
            self.assertEqual(result.status, REFUSED, str(result))
            self.assertIn(f"{key}: the key file does not exist; --key-file=FILE names", result.text)

    def test_restored_in_the_same_boot(self):
        """"It was away for 542 s: 473 to boot", where nothing has booted."""
        with open("/proc/uptime", encoding="ascii") as file:
            if float(file.read().split()[0]) < 60:
                self.skipTest("this machine has just booted")
        self.checkpoint()
        said = self.restore().text
        self.assertIn("earlier in this boot", said)
        self.assertNotIn("to boot", said)

    def test_no_such_file(self):
        said = self.expect(NO_CHECKPOINT, "restore", "--image", self.box / "none").text
        self.assertIn("no such file", said)

    def skip_without_root(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")

    def skip_with_region(self):
        status = subprocess.run([*program.BASE, "--json", "status"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=False).stdout
        if b'"regions":[]' not in status.replace(b" ", b"").replace(b"\n", b""):
            self.skipTest("this machine has a region")
