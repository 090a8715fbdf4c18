# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated recipes: each field of the format at its extremes, and random flips."""

import random

from . import imagefile

EXTREMES = {
    "B": ("0", "1", "0x7f", "0x80", "0xff", "+1", "-1"),
    "H": ("0", "1", "0x7fff", "0x8000", "0xffff", "+1", "-1", "+12"),
    "I": ("0", "1", "0x7fffffff", "0x80000000", "0xfffffffe", "0xffffffff", "+1", "-1"),
    "Q": ("0", "1", "0x7fffffff", "0xffffffff", "0x100000000", "0x7fffffffffffffff",
          "0x8000000000000000", "0xffffffffffffffff", "+1", "-1", "+8", "+64", "+4096", "-4096",
          "0xfffffffffffff000"),
    "q": ("0", "-1", "0x7fffffffffffffff", "0x8000000000000000"),
}
FORMATS = [str(layout << 1 | extended) for layout in range(8) for extended in (0, 1)]
INODES = ("/", "", "plain", "second", "empty", "sparse", "hole", "link", "long-link", "fifo",
          "directory", "many")
INODE_FIELDS = ("xattr_count", "size", "data", "uid", "mtime", "mtime_nsec", "links")
KINDS = ("0", "0x1fff", "0x2180", "0x41ed", "0x6180", "0x81a4", "0xa1ff", "0xc1ff", "0xf000",
         "0xffff")
CHILDREN = ("plain", "empty", "directory", "directory/inner", "link", "many/.", "many/..",
            "directory/.", "directory/..")


def _fields(place, fields, names=None):
    for name in names or fields:
        form = fields[name][1]
        for value in EXTREMES.get(form, ()):
            yield ["%s %s %s" % (place, name, value)]


def small():
    """All recipes for the small base image."""
    yield from _fields("header", imagefile.HEADER)
    yield from _fields("super", imagefile.SUPERBLOCK)
    for path in INODES:
        place = "inode:" + path
        yield from _fields(place, imagefile.INODE, INODE_FIELDS)
        for value in FORMATS + ["0xffff", "0x101"]:
            yield ["%s format %s" % (place, value)]
        for value in KINDS:
            yield ["%s mode %s" % (place, value)]
    for path in CHILDREN:
        yield from _fields("dirent:" + path, imagefile.DIRENT, ("nid", "name_offset", "type"))
        for other in ("/", "", "plain", "directory", "many", "fifo"):
            yield ["dirent:%s nid nid:%s" % (path, other)]
    for path in ("plain", "directory"):
        yield from _fields("xattrs:" + path, imagefile.XATTR_HEADER)
        for number in range(3):
            yield from _fields("xattr:%s:%d" % (path, number), imagefile.XATTR)
    for number in (0, 1, 10, 20, 48):
        yield from _fields("chunk:sparse:%d" % number, imagefile.CHUNK)
        yield ["chunk:sparse:%d block block:plain" % number]
    for number in (0, 1):
        yield from _fields("table:%d" % number, imagefile.TABLE)
    yield from _fields("unsaved", imagefile.UNSAVED)
    for place in ("paths", "marks", "unsaved", "digests", "tail:link", "tail:directory", "name:plain"):
        for text in (r'"\0"', r'"/"', r'"\xff\xff\xff\xff"', r'"//"', r'".."'):
            yield ["%s bytes +0 %s" % (place, text)]
            yield ["%s bytes +3 %s" % (place, text)]


def extra():
    """The table of extra xattrs."""
    for number in (0, 1):
        yield from _fields("extra:%d" % number, imagefile.EXTRA)


def random_patches(base, count, seed):
    """Patches of a few bytes in the metadata, where each byte has a meaning."""
    rng = random.Random(seed)
    start, end = base.image.header("index_offset"), base.image.digests()
    busy = [at for at in range(start, end) if base.image.data[at]]
    for _ in range(count):
        lines = []
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.choice(busy)
            flipped = base.image.data[at] ^ (1 << rng.randrange(8))
            value = rng.choice((0, 1, 0x7f, 0x80, 0xff, flipped))
            lines.append(r'file bytes +%d "\x%02x"' % (at, value))
        yield lines
