# SPDX-License-Identifier: GPL-2.0-or-later
"""What must not be overwritten, what does not fit, and what is not a checkpoint."""

import os
import re

from .support import mounts, program, snapshot
from .support.case import ImageCase
from .support.imagefile import ImageFile
from .support.program import DAMAGED, DONE, FAILED, NO_CHECKPOINT, NO_FIT, REFUSED, USAGE


class Refusals(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "file").write_text("content")

    def test_an_unrelated_file(self):
        """A typing error would replace a document by an image."""
        for content in (b"x", b"a letter to a friend\n" * 1000):
            self.image.write_bytes(content)
            result = self.checkpoint(status=REFUSED)
            self.assertIn("--replace", result.text)
            self.assertEqual(self.image.read_bytes(), content)
        self.checkpoint(options=("--replace",))
        self.expect(DONE, "verify", "--image", self.image)

    def test_an_empty_file(self):
        """mktemp creates an empty file first: nothing is lost if it becomes an image."""
        self.image.write_bytes(b"")
        self.checkpoint()

    def test_a_checkpoint_that_was_not_restored(self):
        """The only copy of the state would be overwritten at the next reboot."""
        self.checkpoint()
        before = self.image.read_bytes()
        (self.state / "file").write_text("other content")
        self.checkpoint(status=REFUSED)
        self.assertEqual(self.image.read_bytes(), before)
        self.checkpoint(options=("--replace",))
        self.restore()
        self.assertEqual((self.restored() / "file").read_text(), "other content")

    def test_a_checkpoint_that_was_restored(self):
        """After each reboot an operator would have to say --replace, and get used to it."""
        self.checkpoint()
        self.restore()
        self.checkpoint()
        status = self.expect(DONE, "--json", "status", "--image", self.image).json
        self.assertEqual(status["image"]["generation"], 2)

    def test_a_damaged_checkpoint(self):
        """A damaged checkpoint can still be salvaged: it is not replaced without --replace."""
        self.checkpoint()
        with open(self.image, "r+b") as file:
            file.seek(40)
            file.write(b"\xff\xff")
        before = self.image.read_bytes()
        self.checkpoint(status=REFUSED)
        self.assertEqual(self.image.read_bytes(), before)
        self.checkpoint(options=("--replace",))
        self.expect(DONE, "verify", "--image", self.image)

    def test_through_a_symlink(self):
        """An image behind a symlink would be overwritten, as its name is another one."""
        self.checkpoint()
        (self.box / "link").symlink_to("image")
        self.expect(REFUSED, "checkpoint", "--image", self.box / "link", self.state)
        self.expect(DONE, "checkpoint", "--replace", "--image", self.box / "link", self.state)
        self.assertTrue((self.box / "link").is_symlink())
        self.expect(DONE, "verify", "--image", self.image)

    def test_an_image_within_the_state(self):
        """An image that contains itself never ends."""
        for place in (self.state / "image", self.state / "file", self.state):
            self.expect(USAGE, "checkpoint", "--image", place, self.state)
        (self.state / "sub").mkdir()
        (self.box / "link").symlink_to("state/sub")
        self.expect(USAGE, "checkpoint", "--image", self.box / "link" / "image", self.state)
        self.assertEqual(sorted(os.listdir(self.state)), ["file", "sub"])

    def test_an_image_linked_into_the_state(self):
        """The same behind a symlink as the last part of its name."""
        (self.state / "real").write_bytes(b"")
        (self.box / "link").symlink_to("state/real")
        self.expect(USAGE, "checkpoint", "--image", self.box / "link", self.state)

    def test_only_the_owner_may_read(self):
        """The image holds the files of all users: nobody else may read it."""
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.checkpoint()
        self.assertEqual(self.image.stat().st_mode & 0o777, 0o600)

    def test_dry_run(self):
        """A dry run must not do anything."""
        before = snapshot.take(self.box)
        self.checkpoint(options=("--dry-run",))
        self.assert_same(before, snapshot.take(self.box), "after a dry run")
        self.checkpoint()
        before = snapshot.take(self.box)
        self.checkpoint(options=("--dry-run",), status=REFUSED)
        self.restore("--dry-run")
        self.expect(DONE, "discard", "--dry-run", "--image", self.image)
        self.assert_same(before, snapshot.take(self.box), "after a dry run")


