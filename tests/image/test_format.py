# SPDX-License-Identifier: GPL-2.0-or-later
"""The program against a reader and a writer made from Documentation/image-format.rst alone."""

import functools
import os

from .support import judges, scratch, snapshot
from .support.format import digest, layout, mutate, tree
from .support.format import rules_header, rules_inodes, rules_names
from .support.format.claims import BadImage
from .support.format.policies import Scattered
from .support.format.reader import Reader
from .support.format.sample import Sample
from .support.format.writer import Writer
from .support.keyed import KeyedCase
from .support.program import DAMAGED, DONE, REFUSED, run
from .test_random_trees import Grower

SEEDS = (11, 12)
# What a writer is told by those who run it, or takes from the machine.
GIVEN = ("uuid", "generation", "created_ns", "hostname", "kernel", "timeline")


def grow_everything(state, seed):
    """A random tree, and what random trees rarely have; returns its snapshot."""
    Grower(seed, os.fsencode(state)).grow(60)
    deep = os.fsencode(state)
    for number in range(60):
        deep += b"/%d" % number
        os.mkdir(deep)
    wide = state / "wide"
    wide.mkdir()
    for number in range(300):
        (wide / ("%0*d" % (number % 250 + 1, number))).touch()
    (wide / ("n" * 255)).symlink_to("t" * 4090)
    with open(state / "sparse", "wb") as file:
        for at in (0, 5, 6, 7, 300):
            os.pwrite(file.fileno(), b"data" * 1024, at * 4096)
        file.truncate(2000001)
    with open(state / "hole", "wb") as file:
        file.truncate(123456)
    with open(state / "which chunks", "wb") as file:
        os.pwrite(file.fileno(), b"data" * 24577 + b"end", 32768)
    many = state / "many attributes"
    many.touch()
    for number in range(5):
        os.setxattr(many, "trusted.%d" % number, b"%d" % number * 60000)
    os.setxattr(many, "trusted.last", b"fits again")
    path = state / "attributes"
    path.touch()
    for name, value in (("user.x", b"1"), ("security.label", b"\0" * 300),
                        ("trusted.largest", b"v" * 65536), ("trusted.l" + "o" * 240, b""),
                        ("system.posix_acl_access", scratch.SMALL_ACL)):
        try:
            os.setxattr(path, name, value)
        except OSError:
            continue
    return snapshot.take(state)


def plain_and_keyed(test):
    """Calls @test with the secret, or None, and how to expect an exit status."""
    @functools.wraps(test)
    def both(self):
        for secret, expect in ((None, self.expect_plain), (self.key.read_bytes(), self.expect)):
            with self.subTest(keyed=secret is not None):
                self.empty_target()
                test(self, secret, expect)
    return both


class FormatCase(KeyedCase):
    needs = ("64 KiB xattrs",)
    needs_root = True

    def grow(self, seed):
        """A new directory with everything in it, and its snapshot."""
        self.grown = getattr(self, "grown", 0) + 1
        state = self.box / ("state-%d" % self.grown)
        state.mkdir()
        return state, grow_everything(state, seed)

    def read(self, secret):
        """The image, after all checks."""
        reader = Reader(self.image.read_bytes(), secret)
        reader.verify()
        return reader

    def store(self, data):
        self.image.write_bytes(data)
        if self.counter.exists():
            self.counter.unlink()


class Primitives(FormatCase):
    needs = ()
    needs_root = False

    def test_vectors(self):
        """Reader and writer would agree with each other, and with no other program."""
        key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        self.assertEqual(digest.poly1305(key, b"Cryptographic Forum Research Group").hex(),
                         "a8061dc1305136c6c22b8baf0c0127a9")
        self.assertEqual(digest.chacha20(bytes(32), 0, 16).hex(),
                         "76b8e0ada0f13d90405d6ae55386bd28")
        self.assertEqual(digest.xxh3_128(b"").hex(), "99aa06d3014798d86001c324468d497f")


