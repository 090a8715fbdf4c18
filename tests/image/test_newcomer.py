# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody meets who has not read the manual: each message names the command that goes on."""

import os
import re
import subprocess

from .support import keyed, mounts, program, scratch
from .support.case import ImageCase
from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT, REFUSED, USAGE

NOBODY = 65534


def other_user():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def skip_with_region(case):
    status = subprocess.run([*program.BASE, "--json", "status"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=False).stdout
    if b'"regions":[]' not in status.replace(b" ", b"").replace(b"\n", b""):
        case.skipTest("this machine has a region")


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
        skip_with_region(self)
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

    def test_help_fits_a_terminal(self):
        """Lines that wrap in the middle of a word are not read."""
        listed = self.expect(DONE, "--help").out.decode()
        commands = re.findall(r"^  ([a-z-]+)  ", listed.partition("Commands:")[2]
                              .partition("Options:")[0], re.MULTILINE)
        self.assertIn("last-look", commands)
        for text in [listed, *(self.expect(DONE, name, "--help").out.decode()
                               for name in commands)]:
            for line in text.splitlines():
                self.assertLess(len(line), 80, line)

    def test_no_such_file(self):
        said = self.expect(NO_CHECKPOINT, "restore", "--image", self.box / "none").text
        self.assertIn("no such file", said)

    def skip_without_root(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")


class Readme(ImageCase):
    def test_try_it(self):
        """The first commands that anybody types, and types again."""
        text = (program.REPOSITORY / "README.md").read_text()
        lines = re.findall(r"^    (.*--image /tmp/state.img.*|diff .*)$", text, re.MULTILINE)
        self.assertEqual(len(lines), 4, lines)
        script = "\n".join(lines).replace("/tmp/", f"{self.box}/").replace(
            "build/pmem-preserve", f"'{program.PROGRAM}'")
        for _ in range(2):
            result = program.finish(program.start_words(["sh", "-e", "-c", script],
                                                        cwd=program.REPOSITORY))
            self.assertEqual(result.status, DONE, str(result))
            scratch.remove(self.box / "back")


class Configuration(ImageCase):
    def test_long_lines(self):
        """The rest of a line that a parser cuts is another line: it saves, or starts, something else."""
        deep = self.state / ("d" * 150) / ("e" * 150)
        deep.mkdir(parents=True)
        (deep / "file").write_text("content")
        config = self.box / "config"
        config.write_text(f"state = {deep}\ncmdline = {'x' * 3000} fallback = /{'y' * 100}\n")
        saved = program.finish(program.start_words(
            [program.PROGRAM, "--config", config, "checkpoint", "--image", self.image]))
        self.assertEqual(saved.status, DONE, str(saved))
        self.assertIn(f"{deep}/file", self.expect(DONE, "list", "--image", self.image).out.decode())


class Status(ImageCase):
    """The first command that is called when something is wrong."""

    def setUp(self):
        super().setUp()
        (self.state / "file").write_bytes(b"x" * 100000)
        self.config = self.box / "config"
        self.fallback = self.box / "fallback.img"

    def configure(self, *lines):
        self.config.write_text("\n".join([*lines, ""]))

    def ask(self, *words, status=DONE):
        result = program.finish(program.start_words(
            [program.PROGRAM, "--config", self.config, *words]))
        self.assertEqual(result.status, status, str(result))
        return result

    def test_all_of_it(self):
        """Somebody who asks for the status would have to know five other commands."""
        self.configure(f"state = {self.state}", "exclude = *.tmp", f"fallback = {self.fallback}")
        (self.state / "large.tmp").write_bytes(b"x" * 10 ** 7)
        self.checkpoint()
        os.rename(self.image, self.fallback)
        out = self.ask("status").out.decode()
        for line in ("Checkpoints", "State", "Next kernel", "Problems", str(self.config)):
            self.assertIn(f"\n{line}\n", out)
        self.assertIn("last saved ", out)
        self.assertIn(f"  it fits into {self.fallback}, which has ", out)
        answer = self.ask("--json", "status").json
        state = answer["state"]
        self.assertEqual(state["paths"], [str(self.state)])
        self.assertGreater(state["image_bytes"], 100000)
        self.assertLess(state["image_bytes"], 3 * 10 ** 6, "what is excluded does not count")
        room, = [room for room in state["rooms"] if room["kind"] == "fallback"]
        self.assertEqual((room["place"], room["fits"]), (str(self.fallback), True))
        self.assertEqual(answer["history"]["saved"]["place"], str(self.fallback))
        self.assertEqual(answer["history"]["saved"]["generation"], 1)
        self.assertIn("left", answer["next_kernel"])
        self.assertEqual(answer["config"]["fallback"], str(self.fallback))

    def test_it_never_stops(self):
        """The first of several problems would hide the others, one of them after each reboot."""
        self.configure(f"state = {self.box}/none", "region = no-such-region",
                       f"fallback = {self.fallback}", f"key-file = {self.box}/no-key")
        self.checkpoint()
        data = bytearray(self.image.read_bytes())
        data[40] ^= 1
        self.fallback.write_bytes(data)
        result = self.ask("status", status=DAMAGED)
        out = result.out.decode()
        self.assertIn("its size was not measured: ", out)
        for word in (f"{self.box}/none: No such file", "fallback", "no-key does not exist",
                     "region"):
            self.assertIn(word, out.partition("\nProblems\n")[2])
        self.assertEqual(self.ask("--json", "status", status=DAMAGED).json["exit_status"], DAMAGED)

    def test_it_does_not_fit(self):
        """At shutdown it would be too late to find out."""
        small = self.box / "small"
        small.mkdir()
        mounts.mount_tmpfs(self, small, "64k")
        self.configure(f"state = {self.state}", f"fallback = {small}/image")
        self.assertIn(f"DOES NOT FIT into {small}/image", self.ask("status").out.decode())
        self.assertIn("does not fit into", str(self.ask("--json", "status").json["problems"]))

    def test_no_region(self):
        """setup sends to status, which must not send back."""
        skip_with_region(self)
        self.configure(f"state = {self.state}")
        fix, = [problem["fix"] for problem in self.ask("--json", "status").json["problems"]
                if "no region" in problem["problem"]]
        self.assertNotIn("setup", fix)
        self.assertNotEqual(fix, "")

    def test_next_kernel(self):
        """An unfinished installation would be started, without an initrd, and not come up."""
        boot = self.box / "boot"
        boot.mkdir()
        mounts.bind(self, boot, "/boot")
        (boot / "vmlinuz-99.0").write_bytes(b"")
        self.configure(f"state = {self.state}")
        result = self.ask("--json", "status").json
        left, = [left for left in result["next_kernel"]["left"] if "99.0" in left["file"]]
        self.assertEqual(left["why"], "it is empty")
        self.assertIn("/boot/vmlinuz-99.0: it is empty", str(result["problems"]))
        self.assertIn("/boot/vmlinuz-99.0: it is empty", self.ask("status").out.decode())

    def test_no_fallback(self):
        self.configure(f"state = {self.state}")
        self.assertIn("fallback: none; ", self.ask("status").out.decode())

    def test_names_of_others(self):
        """The name of a machine that made an image could control the terminal of root."""
        if os.geteuid() != 0:
            self.skipTest("only root can name a machine")
        script = "printf 'a\\033[2Jb\\302\\2332Jc' >/proc/sys/kernel/hostname && exec \"$@\""
        result = program.finish(program.start_words(
            ["unshare", "--uts", "sh", "-c", script, "sh", *program.BASE, "checkpoint",
             "--image", self.image, self.state]))
        self.assertEqual(result.status, DONE, str(result))
        for command in (["status"], ["restore", "-n", "--into", self.target]):
            result = self.expect(DONE, *command, "--image", self.image)
            said = result.out + result.err
            self.assertIn(b"a\\033[2Jb\\302\\2332Jc", said)
            self.assertNotIn(b"\033", said)
            self.assertNotIn(b"\302\233", said)
