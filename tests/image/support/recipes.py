# SPDX-License-Identifier: GPL-2.0-or-later
"""
Malformed images as text: the changes to a base image that the program has made.

    # why                                comment
    PLACE FIELD VALUE                    a field of the structure at PLACE; may be repeated
    PLACE bytes +OFFSET "TEXT"           bytes from there on, as a Python literal
    cut BYTES                            truncates the file; negative: by so many bytes
    seal all|table|header|none           which digests are recomputed (default: all)

PLACE: header | super | inode:PATH | dirent:PATH | dirent:PATH/. | name:PATH | tail:PATH |
xattrs:PATH | xattr:PATH:N | chunk:PATH:N | extra:N | table:N | paths | marks | unsaved | digests |
leaf:PATH | file. PATH is relative to
the state, but for "/". VALUE: a number, +N or -N relative to what is there, nid:PATH or block:PATH.
"""

import ast
import os
import struct

from . import imagefile
from .imagefile import ImageFile

FIELDS = {"header": imagefile.HEADER, "super": imagefile.SUPERBLOCK, "inode": imagefile.INODE,
          "dirent": imagefile.DIRENT, "xattrs": imagefile.XATTR_HEADER, "xattr": imagefile.XATTR,
          "chunk": imagefile.CHUNK, "extra": imagefile.EXTRA,
          "table": imagefile.TABLE, "unsaved": imagefile.UNSAVED}


class Base:
    """A valid image, and the path of the state in it."""

    def __init__(self, data, state):
        self.image, self.state = ImageFile(data), os.fsencode(state)

    def find(self, path):
        path = path.encode()
        return self.image.find(path if path.startswith(b"/") else self.state + b"/" + path)

    def place(self, text):
        """Offset of a place in the image, and the table of its fields."""
        kind, _, rest = text.partition(":")
        return self._place(kind, rest), FIELDS.get(kind)

    def _place(self, kind, rest):
        image = self.image
        if kind in ("header", "file"):
            return 0
        if kind == "super":
            return imagefile.SUPER
        if kind in ("paths", "marks", "unsaved"):
            return image.table({"paths": imagefile.PATHS, "marks": imagefile.MARKS,
                                "unsaved": imagefile.UNSAVEDS}[kind])[0]
        if kind == "digests":
            return image.digests()
        if kind == "table":
            return image.table_record(int(rest))
        if kind == "extra":
            return self._extra(int(rest))
        if kind == "dirent" and rest.rsplit("/", 1)[-1] in (".", ".."):
            directory, _, dots = rest.rpartition("/")
            inode = self.find(directory)[0]
            return next(d for d, _, name in image.dirents(inode) if name == dots.encode())
        path, _, number = rest.partition(":")
        inode, dirent, name = self.find(path)
        return {"inode": lambda: inode, "dirent": lambda: dirent, "name": lambda: name,
                "tail": lambda: image.tail(inode),
                "xattrs": lambda: inode + imagefile.INODE_BYTES,
                "xattr": lambda: image.xattrs(inode)[int(number)],
                "leaf": lambda: image.leaf(inode),
                "chunk": lambda: image.behind(inode) + 4 * int(number)}[kind]()

    def _extra(self, number):
        at = self.image.table(imagefile.EXTRAS)[0]
        for _ in range(number):
            length = 16 + sum(self.image.get(at, imagefile.EXTRA, name)
                              for name in ("name_length", "value_length"))
            at += (length + 7) // 8 * 8
        return at

    def value(self, text, old):
        if text.startswith("nid:"):
            return (self.find(text[4:])[0] - self.image.header("index_offset")) // 32
        if text.startswith("block:"):
            return self.image.get(self.find(text[6:])[0], imagefile.INODE, "data")
        number = int(text, 0)
        return old + number if text[0] in "+-" else number

    def field(self, place, name):
        """(offset, format, present value) of a field."""
        start, fields = self.place(place)
        offset, form = fields[name]
        return start + offset, form, self.image.get(start, fields, name)


def fit(form, value):
    """@value wrapped to the size of the field."""
    size = struct.calcsize("<" + form)
    return (value % (1 << 8 * size)).to_bytes(size, "little")


def apply(base, lines):
    """Returns the changed image, before it is sealed, and the level of sealing for it."""
    data, level = bytearray(base.image.data), "all"
    for line in lines:
        words = line.split(None, 3)
        if words[0] == "seal":
            level = words[1]
        elif words[0] == "cut":
            size = int(words[1], 0)
            del data[size if size >= 0 else len(data) + size:]
        elif words[1] == "bytes":
            at = base.place(words[0])[0] + int(words[2], 0)
            new = ast.literal_eval("b" + words[3])
            data[at:at + len(new)] = new
        else:
            at, form, old = base.field(words[0], words[1])
            new = fit(form, base.value(words[2], old))
            data[at:at + len(new)] = new
    return data, level


def read(path):
    """{name: lines} of a file of recipes: each starts with a line "[name]"."""
    out, lines = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip() if '"' not in line else line.strip()
            if line.startswith("["):
                lines = out.setdefault(line.strip("[]"), [])
            elif line:
                lines.append(line)
    return out
