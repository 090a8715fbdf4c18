# SPDX-License-Identifier: GPL-2.0-or-later
"""Old images that are put back: authentic, but not the present state of the machine."""

import os

from .support import bases, mounts, sealing, snapshot
from .support.imagefile import HEADER
from .support.keyed import KeyedCase, set_phase
from .support.program import DONE, FAILED, NO_CHECKPOINT, REFUSED

MIB = 1 << 20


class Replay(KeyedCase):
    def setUp(self):
        super().setUp()
        (self.state / "file").write_text("first\n")
        self.before = snapshot.take(self.state)

    def put_back(self, data):
        with open(self.image, "r+b" if os.path.exists(self.image) else "wb") as file:
            file.write(data)

    def take(self):
        with open(self.image, "rb") as file:
            return file.read()

    def refused(self, *options):
        self.empty_target()
        result = self.restore(*options, status=REFUSED)
        self.assertEqual(os.listdir(self.target), [])
        return result

    def test_restored_once(self):
        """An old state would come back, with revoked permissions and used tokens."""
        self.checkpoint()
        old = self.take()
        generation = self.generation()
        self.restore()
        self.assertEqual(self.counted(), generation + 1)
        self.put_back(old)
        result = self.refused()
        self.assertIn(f"generation {generation},", result.text)
        self.assertIn(f"at least {generation + 1} is expected", result.text)
        self.assertIn(str(self.counter), result.text)
        self.refused("--keep")
        self.refused("--dry-run")
        self.refused("--overwrite")

    def test_the_phase_is_flipped_back(self):
        """The phase is a word that no MAC covers."""
        self.checkpoint()
        self.restore()
        set_phase(self.image, "committed")
        self.refused()

    def test_the_header_is_taken_away(self):
        """Its copy does not know that the image was restored."""
        self.checkpoint()
        self.restore()
        self.put_back(bytes(4096))
        self.assertIn("an old one", self.refused("--salvage").text)

    def test_on_a_device(self):
        self.image = mounts.loop_device(self, self.box / "backing", 16 * MIB)
        self.checkpoint()
        self.restore()
        set_phase(self.image, "committed")
        self.refused()

    def test_followed_by_a_newer_one(self):
        """A checkpoint that was replaced must not be restored, even if it never was."""
        self.checkpoint()
        old = self.take()
        (self.state / "file").write_text("second\n")
        self.checkpoint(options=("--replace",))
        self.assertEqual(self.counted(), self.generation())
        new = self.take()
        self.put_back(old)
        self.refused()
        self.put_back(new)
        self.empty_target()
        self.restore()
        self.assertEqual((self.restored() / "file").read_text(), "second\n")

    def test_given_up(self):
        self.checkpoint()
        old = self.take()
        self.expect(DONE, "discard", "--image", self.image)
        self.put_back(old)
        self.refused()

    def test_given_up_without_a_header(self):
        """The header is erased, and put back after the checkpoint was discarded."""
        self.checkpoint()
        generation = self.generation()
        old = self.take()
        self.put_back(bytes(4096))
        self.expect(DONE, "--config", self.config, "discard", "--image", self.image)
        self.assertEqual(self.counted(), generation + 1)
        self.put_back(old)
        self.refused()

    def test_kept(self):
        """--keep allows a second restore: the image must remain valid."""
        self.checkpoint()
        before = self.counted()
        for _ in range(3):
            self.empty_target()
            self.restore("--keep")
            self.assertEqual(self.counted(), before)
        self.empty_target()
        self.restore()

    def test_a_crash_before_the_counter(self):
        """Interrupted between commit and counter: the last image must be restorable."""
        self.checkpoint()
        self.restore()
        counted = self.counted()
        (self.state / "file").write_text("second\n")
        self.checkpoint()
        self.counter.write_text(f"{counted}\n")
        self.empty_target()
        self.restore()
        self.assertEqual((self.restored() / "file").read_text(), "second\n")
        self.assertEqual(self.counted(), counted + 2)

    def test_generations_go_on(self):
        """With the memory removed and added, generations would start at 1, and be refused."""
        for number in range(3):
            (self.state / "file").write_text(f"round {number}\n")
            self.checkpoint()
            self.empty_target()
            self.restore()
            self.assertEqual((self.restored() / "file").read_text(), f"round {number}\n")
            self.image.unlink()
        self.assertEqual(self.counted(), 6)

    def test_the_first_time(self):
        """A machine with a new key has no counter yet, and says so."""
        self.assertIn("does not exist yet", self.checkpoint().text)
        self.counter.unlink()
        self.assertIn("does not exist yet", self.restore().text)
        self.assertEqual(self.counted(), 2)

    def test_a_counter_that_cannot_be_believed(self):
        """If it were ignored, every image would be accepted."""
        self.checkpoint()
        for text, mode in (("", 0o600), ("many\n", 0o600), ("-1\n", 0o600), ("1\n", 0o662)):
            with self.subTest(text=text, mode=mode):
                self.counter.write_text(text)
                self.counter.chmod(mode)
                result = self.refused()
                self.assertIn("remove it to start over", result.text)
                self.checkpoint(options=("--replace",), status=REFUSED)
                self.assertEqual(self.counter.read_text(), text)
        self.counter.unlink()
        self.restore()

    def test_a_counter_that_cannot_be_written(self):
        """It must be noticed before anything is changed, not when the image is used already."""
        self.checkpoint()
        image = self.take()
        place = self.box / "read-only"
        place.mkdir()
        mounts.mount_tmpfs(self, place, "1m,ro")
        self.counter = place / "counter"
        self.configure()
        self.assertIn("nothing was changed", self.restore(status=FAILED).text)
        self.assertEqual(os.listdir(self.target), [])
        self.checkpoint(options=("--replace",), status=FAILED)
        self.assertEqual(self.take(), image)
        self.restore("--keep")

    def test_a_forged_generation(self):
        """The counter would reach its maximum, and no checkpoint be newer."""
        base, _, _ = bases.make(self.box / "forged", bases.fill_small)
        data = bytearray(base.image.data)
        offset = HEADER["generation"][0]
        data[offset:offset + 8] = (1 << 40).to_bytes(8, "little")
        for seal in (0, 1):
            with self.subTest(seal=seal):
                data[HEADER["seal"][0]] = seal
                self.put_back(data)
                sealing.reseal("header", [self.image])
                self.checkpoint(options=("--replace",))
                self.assertLess(self.generation(), 10)
                self.assertLess(self.counted(), 10)
                self.put_back(data)
                sealing.reseal("header", [self.image])
                self.expect(DONE, "discard", "--image", self.image)
                self.assertLess(self.counted(), 10)
        self.expect(NO_CHECKPOINT, "restore", "--image", self.image, "--into", self.target)

    def test_without_a_key(self):
        """Without a key there is no counter, and nothing is written."""
        self.expect_plain(DONE, "--config", self.plain_config(), "checkpoint", "--image",
                          self.image, self.state)
        old = self.take()
        for _ in range(2):
            self.empty_target()
            self.expect_plain(DONE, "--config", self.plain_config(), "restore", "--image",
                              self.image, "--into", self.target)
            self.put_back(old)
        self.assertFalse(self.counter.exists())

    def plain_config(self):
        path = self.box / "plain-config"
        path.write_text(f"counter-file = {self.counter}\n")
        return path