class Fit(ImageCase):
    def setUp(self):
        super().setUp()
        self.place = self.box / "place"
        self.place.mkdir()
        mounts.mount_tmpfs(self, self.place, "3m")
        self.image = self.place / "image"
        (self.state / "large").write_bytes(os.urandom(5 << 20))

    def expect_sizes(self, result):
        sizes = [int(text) for text in re.findall(r"\((\d+) bytes\)", result.text)]
        self.assertEqual(len(sizes), 2, "both sizes should be told: %s" % result)
        self.assertGreater(sizes[0], 5 << 20)
        self.assertLessEqual(sizes[1], 3 << 20)

    def test_it_does_not_fit(self):
        """The copy would fail in the middle, when services are stopped already."""
        self.expect_sizes(self.checkpoint(status=NO_FIT))
        self.assertEqual(os.listdir(self.place), [])

    def test_what_was_there_stays(self):
        """An older checkpoint would be lost for a new one that does not fit."""
        (self.state / "large").rename(self.box / "large")
        (self.state / "file").write_text("small")
        self.checkpoint()
        before = self.image.read_bytes()
        (self.box / "large").rename(self.state / "large")
        self.expect_sizes(self.checkpoint(options=("--replace",), status=NO_FIT))
        self.assertEqual(self.image.read_bytes(), before)
        self.assertEqual(os.listdir(self.place), ["image"])

    def test_a_dry_run_tells(self):
        """A dry run that says "fine" is worse than none."""
        self.checkpoint(options=("--dry-run",), status=NO_FIT)

    def test_the_restored_state_does_not_fit(self):
        """A tmpfs that is too small must be reported as such, and the checkpoint be kept."""
        self.image = self.box / "image"
        self.checkpoint()
        self.expect(NO_FIT, "restore", "--image", self.image, "--into", self.place)
        self.restore()


class NoCheckpoint(ImageCase):
    def test_nothing_there(self):
        """At the first boot there is no checkpoint: the service must not fail."""
        for content in (None, b"", b"x", b"\0" * 100000, b"something else " * 1000):
            if content is not None:
                self.image.write_bytes(content)
            for command in (["restore", "--into", self.target], ["list"], ["verify"], ["status"],
                            ["discard"]):
                with self.subTest(content=content and content[:15], command=command[0]):
                    self.expect(NO_CHECKPOINT, *command, "--image", self.image)
            if content is not None:
                self.assertEqual(self.image.read_bytes(), content)

    def test_discard(self):
        """A discarded checkpoint would come back at the next boot."""
        (self.state / "file").write_text("content")
        self.checkpoint()
        self.expect(DONE, "discard", "--image", self.image)
        self.expect(NO_CHECKPOINT, "restore", "--image", self.image, "--into", self.target)
        self.checkpoint()

    def test_damage(self):
        """A damaged file would be restored as if it were whole."""
        (self.state / "file").write_bytes(b"pattern!" * 1000)
        # So that directories and inodes are in another MiB.
        (self.state / "other").write_bytes(bytes(2 << 20))
        self.checkpoint()
        data = bytearray(self.image.read_bytes())
        data[data.index(b"pattern!pattern!") + 999] ^= 1
        self.image.write_bytes(data)
        result = self.restore(status=DAMAGED)
        self.assertIn(str(self.state / "file"), result.text)
        result = self.expect(DAMAGED, "verify", "--image", self.image)
        self.assertIn(os.fsencode(self.state / "file"), result.out)
        self.assertEqual(self.expect(DONE, "--json", "status", "--image", self.image)
                         .json["image"]["phase"], "committed", "it counts as restored")

    def test_a_file_that_was_cut_short(self):
        """An image that was copied to a full disk would be restored in part."""
        (self.state / "file").write_bytes(b"x" * 100000)
        self.checkpoint()
        data = ImageFile(self.image.read_bytes()).header("data_offset")
        for size in (data + 70000, data, 70000, 8192, 4096):
            os.truncate(self.image, size)
            self.restore(status=DAMAGED)
            self.assertEqual(os.listdir(self.target), [])


class Usage(ImageCase):
    def test_usage(self):
        """A misspelt option would be ignored, and something else be done."""
        image = ["--image", self.image]
        for arguments in ([], ["frobnicate"], ["checkpoint", *image], ["checkpoint", "--image"],
                          ["checkpoint", "--frob", *image, self.state],
                          ["restore", "--exclude", "x", *image], ["restore", *image, "argument"],
                          ["list", "--long=1", *image], ["verify", "-j", "many", *image],
                          ["verify", "-j", "0x10", *image], ["verify", "-j", "-1", *image],
                          ["--config"]):
            with self.subTest(arguments=arguments):
                result = program.run(*arguments)
                self.assertEqual(result.status, USAGE, str(result))
                self.assertTrue(result.err)
        self.assertFalse(self.image.exists())

    def test_help(self):
        """--help must succeed, and do nothing else."""
        self.expect(DONE, "--version")
        text = self.expect(DONE, "--help").out.decode()
        commands = re.findall(r"^  ([a-z][a-z-]+)  ", text.split("Commands:")[1], re.MULTILINE)
        self.assertGreaterEqual(set(commands), {"checkpoint", "restore", "status", "verify"})
        for command in commands:
            self.assertIn(command.encode(), self.expect(DONE, command, "--help").out)

    def test_a_directory_as_image(self):
        """--image DIR by mistake for --into DIR: the directory must not change."""
        self.assertIn(program.run("checkpoint", "--image", self.target, self.state).status,
                      (FAILED, USAGE, REFUSED))
        self.assertEqual(os.listdir(self.target), [])
