# SPDX-License-Identifier: GPL-2.0-or-later
"""Images that are sealed with a key: without it nobody can make one that is restored."""

import base64
import hashlib
import hmac
import os
import pathlib
import shutil
import subprocess
import unittest

from .support import bases, mounts, program, sealing, snapshot
from .support.imagefile import HEADER, ImageFile
from .support.keyed import KeyedCase, set_phase
from .support.program import DAMAGED, DONE, NO_CHECKPOINT, REFUSED

MIB, BLOCK = 1 << 20, 4096
SEAL, HEADER_MAC, SUPER_DIGEST, RESERVED, PHASE, TIMELINE = (
    HEADER[name][0] for name in ("seal", "header_mac", "super_digest", "reserved", "phase", "timeline"))
NAMES_END = HEADER["hostname"][0] + 63, HEADER["kernel"][0] + 63


class RoundTrip(KeyedCase):
    def setUp(self):
        super().setUp()
        bases.fill_segments(self.state)
        (self.state / "sub").mkdir()
        (self.state / "sub" / "link").symlink_to("../small")

    def test_file(self):
        """With a key the state would not come back, or other programs could not read the image."""
        self.round_trip()
        self.expect(DONE, "verify", "--image", self.image)

    def test_in_place(self):
        with open(self.image, "wb") as file:
            file.truncate(16 * MIB)
        self.round_trip(options=("--in-place", "--replace"))

    def test_block_device(self):
        self.image = mounts.loop_device(self, self.box / "backing", 16 * MIB)
        self.round_trip()
        with open(self.image, "r+b") as device:
            device.seek(3 * MIB)
            device.write(b"\xff" * 4096)
        self.checkpoint()
        self.expect(DONE, "verify", "--image", self.image)

    def test_threads(self):
        """Digests that depend on the order of the threads would make the image unrestorable."""
        for threads in ("1", "2", "7"):
            self.checkpoint(options=("-j", threads, "--replace"))
            self.expect(DONE, "verify", "-j", "3", "--image", self.image)

    def test_what_a_key_is_for(self):
        """list, verify and status would show a forged image as if it were authentic."""
        self.checkpoint()
        for command in (("list",), ("verify",), ("restore", "--into", self.target)):
            result = self.expect_plain(REFUSED, *command, "--image", self.image)
            self.assertIn("key-file", result.text)
            self.assertEqual(result.out, b"")
        self.assertEqual(os.listdir(self.target), [])
        plain = self.expect_plain(DONE, "status", "--image", self.image)
        self.assertIn(b"sealed with a key", plain.out)
        status = self.expect(DONE, "--json", "status", "--image", self.image)
        self.assertIs(status.json["image"]["sealed"], True)

    def test_no_two_seals_are_the_same(self):
        """With equal MACs in two images, parts of one could be moved to the other."""
        tables = set()
        for _ in range(3):
            self.checkpoint(options=("--replace",))
            image = ImageFile(self.image.read_bytes())
            for i in range(image.leaves()):
                tables.add(image.data[image.digests() + 16 * i:image.digests() + 16 * (i + 1)])
        self.assertEqual(len(tables), 3 * image.leaves())


