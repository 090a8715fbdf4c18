# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules for directories, and for what the tables say of the tree."""

import struct

from .layout import DIRENT, EXTRA, MARKS, PATHS, UNSAVED, UNSAVED_RECORD, up
from .rule import Rule


# How messages name an xattr, or the table.
_EXTRA = "extra attributes|extended attribute"


def _dirent(directory, name, field, value, words, title=None):
    def change(sample):
        sample.dirent(directory, name, field, value(sample) if callable(value) else value)
    return Rule(title or "%s of %r in %r" % (field, name, directory), words, change)


def _name(directory, name, new, words):
    return Rule("%r is named %r" % (name, new), words,
                lambda sample: sample.name(directory, name, new))


def _another_name(sample, old, new):
    """An entry of "directory" is one more name of the fifo instead."""
    sample.name("directory", old, new)
    sample.dirent("directory", old, "nid", sample.nid("fifo"))
    sample.dirent("directory", old, "file_type", 5)
    sample.inode("fifo", "i_nlink", 2)
    sample.header("files", sample.header("files") + 1)


def _exchange(sample):
    """Entries and names of "below" and "file", which have different lengths."""
    one, two = (sample.image.dirent_at[sample.node("directory"), name][0]
                for name in (b"below", b"file"))
    for field in ("nid", "file_type"):
        first, second = (DIRENT.get(sample.data, at, field) for at in (one, two))
        DIRENT.put(sample.data, one, field, second)
        DIRENT.put(sample.data, two, field, first)
    at = sample.image.dirent_at[sample.node("directory"), b"below"][1]
    sample.put(at, b"filebelow")
    DIRENT.put(sample.data, two, "nameoff", DIRENT.get(sample.data, one, "nameoff") + 4)


def _longer(sample):
    """One NUL more behind the last name."""
    sample.inode("directory", "i_size", sample.inode("directory", "i_size") + 1)


def _in_table(kind, offset, data):
    return lambda sample: sample.in_table(kind, offset, data)


def _table(kind, field, value, words, title=None):
    def change(sample):
        old = sample.table(kind, field)
        sample.table(kind, field, value(old) if callable(value) else value)
    return Rule(title or "%s of table %d" % (field, kind), words, change)


def _mark(sample, number):
    at = sample.image.table_at[MARKS] + (number - 1) // 8
    sample.data[at] |= 1 << (number - 1) % 8
    sample.header("marked", 3)


def _record(reason, path, padding=b"\0"):
    out = UNSAVED_RECORD.pack(reason=reason, path_len=len(path)) + path
    return bytes(out) + (padding * 8)[:-len(out) % 8]


def _unsaved(title, words, *records):
    def change(sample):
        sample.header("unsaved", len(records))
    return Rule(title, words, change, options={"more": {UNSAVED: (0, b"".join(records))}})


def _paths(title, words, *paths):
    return Rule(title, words, options={"paths": paths})


DIRECTORIES = [
    Rule("a directory that is not sorted", "(?i)sort|order", _exchange),
    _name("wide", "%0100d" % 1, b"%0100d" % 0, "(?i)sort|order|twice|unique"),
    _name("", "fifo", b"f/fo", "(?i)name"),
    _name("", "fifo", b"f\0fo", "(?i)name"),
    Rule("no .", r"\.", lambda sample: _another_name(sample, ".", b"!")),
    Rule("no ..", r"\.\.", lambda sample: _another_name(sample, "..", b".a")),
    _dirent("directory", "..", "nid", lambda sample: sample.nid("/"), r"\.\."),
    _dirent("directory", ".", "nid", lambda sample: sample.nid("/"), r"\. |\"\.\""),
    _dirent("/", "..", "nid", lambda sample: sample.nid("directory"), r"\.\."),
    _dirent("directory", "..", "file_type", 1, r"\.\."),
    _dirent("", "fifo", "file_type", 6, "type"),
    _dirent("", "fifo", "file_type", 0, "type"),
    _dirent("", "fifo", "file_type", 8, "type"),
    _dirent("", "fifo", "reserved", 1, "directory block"),
    _dirent("directory", "below", "nid", lambda sample: sample.nid("wide"),
            "(?i)name|twice|two|tree|loop", "a directory with two names"),
    _dirent("directory", "below", "nid", lambda sample: sample.nid("directory"),
            "(?i)name|twice|two|tree|loop", "a directory in itself"),
    _dirent("directory", "below", "nid", lambda sample: sample.nid("/"),
            "(?i)name|twice|two|tree|loop|root", "the root in a directory"),
    _dirent("directory", ".", "nameoff", 0, "directory block"),
    _dirent("directory", ".", "nameoff", 13, "directory block"),
    _dirent("directory", ".", "nameoff", 4092, "directory block"),
    _dirent("directory", "..", "nameoff", 65535, "directory block"),
    _dirent("directory", "file", "nameoff", 48, "directory block"),
    Rule("NUL behind the last name", "(?i)name|NUL", _longer),
    Rule("zeroes between the blocks of a directory", "directory block",
         lambda sample: sample.put(sample.image.inner_at[sample.node("wide")] + 4095, b"\1")),
]