class Reading(FormatCase):
    @plain_and_keyed
    def test_what_the_program_writes(self, secret, expect):
        """A restore in ten years has only the document: what it says would not be what is there."""
        for seed in SEEDS:
            state, before = self.grow(seed)
            expect(DONE, "checkpoint", "--replace", "--image", self.image, state)
            reader = self.read(secret)
            self.assertEqual(reader.paths, [os.fsencode(state)])
            self.assert_same(before, tree.snapshot(tree.find(reader.root, state)), "as read")
            self.assertTrue(reader.blocks.timeline_is_valid)
            self.empty_target()
            expect(DONE, "restore", "--image", self.image, "--into", self.target)
            self.assertEqual(self.read(secret).header["phase"], layout.RESTORED)

    @plain_and_keyed
    def test_canonical(self, secret, expect):
        """What the document calls canonical is not what the program writes."""
        for seed in SEEDS:
            state, _ = self.grow(seed)
            expect(DONE, "checkpoint", "--replace", "--image", self.image, state)
            data, reader = self.image.read_bytes(), self.read(secret)
            root = tree.from_disk(state)
            self._take_times(root, reader.root, state)
            mine = Writer(root, [os.fsencode(state)], secret=secret,
                          header={name: reader.header[name] for name in GIVEN}).write()
            self.assertEqual(self._first_difference(mine.data, data), None)

    @staticmethod
    def _take_times(mine, theirs, state):
        """Those of the directories that lead to @state: the image itself lies in one of them."""
        for name in os.fsencode(state)[1:].split(b"/"):
            mine.mtime = theirs.mtime
            mine, theirs = mine.children[name], theirs.children[name]

    @staticmethod
    def _first_difference(mine, data):
        """Where it is, or None; in the index first: the blocks of digests follow from others."""
        if len(mine) != len(data):
            return "%d bytes, not %d" % (len(mine), len(data))
        start = layout.HEADER.get(data, 0, "index_offset")
        for at in [*range(start, len(data), 4096), *range(0, start, 4096)]:
            if mine[at:at + 4096] != data[at:at + 4096]:
                return "block at %d, index at %d" % (at, start)
        return None

    @plain_and_keyed
    def test_either_copy_of_the_index(self, secret, expect):
        """One bad block in each copy, not the same: everything that is needed is there."""
        sample = Sample(secret)
        data = bytearray(sample.bytes())
        for number in range(sample.header("index_bytes") // 4096):
            base = (sample.header("index_offset"), layout.INDEX_COPY)[number % 2]
            data[base + 4096 * number + 17] ^= 1
        self.store(data)
        Reader(data, secret)
        expect(DONE, "list", "--image", self.image)
        expect(DAMAGED, "verify", "--image", self.image)


class Writing(FormatCase):
    def _accepted(self, image, expect, state, before):
        self.store(image.data)
        self.read(image.secret)
        self.assertEqual(judges.fsck(self.image), "", "fsck.erofs")
        expect(DONE, "list", "--image", self.image)
        expect(DONE, "verify", "--image", self.image)
        self.empty_target()
        expect(DONE, "restore", "--image", self.image, "--into", self.target)
        self.assert_same(before, snapshot.take(self.restored(state)), "restored")

    @plain_and_keyed
    def test_canonical_images(self, secret, expect):
        """An image that another program has written after the document cannot be restored."""
        state, before = self.grow(14)
        image = Writer(tree.from_disk(state), [os.fsencode(state)], secret=secret).write()
        self._accepted(image, expect, state, before)

    @plain_and_keyed
    def test_another_layout(self, secret, expect):
        """A later version that lays files out in another way could not be undone with this one."""
        state, before = self.grow(15)
        root = tree.from_disk(state)
        marked = [node for _, node in tree.walk(tree.find(root, state))][:9:2]
        for seed in range(4):
            image = Writer(
                root, [os.fsencode(state)], Scattered(seed), secret, marked,
                [(13, b"/not/to be read"), (2, b"relative")],
                {99: (0, b"of a later version"), 0xffffffff: (0, bytes(5000))},
                {"feature_compat": 0x80000001}).write()
            self._accepted(image, expect, state, before)

    @plain_and_keyed
    def test_marks_and_unsaved_paths(self, secret, expect):
        """Nobody would learn that a restored file is not consistent, or that one is missing."""
        self.store(Sample(secret).bytes())
        result = expect(DONE, "list", "--image", self.image)
        for words in ("changed while.*/state/plain", "/state/secret", "missing"):
            self.assertRegex(result.text, words)

    @plain_and_keyed
    def test_features_that_forbid_changes(self, secret, expect):
        """Marking an image as restored would break what a later version knows about it."""
        self.state.joinpath("file").write_text("x")
        before = snapshot.take(self.state)
        root = tree.from_disk(self.state)
        self.store(Writer(root, [os.fsencode(self.state)], secret=secret,
                          header={"feature_ro_compat": 0x10}).write().data)
        there = self.image.read_bytes()
        expect(DONE, "list", "--image", self.image)
        expect(DONE, "verify", "--image", self.image)
        result = expect(REFUSED, "restore", "--image", self.image, "--into", self.target)
        self.assertIn("0x10", result.text)
        self.assertEqual(os.listdir(self.target), [])
        expect(DONE, "restore", "--keep", "--image", self.image, "--into", self.target)
        self.assert_restored(before)
        self.assertEqual(self.image.read_bytes(), there)


class Rules(FormatCase):
    needs = ()
    needs_root = False

    def _check(self, rules, secret, expect):
        for rule in rules:
            with self.subTest(rule=rule.name):
                self._check_rule(rule, secret, expect)

    def _check_rule(self, rule, secret, expect):
        data = rule.image(secret)
        with self.assertRaises(BadImage, msg="the independent reader"):
            Reader(data, secret).verify()
        self.store(data)
        result = expect(rule.status, "verify", "--image", self.image)
        if rule.late:
            self.assertRegex(result.text + os.fsdecode(result.out), rule.words)
            return
        result = expect(rule.status, "list", "--image", self.image)
        self.assertRegex(result.text, rule.words)
        expect(rule.status, "restore", "--image", self.image, "--into", self.target)
        self.assertEqual(os.listdir(self.target), [], "what was restored")

    @plain_and_keyed
    def test_the_sample(self, secret, expect):
        """The other tests show nothing if the image is refused without the change, too."""
        self.store(Sample(secret).bytes())
        self.read(secret)
        expect(DONE, "verify", "--image", self.image)

    @plain_and_keyed
    def test_header(self, secret, expect):
        """Offsets and sizes that nobody checks are how an image takes over what reads it."""
        self._check(rules_header.RULES, secret, expect)

    @plain_and_keyed
    def test_inodes(self, secret, expect):
        """A file with the bytes of another one, or attributes that are not its own."""
        self._check(rules_inodes.RULES, secret, expect)

    @plain_and_keyed
    def test_directories(self, secret, expect):
        """Names that lead out of the target, files that are there twice or not at all."""
        self._check(rules_names.DIRECTORIES, secret, expect)

    @plain_and_keyed
    def test_tables(self, secret, expect):
        """What was not saved, or is not consistent, would be told of the wrong files."""
        self._check(rules_names.TABLES, secret, expect)

    def test_random_changes(self):
        """A rule that nobody thought of: one reader would take what the other refuses."""
        for what, data in mutate.mutants(1, mutate.TRIES):
            with self.subTest(what):
                try:
                    Reader(data)
                    status, why = DONE, "nothing"
                except BadImage as error:
                    status, why = DAMAGED, error
                self.store(data)
                result = run("list", "--image", self.image)
                self.assertEqual(result.status, status, "%s; the reader found %s" % (result, why))