class OtherJudges(KeyedCase):
    def derive(self, uuid, purpose):
        """HKDF-SHA-256, one block."""
        pseudorandom = hmac.digest(uuid, self.key.read_bytes(), "sha256")
        return hmac.digest(pseudorandom, purpose.encode() + b"\1", "sha256")

    def stream(self, key, count):
        """The one-time keys of the first @count blocks: ChaCha20 of zeroes."""
        done = subprocess.run(["openssl", "enc", "-chacha20", "-K", key.hex(), "-iv", "0" * 32],
                              input=bytes(32 * count), stdout=subprocess.PIPE, check=True)
        return done.stdout

    def poly1305(self, key, data):
        done = subprocess.run(["openssl", "mac", "-macopt", "hexkey:" + key.hex(), "POLY1305"],
                              input=data, stdout=subprocess.PIPE, check=True)
        return bytes.fromhex(done.stdout.decode().strip())

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_as_it_is_specified(self):
        """Checked only by our own code, a mistake in the MACs would never be noticed."""
        bases.fill_segments(self.state)
        self.checkpoint()
        image = ImageFile(self.image.read_bytes())
        uuid = image.header("uuid")
        header = bytearray(image.data[:1024])
        for start, end in ((PHASE, PHASE + 8), (HEADER_MAC, HEADER_MAC + 16), (TIMELINE, 1024)):
            header[start:end] = bytes(end - start)
        found = hmac.digest(self.derive(uuid, "pmem-preserve header"), header, "sha256")[:16]
        self.assertEqual(found, image.data[HEADER_MAC:HEADER_MAC + 16])
        keys = self.stream(self.derive(uuid, "pmem-preserve blocks"), len(image.data) // BLOCK)

        def judge(place, digest, end=None):
            key = keys[place // BLOCK * 32:][:32]
            self.assertEqual(self.poly1305(key, image.data[place:end or place + BLOCK]), digest)

        judge(1024, image.header("super_digest"), BLOCK)
        index = image.header("index_offset")
        picked = [*range(image.header("data_offset"), index, 97 * BLOCK),
                  *range(index, image.digests(), BLOCK)]
        for place in picked:
            judge(place, image.data[image.leaf(place):][:16])
        levels = image.levels()
        self.assertGreater(len(levels), 1)
        for (start, blocks), (above, _) in zip(levels, levels[1:]):
            for number in range(blocks):
                judge(start + number * BLOCK, image.data[above + 16 * number:][:16])
        judge(levels[-1][0], image.header("root_digest"))


class Forged(KeyedCase):
    """An attacker who can write the image, and knows everything but the key."""

    def setUp(self):
        super().setUp()
        bases.fill_segments(self.state)
        self.before = snapshot.take(self.state)
        self.checkpoint()
        self.data = self.image.read_bytes()
        self.whole = ImageFile(self.data)

    def refused(self, what, data=None, statuses=(DAMAGED,)):
        """The restore is refused, and the target stays empty."""
        if data is not None:
            self.image.write_bytes(data)
        with self.subTest(what):
            result = program.run("--config", self.config, "restore", "--keep", "--image",
                                 self.image, "--into", self.target)
            self.assertIn(result.status, statuses, f"{what}: {result}")
            self.assertEqual(os.listdir(self.target), [], what)
            return result

    def forged(self, level, *changes):
        """Writes the image with changes [(offset, bytes)] and correct plain digests."""
        data = bytearray(self.data)
        for at, new in changes:
            data[at:at + len(new)] = new
        self.image.write_bytes(data)
        sealing.reseal(level, [self.image])

    def flip(self, at, bit=1):
        return at, bytes([self.data[at] ^ bit])

    def test_header(self):
        """A size, an offset or a name in the header would mislead the reader."""
        places = sorted({offset for offset, _ in HEADER.values()} |
                        {HEADER_MAC + 15, TIMELINE - 1, *NAMES_END})
        for at in places:
            if PHASE <= at < PHASE + 8 or at >= TIMELINE or at < 16:
                continue
            self.forged("header", self.flip(at))
            result = self.refused(f"header byte {at}")
            if result and HEADER["root_digest"][0] <= at < RESERVED:
                self.assertIn("not authentic", result.text)

    def test_each_kind_of_byte(self):
        """A flipped bit anywhere, with correct plain digests, would be restored as authentic."""
        files = self.whole.files()
        start, end = files[str(self.state / "second")][0]
        index, top = self.whole.header("index_offset"), self.whole.levels()[-1][0]
        places = [1024, 1100, start, start + MIB, end - 1, index, index + 64, index + 200,
                  self.whole.digests() - 1, self.whole.digests(), self.whole.leaf(index), top]
        away = self.whole.header("index_copy_offset") - index
        for level, some in (("none", places), ("header", places[::4]), ("table", places[::4]),
                            ("all", places)):
            for at in some:
                copy = [self.flip(at + away, 0x10)] if at >= index else []
                self.forged(level, self.flip(at, 0x10), *copy)
                with self.subTest(at=at, level=level):
                    if self.whole.digests() <= at < self.whole.leaf(index) and level != "all":
                        # A leaf of data: what it covers is damaged.
                        self.assertIn(b"damaged: ", self.expect(DAMAGED, "verify", "--image",
                                                                self.image).out)
                    else:
                        self.refused(f"byte {at}, resealed: {level}")

    def test_a_copy_instead_of_the_header(self):
        """A forged copy would be used if the header is erased."""
        self.image.write_bytes(bytes(4096) + self.data[4096:])
        self.restore("--salvage", status=DAMAGED)
        self.assert_restored(self.before, "what was salvaged")
        self.empty_target()
        result = program.run("--config", self.config, "restore", "--salvage", "--key-file=",
                             "--image", self.image, "--into", self.target)
        self.assertEqual(result.status, REFUSED, str(result))
        for at in (64, 80, NAMES_END[0], 330, SEAL, HEADER_MAC, RESERVED):
            for level in ("header", "all"):
                self.forged(level, self.flip(at))
                self.image.write_bytes(bytes(4096) + self.image.read_bytes()[4096:])
                result = program.run("--config", self.config, "restore", "--salvage", "--image",
                                     self.image, "--into", self.target)
                self.assertEqual(result.status, DAMAGED, f"{at}: {result}")
                self.assertEqual(os.listdir(self.target), [], f"{at}: {result}")

    def test_what_is_not_sealed(self):
        """Timeline and phase are not covered by a MAC; they must not change what is restored."""
        for at in (TIMELINE + 8, TIMELINE + 40, BLOCK, self.whole.header("data_offset") - 1):
            self.forged("none", self.flip(at))
            self.restore("--keep")
            self.assert_restored(self.before, f"byte {at}")
            self.empty_target()
        self.image.write_bytes(self.data)
        set_phase(self.image, "writing")
        self.refused("writing", statuses=(NO_CHECKPOINT,))
        set_phase(self.image, "restored")
        self.restore("--keep")
        self.assert_restored(self.before, "restored")

    def test_another_image_of_the_same_key(self):
        """Parts of two authentic images: the mixture is not authentic."""
        (self.state / "second").write_bytes(b"newest" * 500000)
        other_path = self.box / "other"
        self.expect(DONE, "checkpoint", "--image", other_path, self.state)
        other = other_path.read_bytes()
        self.assertEqual(len(other), len(self.data))
        # Otherwise its age alone would be a reason to refuse the first one.
        self.counter.write_text("1\n")
        start, end = self.whole.files()[str(self.state / "second")][0]
        for place in (start, start + 100 * BLOCK, end // BLOCK * BLOCK):
            tag = self.whole.leaf(place)
            away = self.whole.header("index_copy_offset") - self.whole.header("index_offset")
            changes = [(place, other[place:place + BLOCK])] + \
                [(at, other[tag:tag + 16]) for at in (tag, tag + away)]
            for level in ("none", "header", "table"):
                self.forged(level, *changes)
                self.refused(f"the block at {place} with its MAC, resealed: {level}")
        data = self.whole.header("data_offset")
        self.refused("header", other[:1024] + self.data[1024:])
        self.refused("payload", self.data[:data] + other[data:])
        self.refused("header and index", other[:data] + self.data[data:])

    def test_blocks_that_change_places(self):
        start = self.whole.files()[str(self.state / "first")][0][0]
        leaf = self.whole.leaf(start)
        away = self.whole.header("index_copy_offset") - self.whole.header("index_offset")
        first, second = (self.data[start + n * BLOCK:start + (n + 1) * BLOCK] for n in (0, 1))
        tags = self.data[leaf + 16:leaf + 32] + self.data[leaf:leaf + 16]
        for level in ("none", "table"):
            self.forged(level, (start, second + first), (leaf, tags), (leaf + away, tags))
            self.refused(f"resealed: {level}")

    def test_without_a_key(self):
        """A plain image, which needs no key, would be accepted as well."""
        plain = self.box / "plain"
        self.expect_plain(DONE, "checkpoint", "--image", plain, self.state)
        result = self.refused("plain", plain.read_bytes())
        self.assertIn("not authentic", result.text)
        for command in ("list", "verify"):
            self.assertEqual(self.expect(DAMAGED, command, "--image", plain).out, b"")
        self.assertIn("not authentic",
                      self.expect(DAMAGED, "status", "--image", plain).text)
        self.forged("all", (SEAL, bytes(4)), (HEADER_MAC, bytes(16)))
        self.refused("made plain")
        # An operator may allow it explicitly.
        self.expect(DONE, "restore", "--key-file=", "--image", plain, "--into", self.target)
        self.assert_restored(self.before)

    def test_another_key(self):
        self.configure(key=self.make_key("other"))
        result = self.refused("another key")
        self.assertIn("another key", result.text)
        self.configure()
        secret = bytearray(self.key.read_bytes())
        secret[-1] ^= 1
        self.configure(key=self.make_key("alike", bytes(secret)))
        self.refused("a key that is alike")
        self.configure(key=self.make_key("longer", self.key.read_bytes() + b"\0"))
        self.refused("a key with a zero behind it")

    def test_an_image_that_was_never_finished(self):
        """A header from before the commit, with the phase of a committed one."""
        self.forged("header", (HEADER_MAC, bytes(16)))
        self.refused("no MAC")
        self.forged("all", (HEADER_MAC, bytes(16)),
                    (HEADER["root_digest"][0], bytes(16)))
        self.refused("no MAC, no root")

    def test_it_is_still_guarded(self):
        """Without its key a checkpoint must not look as if there were none."""
        self.expect_plain(REFUSED, "checkpoint", "--image", self.image, self.state)
        self.assertEqual(self.image.read_bytes(), self.data)


class KeyFile(KeyedCase):
    """A key that others may know, or have chosen, is refused."""

    def refused(self, what, word, path=None):
        with self.subTest(what):
            self.configure(key=path or self.key)
            result = self.checkpoint(self.state, status=REFUSED)
            self.assertIn(word, result.text)
            self.assertIn(str(path or self.key), result.text)
            self.assertFalse(self.image.exists())

    def test_modes(self):
        for mode in (0o640, 0o620, 0o604, 0o602, 0o644, 0o610):
            self.key.chmod(mode)
            self.refused(oct(mode), "others")
        for mode in (0o400, 0o600):
            self.key.chmod(mode)
            self.configure()
            self.checkpoint(options=("--replace",))

    def test_kinds(self):
        link = self.box / "link"
        link.symlink_to(self.key)
        self.refused("symlink", "symbolic link", link)
        os.mkfifo(self.box / "fifo", 0o600)
        self.refused("fifo", "regular", self.box / "fifo")
        (self.box / "directory").mkdir(0o700)
        self.refused("directory", "regular", self.box / "directory")

    def test_sizes(self):
        for size, word in ((0, "too short"), (31, "too short"), (1025, "too long")):
            path = self.make_key(f"key{size}", b"")
            path.write_bytes(os.urandom(size))
            self.refused(f"{size} bytes", word, path)
        for size in (32, 1024):
            self.configure(key=self.make_key("fine", os.urandom(size)))
            self.checkpoint(options=("--replace",))

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_owner(self):
        os.chown(self.key, 1234, 1234)
        self.refused("another's", "another user")

    def test_missing(self):
        """With a typing error every later checkpoint would be unprotected."""
        self.configure(key=self.box / "no-such-key")
        result = self.checkpoint(self.state, status=REFUSED)
        self.assertIn("no-such-key", result.text)
        self.assertFalse(self.image.exists())
        self.config.write_text("key-file = relative\n")
        self.expect(program.USAGE, "checkpoint", "--image", self.image, self.state)

    def test_the_option(self):
        """The option overrides the configuration; an empty one means no key."""
        other = self.make_key("other")
        self.checkpoint(options=("--key-file", other))
        self.expect(DAMAGED, "verify", "--image", self.image)
        self.expect(DONE, "verify", "--image", self.image, f"--key-file={other}")
        self.checkpoint(options=("--key-file=", "--replace"))
        self.expect_plain(DONE, "verify", "--image", self.image)


class Secrets(KeyedCase):
    def test_nothing_tells_the_key(self):
        """A log that everybody can read would reveal the key."""
        (self.state / "file").write_bytes(os.urandom(100000))
        secret = self.key.read_bytes()
        shapes = [secret, secret.hex().encode(), secret.hex().upper().encode(),
                  base64.b64encode(secret), secret[:8], secret[-8:], secret.hex()[:16].encode(),
                  hashlib.sha256(secret).hexdigest().encode()]
        results = [self.expect(DONE, "--json", "-v", "checkpoint", "--image", self.image,
                               self.state)]
        for command in (("status",), ("list", "-l"), ("verify",), ("restore", "--into", self.target, "-n"),
                        ("restore", "--into", self.target)):
            results.append(self.expect(DONE, "--json", "-v", *command, "--image", self.image))
        seen = b"".join(result.out + result.err for result in results)
        seen += self.image.read_bytes() + self.counter.read_bytes()
        for shape in shapes:
            self.assertNotIn(shape, seen)

    def test_modes_of_files(self):
        """The image holds the files of all users: only root may read it."""
        (self.state / "file").write_text("secret")
        before = os.umask(0)
        try:
            self.checkpoint()
            self.assertEqual(os.stat(self.image).st_mode & 0o7777, 0o600)
            self.assertEqual(os.stat(self.counter).st_mode & 0o7777, 0o600)
            self.restore()
            self.assertEqual(os.stat(self.counter).st_mode & 0o7777, 0o600)
            pathlib.Path(self.image).unlink()
            self.expect_plain(DONE, "checkpoint", "--image", self.image, self.state)
            self.assertEqual(os.stat(self.image).st_mode & 0o7777, 0o600)
        finally:
            os.umask(before)