TABLES = [
    _table(100, "type", 0, "directory of tables"),
    _table(100, "type", UNSAVED, "directory of tables", "two tables of one type"),
    _table(100, "type", MARKS, "directory of tables", "tables that are not sorted"),
    _table(100, "flags", 1, "100", "an unknown incompatible table"),
    _table(100, "flags", 2, "directory of tables"),
    _table(PATHS, "flags", 0, "directory of tables"),
    _table(EXTRA, "flags", 0, "directory of tables"),
    _table(MARKS, "flags", 1, "directory of tables"),
    _table(UNSAVED, "flags", 1, "directory of tables"),
    *(_table(kind, "offset", lambda old, by=by: old + by, "(?i)offset|lie|table",
             "offset of table %d is %+d" % (kind, by))
      for kind in (PATHS, 100) for by in (8, -8, 1 << 40)),
    _table(100, "length", lambda old: 1 << 63, "(?i)length|table", "a table out of bounds"),
    _table(100, "length", lambda old: old + 4096, "(?i)length|table", "a table that is too long"),
    _table(100, "length", 0, "(?i)length|empty|table", "an empty table"),
    _table(100, "reserved", 1, "(?i)reserved|table"),
    Rule("bytes between two tables", "(?i)table|zero|padding",
         lambda sample: sample.put(sample.image.table_at[PATHS] + 7, b"\1")),
    Rule("bytes behind the tables", "(?i)table|zero|padding", lambda sample: sample.put(
        sample.header("index_offset") + sum(sample.sealed[2:]) - 1, b"\1")),
    Rule("no table of paths", "(?i)path", options={"more": {PATHS: None}}),
    # Paths
    _paths("a relative path", "(?i)path", b"state"),
    _paths("a path with ..", "(?i)path", b"/state/../state"),
    _paths("a path with .", "(?i)path", b"/state/."),
    _paths("a path with an empty name", "(?i)path", b"//state"),
    _paths("a path that ends with a slash", "(?i)path", b"/state/"),
    _paths("an empty path", "(?i)path", b"/state", b""),
    _paths("a path that is not there", "(?i)path|not in", b"/state", b"/estate"),
    _paths("a path beneath a link", "(?i)path|not in", b"/state", b"/state/link/file"),
    _paths("what is beneath no path", "(?i)path|beneath", b"/state/directory"),
    Rule("a path that does not end", "(?i)path", _in_table(PATHS, 6, b"x")),
    # Extra xattrs
    Rule("an extra xattr of no inode", _EXTRA, _in_table(EXTRA, 0, struct.pack("<Q", 1 << 40))),
    Rule("extra xattrs that are not sorted", "table of extra attributes",
         lambda sample: sample.in_table(EXTRA, 0, struct.pack("<Q", sample.nid("wide")))),
    Rule("an extra xattr without a name", _EXTRA, _in_table(EXTRA, 8, struct.pack("<II", 13, 0))),
    Rule("an extra xattr with NUL in its name", _EXTRA, _in_table(EXTRA, 16, b"\0")),
    Rule("an extra xattr with a long name", _EXTRA, _in_table(
        EXTRA, 64 + 8, struct.pack("<II", 65280, 265))),
    Rule("an extra xattr without end", _EXTRA, _in_table(EXTRA, 8, struct.pack("<I", 1 << 31))),
    Rule("the padding of an extra xattr", _EXTRA, _in_table(EXTRA, 29, b"\1")),
    Rule("an extra xattr that occurs behind its inode", _EXTRA, _in_table(
        EXTRA, 64 + 16, b"trusted.a")),
    Rule("an extra xattr that occurs twice", _EXTRA, _in_table(EXTRA, 16, b"odd.name")),
    # Marks
    Rule("a mark of an inode that is not there", "(?i)mark", lambda sample: _mark(
        sample, sample.header("files"))),
    Rule("a mark beyond files", "(?i)mark", lambda sample: _mark(
        sample, up(sample.header("files"), 64))),
    Rule("marks that are too long", "(?i)mark", options={"more": {MARKS: (0, b"\3" + bytes(31))}},
         change=lambda sample: sample.header("marked", 2)),
    # Unsaved paths
    _unsaved("unsaved: reason 0", "(?i)unsaved", _record(0, b"/x")),
    _unsaved("unsaved: reason 4096", "(?i)unsaved", _record(4096, b"/x")),
    _unsaved("unsaved: no path", "(?i)unsaved", _record(1, b"")),
    _unsaved("unsaved: NUL in a path", "(?i)unsaved", _record(1, b"/a\0b")),
    _unsaved("unsaved: padding", "(?i)unsaved", _record(1, b"/x", b"\1")),
    _unsaved("unsaved: cut off", "(?i)unsaved", _record(1, b"/x"), b"\1\0\0\0"),
    _unsaved("unsaved: a path without end", "(?i)unsaved", struct.pack("<II", 1, 1 << 31)),
    _unsaved("unsaved: a path that is longer than an unsigned sum", "(?i)unsaved",
             struct.pack("<II", 1, 0xfffffff8)),
]
RULES = DIRECTORIES + TABLES
