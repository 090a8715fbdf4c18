# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules for header, superblock, and where things lie."""

from ..program import NO_CHECKPOINT
from .layout import BLOCK, COPY, INDEX_COPY, SUPER, WRITING, digest_levels
from .policies import Canonical
from .rule import Rule
from .sample import small_tree


class _LittleData(Canonical):
    """Two blocks of data are less than an image must have."""
    least_data = 0


def _wrong_header(name, value):
    return lambda sample: sample.header(name, value(sample) if callable(value) else value)


def _plus(name, number, words="sizes in the header"):
    return Rule("%s is %+d" % (name, number), words,
                lambda sample: sample.header(name, sample.header(name) + number))


def _super(name, value):
    return Rule("%s of the superblock" % name, "superblock|" + name,
                lambda sample: sample.superblock(name, value))


def _phase(sample, value):
    sample.phase = value


def _mac(sample):
    sample.mac = b"m" * 16


def _rest_of_level(sample):
    """A byte behind the last digest of the only level; root_digest is right for it."""
    start, data_start, described = sample.sealed
    size = digest_levels((start + described - data_start) // BLOCK)[0]
    sample.rest = start + described + size - 1


RULES = [
    Rule("version 2", "format 2", _wrong_header("version", 2)),
    Rule("version 4", "format 4", _wrong_header("version", 4)),
    Rule("an unknown incompatible feature", "(?i)feature.*0x1",
         _wrong_header("feature_incompat", 1)),
    Rule("the last incompatible feature", "(?i)feature.*0x80000000",
         _wrong_header("feature_incompat", 1 << 31)),
    Rule("header_bytes", "header", _wrong_header("header_bytes", 2048)),
    Rule("seal", "digests of type 2", _wrong_header("seal", 2)),
    Rule("reserved, first byte", "header", lambda sample: sample.put(368, b"\1")),
    Rule("reserved, last byte", "header", lambda sample: sample.put(863, b"\1")),
    Rule("hostname without NUL", "hostname", _wrong_header("hostname", b"h" * 64)),
    Rule("hostname, and more", "hostname", _wrong_header("hostname", b"host\0name")),
    Rule("kernel without NUL", "kernel", _wrong_header("kernel", b"6" * 64)),
    Rule("kernel, and more", "kernel", _wrong_header("kernel", b"6.1\0\1")),
    Rule("no phase", "phase", lambda sample: _phase(sample, 0x0123456789abcdef)),
    Rule("writing", "(?i)never finished|being written|not complete|not finished",
         lambda sample: _phase(sample, WRITING), status=NO_CHECKPOINT),
    Rule("generation 0", "header", _wrong_header("generation", 0)),
    Rule("generation 2^63", "header", _wrong_header("generation", 1 << 63)),
    *(_plus(name, number) for name in ("inodes_bytes", "tables_bytes", "digests_bytes",
                                       "index_bytes", "data_offset", "index_offset", "image_bytes",
                                       "index_copy_offset")
      for number in (1, BLOCK, -BLOCK, 1 << 40)),
    Rule("inodes_bytes is 0", "sizes in the header", _wrong_header("inodes_bytes", 0)),
    Rule("tables_bytes is 0", "sizes in the header", _wrong_header("tables_bytes", 0)),
    Rule("digests_bytes is 0", "sizes in the header", _wrong_header("digests_bytes", 0)),
    Rule("a data area of two blocks", "sizes in the header",
         options={"policy": _LittleData, "root": small_tree()}),
    Rule("more bytes than the device has", "sizes in the header",
         _wrong_header("store_bytes", 4096)),
    Rule("table_count is 0", "sizes in the header", _wrong_header("table_count", 0)),
    Rule("table_count is too large", "sizes in the header",
         _wrong_header("table_count", lambda sample: sample.header("tables_bytes") // 32 + 1)),
    *(_plus(name, number, words) for name, words in {
        "files": "number or size of the files", "file_bytes": "number or size of the files",
        "marked": "marks", "unsaved": "unsaved"}.items()
      for number in (1, -1)),
    Rule("files is 2^32", "files|header", _wrong_header("files", 1 << 32)),
    *(_super(name, value) for name, value in {
        "magic": 0xe0f5e1e3, "checksum": 1, "feature_compat": 3, "blkszbits": 11, "sb_extslots": 1,
        "root_nid": 4, "inos": 15, "build_time": 1, "build_time_nsec": 1, "blocks": 1,
        "meta_blkaddr": 1, "xattr_blkaddr": 1, "uuid": b"another", "volume_name": b"pmem-preservE",
        "feature_incompat": 0, "rest": bytes(43) + b"\1"}.items()),
    Rule("feature_incompat of the superblock, one more", "superblock|feature_incompat",
         lambda sample: sample.superblock("feature_incompat", 5)),
    Rule("behind the superblock", "superblock",
         lambda sample: sample.put(SUPER + 128, b"\1")),
    Rule("at the end of the first block", "superblock",
         lambda sample: sample.put(BLOCK - 1, b"\1")),
    Rule("the rest of a level of digests", "(?i)digest", _rest_of_level),
    Rule("another header_mac", "(?i)mac|authentic|header", _mac),
    # What is left to the verification.
    Rule("behind the first block", "(?i)zero|damage", lambda sample: sample.later(BLOCK, b"\1"),
         late=True),
    Rule("before the copy", "(?i)zero|damage", lambda sample: sample.later(COPY - 1, b"\1"),
         late=True),
    Rule("behind the copy of the index", "(?i)zero|damage", lambda sample: sample.later(
        INDEX_COPY + sample.header("index_bytes"), b"\1"), late=True),
    Rule("before the data", "(?i)zero|damage", lambda sample: sample.later(
        sample.header("data_offset") - 1, b"\1"), late=True),
    Rule("the copy of the header", "(?i)copy", lambda sample: sample.later(COPY + 192, b"H"),
         late=True),
    Rule("the copy of the superblock", "(?i)copy", lambda sample: sample.later(COPY + SUPER, b"H"),
         late=True),
    Rule("no copy of the first block", "(?i)copy",
         lambda sample: sample.later(COPY, bytes(BLOCK)), late=True),
    Rule("the copy of the index", "(?i)copy", lambda sample: sample.later(INDEX_COPY + 70, b"\xff"),
         late=True),
    Rule("the last block", "(?i)digests|index", lambda sample: sample.later(
        sample.header("image_bytes") - 1, b"\xff"), late=True),
]
