# SPDX-License-Identifier: GPL-2.0-or-later
"""
The layout of an image (see Documentation/image-format.rst), read independently of the program: for
tests that change one field. Only for valid images.
"""

import os
import stat
import struct

SUPER, BLOCK, MIB = 1024, 4096, 1 << 20
COPY = MIB + BLOCK  # of the first block
INDEX_COPY = COPY + BLOCK
FAN_OUT = 256  # digests in a block
INODE_BYTES, DIRENT_BYTES = 64, 12

# name: (offset, format)
HEADER = {
    "magic": (0, "16s"), "phase": (16, "Q"), "version": (24, "I"), "header_bytes": (28, "I"),
    "feature_compat": (32, "I"), "feature_ro_compat": (36, "I"), "feature_incompat": (40, "I"),
    "seal": (44, "I"), "uuid": (48, "16s"), "generation": (64, "Q"), "store_bytes": (72, "Q"),
    "image_bytes": (80, "Q"), "data_offset": (88, "Q"), "index_offset": (96, "Q"),
    "index_bytes": (104, "Q"), "index_copy_offset": (112, "Q"), "inodes_bytes": (120, "Q"),
    "tables_bytes": (128, "Q"), "table_count": (136, "Q"), "digests_bytes": (144, "Q"),
    "files": (152, "Q"), "file_bytes": (160, "Q"), "marked": (168, "Q"), "unsaved": (176, "Q"),
    "created_ns": (184, "Q"), "hostname": (192, "64s"), "kernel": (256, "64s"),
    "root_digest": (320, "16s"), "super_digest": (336, "16s"), "header_mac": (352, "16s"),
    "reserved": (368, "16s"), "timeline": (864, "Q"), "timeline_digest": (992, "16s"),
    "header_digest": (1008, "16s"),
}
PHASES = {"writing": 0x5752495449e74e47, "committed": 0xa4d3b2ab961ab1b8,
          "restored": 0x3c5a6996c3a5c33c}
SUPERBLOCK = {
    "magic": (0, "I"), "checksum": (4, "I"), "feature_compat": (8, "I"), "block_bits": (12, "B"),
    "extension_slots": (13, "B"), "root_nid": (14, "H"), "inodes": (16, "Q"),
    "build_time": (24, "Q"), "build_time_nsec": (32, "I"), "blocks": (36, "I"),
    "meta_block": (40, "I"), "xattr_block": (44, "I"), "uuid": (48, "16s"),
    "volume_name": (64, "16s"), "feature_incompat": (80, "I"), "compression": (84, "H"),
    "extra_devices": (86, "H"), "device_table_slot": (88, "H"), "directory_block_bits": (90, "B"),
}
INODE = {
    "format": (0, "H"), "xattr_count": (2, "H"), "mode": (4, "H"), "reserved": (6, "H"),
    "size": (8, "Q"), "data": (16, "I"), "ino": (20, "I"), "uid": (24, "I"), "gid": (28, "I"),
    "mtime": (32, "q"), "mtime_nsec": (40, "I"), "links": (44, "I"),
}
DIRENT = {"nid": (0, "Q"), "name_offset": (8, "H"), "type": (10, "B"), "reserved": (11, "B")}
XATTR_HEADER = {"name_filter": (0, "I"), "shared_count": (4, "B"), "reserved": (5, "B")}
XATTR = {"name_length": (0, "B"), "prefix": (1, "B"), "value_length": (2, "H")}
EXTRA = {"nid": (0, "Q"), "value_length": (8, "I"), "name_length": (12, "I")}
CHUNK = {"block": (0, "I")}
TABLE = {"type": (0, "I"), "flags": (4, "I"), "offset": (8, "Q"), "length": (16, "Q"),
         "reserved": (24, "Q")}
UNSAVED = {"error": (0, "I"), "path_length": (4, "I")}
PATHS, EXTRAS, MARKS, UNSAVEDS = 1, 2, 3, 4  # types of tables

PLAIN, INLINE, CHUNKS = 0, 2, 4
HOLE = 0xffffffff


