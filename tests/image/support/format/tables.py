# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the tables: what an image says of its tree beside EROFS."""

import struct

from . import layout
from .claims import require
from .layout import BLOCK, EXTRA_RECORD, TABLE, UNSAVED_RECORD, up

FLAGS = {layout.PATHS: 1, layout.EXTRA: 1, layout.MARKS: 0, layout.UNSAVED: 0}


class Tables:
    """@area: inodes and tables. extra: [(nid, name, value)]; unsaved: [(reason, path)]."""

    def __init__(self, area, header):
        self.area, self.header = area, header
        self.contents = self._split()
        self.paths = self._paths()
        self.extra = self._extra()
        self.unsaved = self._unsaved()
        self.marks = self._marks()

    def _split(self):
        area, begin, count = self.area, self.header["inodes_bytes"], self.header["table_count"]
        out, end, before = {}, begin + 32 * count, 0
        for number in range(count):
            record = TABLE.all(area, begin + 32 * number)
            kind, start = record["type"], up(end, 8)
            require(kind > before, "table type %d behind %d", kind, before)
            require(record["flags"] in (0, 1), "table %d: flags", kind)
            require(record["reserved"] == 0, "table %d: reserved", kind)
            require(record["length"] > 0, "table %d is empty", kind)
            require(record["offset"] == start, "table %d: offset", kind)
            require(record["length"] <= len(area) - start, "table %d: length", kind)
            require(not any(area[end:start]), "zeroes before table %d", kind)
            end, before = start + record["length"], kind
            if kind in FLAGS:
                require(record["flags"] == FLAGS[kind], "table %d: flags", kind)
                out[kind] = area[start:end]
            require(kind in FLAGS or record["flags"] == 0, "unknown incompatible table %d", kind)
        require(up(end, BLOCK) == len(area), "tables_bytes")
        require(not any(area[end:]), "zeroes behind the tables")
        require(layout.PATHS in out, "no table of paths")
        return out

    def _paths(self):
        data = self.contents[layout.PATHS]
        require(data.endswith(b"\0"), "the last path is not terminated")
        paths = data[:-1].split(b"\0")
        for path in paths:
            require(path.startswith(b"/"), "%r is not absolute", path)
            require(path == b"/" or not {b"", b".", b".."} & set(path[1:].split(b"/")),
                    "%r has an empty name, . or ..", path)
        return paths

    def _extra(self):
        data, at, out, last = self.contents.get(layout.EXTRA, b""), 0, [], 0
        while at < len(data):
            require(at + EXTRA_RECORD.size <= len(data), "extra xattrs: cut off")
            record = EXTRA_RECORD.all(data, at)
            start = at + EXTRA_RECORD.size
            require(1 <= record["name_len"] <= 255, "extra xattrs: length of a name")
            middle = start + record["name_len"]
            end = middle + record["value_len"]
            at += up(end - at, 8)
            require(at <= len(data), "extra xattrs: cut off")
            require(not any(data[end:at]), "extra xattrs: padding")
            require(record["nid"] >= last, "extra xattrs: order of nids")
            last = record["nid"]
            require(0 not in data[start:middle], "extra xattrs: NUL in a name")
            out.append((last, data[start:middle], data[middle:end]))
        return out

    def _unsaved(self):
        data, at, out = self.contents.get(layout.UNSAVED, b""), 0, []
        while at < len(data):
            require(at + UNSAVED_RECORD.size <= len(data), "unsaved: cut off")
            reason, length = struct.unpack_from("<II", data, at)
            start = at + UNSAVED_RECORD.size
            at += up(UNSAVED_RECORD.size + length, 8)
            require(1 <= reason <= 4095, "unsaved: reason %d", reason)
            require(length > 0, "unsaved: no path")
            require(at <= len(data), "unsaved: cut off")
            require(0 not in data[start:start + length], "unsaved: NUL in a path")
            require(not any(data[start + length:at]), "unsaved: padding")
            path = data[start:start + length]
            out.append((reason, path))
        require(len(out) == self.header["unsaved"], "unsaved is %d", self.header["unsaved"])
        return out

    def _marks(self):
        """The numbers (i_ino) of marked inodes."""
        data = self.contents.get(layout.MARKS)
        out = set()
        if data is not None:
            require(len(data) == up(self.header["files"], 64) // 8, "length of the marks")
            out = {8 * place + bit + 1 for place, byte in enumerate(data) for bit in range(8)
                   if byte >> bit & 1}
        require(len(out) == self.header["marked"], "marked is %d", self.header["marked"])
        return out
