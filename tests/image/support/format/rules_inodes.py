# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules for inodes, their xattrs, and the data of files."""

import struct

from .layout import BLOCK, HOLE, INODE
from .rule import Rule
from .sample import Roomy


class _WideGap(Roomy):
    def inode_gap(self):
        return BLOCK + 64


class _Crossing(Roomy):
    crosses_blocks = True

    def __init__(self):
        self.gaps = [3648]

    def inode_gap(self):
        return self.gaps.pop() if self.gaps else 128


def _inode(path, name, value, words, **more):
    def change(sample):
        old = sample.inode(path, name)
        sample.inode(path, name, value(old) if callable(value) else value)
    shown = "another" if callable(value) else value
    return Rule("%s of %s is %s" % (name, path, shown), "%s: .*(%s)" % (path, words), change,
                **more)


def _chunk(sample, number, value):
    sample.put(sample.image.chunks_at[sample.node("sparse")] + 4 * number, struct.pack("<I", value))


def _xattr(offset, data):
    return lambda sample: sample.put(sample.xattr("attributes", 0) + offset, data)


def _inode_in_a_value(sample):
    """A good inode within the value of trusted.c; the file "empty" is there."""
    start = sample.xattr("attributes", 2) + 4 + 1
    at = start + (sample.header("index_offset") - start) % 64
    old = sample.image.inode_at[sample.node("empty")]
    sample.put(at, sample.data[old:old + INODE.size])
    sample.put(old, bytes(INODE.size))
    sample.dirent("", "empty", "nid", (at - sample.header("index_offset")) // 32)


def _target(data):
    return lambda sample: sample.put(sample.image.inner_at[sample.node("link")], data)


def _share(sample):
    """Nothing else is wrong: the sizes are the same, and the other block is zero."""
    sample.put(BLOCK * sample.block_of("twin"), bytes(BLOCK))
    sample.inode("twin", "i_u", sample.block_of("hard"))


def _share_chunk(sample):
    at = sample.image.chunks_at[sample.node("sparse")]
    first, _, third = struct.unpack_from("<3I", sample.data, at)
    sample.put(BLOCK * first, bytes(BLOCK))
    _chunk(sample, 0, third)


def _value_over_an_inode(sample):
    """The value of trusted.c ends where the inode behind it does."""
    more = sample.image.inode_at[sample.node("device")] + INODE.size - sample.end_of("attributes")
    at = sample.xattr("attributes", 2)
    sample.put(at + 2, struct.pack("<H", 500 + more))
    sample.inode("attributes", "i_xattr_icount",
                 sample.inode("attributes", "i_xattr_icount") + more // 4)


RULES = [
    _inode("plain", "i_format", 0, "inode format|location"),
    _inode("plain", "i_format", 3, "inode format|location"),
    _inode("plain", "i_format", 5, "inode format|location"),
    _inode("plain", "i_format", 7, "inode format|location"),
    _inode("plain", "i_format", 1 | 1 << 5, "inode format|location"),
    _inode("plain", "i_format", 1 | 1 << 15, "inode format|location"),
    _inode("empty", "i_format", 9, "inode format|chunk format"),
    _inode("fifo", "i_format", 5, "inode format|location"),
    _inode("fifo", "i_format", 9, "inode format|location"),
    _inode("link", "i_format", 9, "inode format|location"),
    _inode("directory", "i_format", 9, "inode format|location"),
    _inode("wide", "i_format", 5, "inode format|location"),
    _inode("plain", "reserved", 1, "inode format"),
    _inode("plain", "reserved2", b"\1", "inode format"),
    _inode("plain", "reserved2", bytes(15) + b"\1", "inode format"),
    _inode("plain", "i_mode", 0o644, "mode|type"),
    _inode("fifo", "i_mode", 0o170777, "mode|type"),
    _inode("fifo", "i_size", 1, "inode format"),
    _inode("device", "i_size", 1, "inode format"),
    _inode("plain", "i_size", 1 << 63, "inode"),
    _inode("plain", "i_size", 1 << 62, "size|data|block"),
    _inode("sparse", "i_size", 1 << 40, "chunk|size|location"),
    _inode("wide", "i_size", 1 << 40, "location"),
    _inode("wide", "i_size", 0, "location"),
    _inode("link", "i_size", 1 << 40, "size|target|link"),
    _inode("link", "i_size", 0, "size|target|link"),
    _inode("long-link", "i_size", 4096, "size|target|link"),
    _inode("empty", "i_u", lambda _: 600, "inode format"),
    _inode("fifo", "i_u", 259, "inode format"),
    _inode("directory", "i_u", 1, "location"),
    _inode("link", "i_u", 1, "location"),
    _inode("sparse", "i_u", 1 << 5, "chunk|i_u"),
    _inode("sparse", "i_u", 1 << 6, "chunk|i_u"),
    _inode("sparse", "i_u", 1 << 31, "chunk|i_u"),
    _inode("long-link", "i_u", 0xfffffffe, "location"),
    _inode("wide", "i_u", 0, "location"),
    _inode("plain", "i_ino", 0, "inode number"),
    _inode("plain", "i_ino", 1 << 20, "inode number"),
    Rule("two inodes with one i_ino", "inode number", lambda sample: sample.inode(
        "empty", "i_ino", sample.inode("fifo", "i_ino"))),
    _inode("plain", "i_uid", HOLE, "inode"),
    _inode("plain", "i_gid", HOLE, "inode"),
    _inode("plain", "i_mtime_nsec", 10**9, "inode"),
    *(_inode(path, "i_nlink", lambda old, by=by: old + by, "i_nlink|link")
      for path in ("plain", "hard", "fifo", "directory", "/") for by in (1, -1)),
    # Xattrs
    _inode("attributes", "i_xattr_icount", 65535, "extended attributes"),
    Rule("the header of the xattrs: filter", "extended attribute", _xattr(-12, b"\1")),
    Rule("the header of the xattrs: shared ones", "extended attribute", _xattr(-8, b"\1")),
    Rule("the header of the xattrs: reserved", "extended attribute", _xattr(-1, b"\1")),
    Rule("xattrs without entries", "extended attribute", lambda sample: sample.inode(
        "empty", "i_xattr_icount", 1)),
    Rule("a prefix that is not defined", "extended attribute", _xattr(1, b"\5")),
    Rule("prefix 0", "extended attribute", _xattr(1, b"\0")),
    Rule("a long prefix", "extended attribute", _xattr(1, b"\x80")),
    Rule("an ACL with a name", "extended attribute", _xattr(1, b"\2")),
    Rule("an xattr without a name", "extended attribute",
         # A value of two bytes: name and old value.
         _xattr(0, b"\0\4\2\0")),
    Rule("an xattr with NUL in its name", "extended attribute", _xattr(4, b"\0")),
    Rule("an xattr that occurs twice", "extended attribute", _xattr(4, b"b")),
    Rule("the padding of an xattr", "extended attribute", _xattr(7, b"\1")),
    Rule("an xattr that is longer than the rest", "extended attribute", lambda sample: sample.put(
        sample.xattr("attributes", 2) + 2, struct.pack("<H", 60000))),
    # Where inodes lie
    Rule("an inode within another's xattr", "(?i)overlap|within|belong|claim|two|twice|share",
         _inode_in_a_value),
    Rule("an inode at I", "inode number", lambda sample: sample.dirent("", "empty", "nid", 0)),
    Rule("an inode between two", "inode number", lambda sample: sample.dirent(
        "", "empty", "nid", sample.nid("empty") + 1)),
    Rule("an inode behind all", "inode number", lambda sample: sample.dirent(
        "", "empty", "nid", sample.header("inodes_bytes") // 32)),
    Rule("an inode far behind all", "inode number", lambda sample: sample.dirent(
        "", "empty", "nid", (1 << 64) - 2)),
    Rule("bytes of no inode", "(?i)zero|no inode|nothing|belong", lambda sample: sample.put(
        sample.end_of("fifo") + 1, b"\1")),
    Rule("a whole block of no inode", "a gap of more than 4095 bytes",
         options={"policy": _WideGap}),
    Rule("inline bytes that cross a block", "location",
         options={"policy": _Crossing}),
    Rule("a value over the next inode", "(?i)overlap|within|belong|claim|two|twice|share",
         _value_over_an_inode),
    Rule("a directory's blocks in the tables", "location",
         lambda sample: sample.inode("wide", "i_u", (
             sample.header("index_offset") + sample.header("inodes_bytes")) // BLOCK)),
    Rule("a target with NUL", "(?i)target|link|NUL", _target(b"no\0here")),
    # Data
    Rule("two files with the same block", "(?i)overlap|belong|claim|two|twice|share|block",
         _share),
    Rule("two chunks with the same block", "(?i)overlap|belong|claim|two|twice|share|block",
         _share_chunk),
    Rule("a chunk of another file", "(?i)overlap|belong|claim|two|twice|share|block",
         lambda sample: _chunk(sample, 1, sample.block_of("plain") + 1)),
    Rule("a chunk in the first block", "(?i)area|outside|beyond|lie|block|chunk",
         lambda sample: _chunk(sample, 1, 0)),
    Rule("a chunk in the index", "(?i)area|outside|beyond|lie|block|chunk",
         lambda sample: _chunk(sample, 1, sample.header("index_offset") // BLOCK)),
    Rule("a file before the data area", "(?i)area|outside|beyond|lie|block|data",
         lambda sample: sample.inode("plain", "i_u", sample.header("data_offset") // BLOCK - 1)),
    Rule("a file that ends in the index", "(?i)area|outside|beyond|lie|block|data",
         lambda sample: sample.inode("plain", "i_u", sample.header("index_offset") // BLOCK - 1)),
    Rule("the rest of a file's last block", "(?i)rest|zero|behind|end", lambda sample: sample.put(
        BLOCK * sample.block_of("hard") + 9, b"\1"), late=True),
    Rule("a block of no file", "(?i)zero|no file|nothing|belong", lambda sample: sample.put(
        BLOCK * (sample.block_of("plain") - 1), b"\1"), late=True),
]