class ImageFile:
    def __init__(self, data):
        self.data = bytes(data)

    def get(self, place, fields, name):
        offset, form = fields[name]
        return struct.unpack_from("<" + form, self.data, place + offset)[0]

    def header(self, name):
        return self.get(0, HEADER, name)

    def inode(self, nid):
        """Offset of the inode with that number."""
        return self.header("index_offset") + 32 * nid

    def table_record(self, number):
        """Offset of a record of the directory of tables."""
        return self.header("index_offset") + self.header("inodes_bytes") + 32 * number

    def table(self, kind):
        """(start, end) of the table of that type; None if there is none."""
        for number in range(self.header("table_count")):
            record = self.table_record(number)
            if self.get(record, TABLE, "type") == kind:
                start = self.header("index_offset") + self.get(record, TABLE, "offset")
                return start, start + self.get(record, TABLE, "length")
        return None

    def digests(self):
        """Offset of the leaves, which the other digests follow."""
        return self.table_record(0) + self.header("tables_bytes")

    def leaves(self):
        return (self.digests() - self.header("data_offset")) // BLOCK

    def leaf(self, place):
        """Offset of the digest of the block at @place, in file data or the index."""
        return self.digests() + 16 * ((place - self.header("data_offset")) // BLOCK)

    def levels(self):
        """[(offset, number of blocks)] of the levels of digests, the leaves first."""
        out, at, count = [], self.digests(), self.leaves()
        while not out or count > 1:
            count = (count + FAN_OUT - 1) // FAN_OUT
            out.append((at, count))
            at += count * BLOCK
        return out

    def parts(self):
        """{what: (start, end)}: all bytes of the image."""
        header = self.header
        index, copy = header("index_offset"), header("index_copy_offset")
        return {"header": (0, BLOCK), "zeroes": (BLOCK, COPY), "header copy": (COPY, INDEX_COPY),
                "index copy": (copy, copy + header("index_bytes")),
                "more zeroes": (copy + header("index_bytes"), header("data_offset")),
                "data": (header("data_offset"), index),
                "index": (index, header("image_bytes"))}

    def root(self):
        return self.inode(self.get(SUPER, SUPERBLOCK, "root_nid"))

    def behind(self, inode):
        """Offset of what follows the inode and its xattrs."""
        count = self.get(inode, INODE, "xattr_count")
        return inode + INODE_BYTES + (12 + 4 * (count - 1) if count else 0)

    def tail(self, inode):
        """Offset of the content of a directory or a symlink."""
        if self.get(inode, INODE, "format") >> 1 == INLINE:
            return self.behind(inode)
        return self.get(inode, INODE, "data") * BLOCK

    def dirents(self, inode):
        """[(offset of the entry, offset of the name, name)] of a directory."""
        out = []
        size, start = self.get(inode, INODE, "size"), self.tail(inode)
        for block in range(start, start + size, BLOCK):
            end = min(block + BLOCK, start + size)
            count = self.get(block, DIRENT, "name_offset") // DIRENT_BYTES
            places = [block + DIRENT_BYTES * i for i in range(count)]
            names = [block + self.get(place, DIRENT, "name_offset") for place in places] + [end]
            for i, place in enumerate(places):
                out.append((place, names[i],
                            self.data[names[i]:names[i + 1]].split(b"\0", 1)[0]))
        return out

    def find(self, path):
        """Offsets (inode, dirent, name) of an absolute path; dirent and name are None for "/"."""
        inode, dirent, name = self.root(), None, None
        for part in path.strip(b"/").split(b"/") if path.strip(b"/") else []:
            dirent, name = next((d, n) for d, n, text in self.dirents(inode) if text == part)
            inode = self.inode(self.get(dirent, DIRENT, "nid"))
        return inode, dirent, name

    def names(self, inode=None, path=b""):
        """(path, inode) of each name below the root, directories before their content."""
        for dirent, _, name in self.dirents(self.root() if inode is None else inode):
            if name in (b".", b".."):
                continue
            child = self.inode(self.get(dirent, DIRENT, "nid"))
            yield path + b"/" + name, child
            if stat.S_ISDIR(self.get(child, INODE, "mode")):
                yield from self.names(child, path + b"/" + name)

    def extents(self, inode):
        """[(start, end)] in the image of a regular file's bytes."""
        size, out = self.get(inode, INODE, "size"), []
        if self.get(inode, INODE, "format") >> 1 == PLAIN:
            start = self.get(inode, INODE, "data") * BLOCK
            return [(start, start + size)] if size else []
        chunk = BLOCK << (self.get(inode, INODE, "data") & 31)
        for number in range((size + chunk - 1) // chunk):
            block = self.get(self.behind(inode) + 4 * number, CHUNK, "block")
            if block != HOLE:
                out.append((block * BLOCK, block * BLOCK + min(chunk, size - number * chunk)))
        return out

    def files(self):
        """{path, as text: [(start, end)]} of the regular files that have data."""
        return {os.fsdecode(path): self.extents(inode) for path, inode in self.names()
                if stat.S_ISREG(self.get(inode, INODE, "mode")) and self.extents(inode)}

    def files_in(self, *ranges):
        """Paths of the files with a block that has bytes in one of the ranges."""
        return {path for path, extents in self.files().items() for a, b in extents
                if any(a < (end + BLOCK - 1) // BLOCK * BLOCK and
                       (b + BLOCK - 1) // BLOCK * BLOCK > start // BLOCK * BLOCK
                       for start, end in ranges)}

    def xattrs(self, inode):
        """Offsets of the xattr entries behind an inode."""
        out, at = [], inode + INODE_BYTES + 12
        while at < self.behind(inode):
            out.append(at)
            length = 4 + self.get(at, XATTR, "name_length") + self.get(at, XATTR, "value_length")
            at += (length + 3) // 4 * 4
        return out
