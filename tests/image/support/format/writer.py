# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes an image of a tree."""

import collections
import stat
import struct
import uuid

from . import layout, tree
from .digest import seal
from .layout import (BLOCK, CHUNKS, DIRENT, EXTRA_RECORD, HEADER, HOLE, INCOMPATIBLE, INLINE, INODE,
                     PLAIN, SUPER, SUPERBLOCK, TABLE, UNSAVED_RECORD, XATTR, up)
from .policies import Canonical, prefix_of

FILE_TYPES = {stat.S_IFREG: 1, stat.S_IFDIR: 2, stat.S_IFCHR: 3, stat.S_IFBLK: 4, stat.S_IFIFO: 5,
              stat.S_IFSOCK: 6, stat.S_IFLNK: 7}


class Image:
    """The bytes, and at which of them everything lies."""

    def __init__(self):
        self.data = bytearray()
        self.secret = None
        self.inode_at = {}    # node: offset
        self.inner_at = {}    # directory, link: offset of its blocks, target
        self.xattr_at = {}    # node: [offset of each entry]
        self.dirent_at = {}   # (directory, name): (offset of the entry, of the name)
        self.chunks_at = {}   # chunk-based file: offset of its chunk numbers
        self.data_at = {}     # flat file: offset
        self.record_at = {}   # table type: offset of its record
        self.table_at = {}    # table type: offset

    def header(self, name):
        return HEADER.get(self.data, 0, name)

    def seal(self):
        seal(self.data, self.secret)


def _xattr_bytes(entries):
    if not entries:
        return b"", []
    out, at = bytearray(12), []
    for name, value in entries:
        number, rest = prefix_of(name)
        at.append(len(out))
        out += XATTR.pack(name_len=len(rest), prefix=number, value_len=len(value)) + rest + value
        out += bytes(-len(out) % 4)
    return bytes(out), at


class Writer:
    """
    @more: other tables, {type: (flags, bytes)}; None: without one of this type. @marks: None, or
    the nodes that are marked. @header: fields that are not to have their usual values.
    """

    def __init__(self, root, paths, policy=None, secret=None, marks=None, unsaved=(), more=None,
                 header=None):
        self.root, self.paths, self.policy = root, list(paths), policy or Canonical()
        self.marks, self.unsaved, self.more = marks, unsaved, more or {}
        self.image = Image()
        self.image.secret = secret
        self.fields = {"uuid": uuid.uuid4().bytes, "generation": 1,
                       "created_ns": 1600000000123456789, "hostname": b"host",
                       "kernel": b"6.1.0", "timeline": bytes(128), **(header or {})}

    def write(self):
        self._number()
        self._place_inodes()
        self._place_data()
        self._fill_inodes()
        tables = self._tables()
        self._assemble(tables)
        self.image.seal()
        return self.image

    def _number(self):
        """Nodes in canonical order, i_ino, names of each, parents."""
        self.first, self.names, self.parent = {}, collections.Counter(), {self.root: self.root}
        self.files = 0
        for _, node in tree.walk(self.root):
            self.files += 1
            self.names[node] += 1
            self.first.setdefault(node, self.files)
            for child in node.children.values():
                if child.is_directory:
                    self.parent[child] = node
        self.ino = self.policy.numbers(self.first, self.files)

    def _blocks_of(self, directory):
        """Lists of names, one for each block."""
        names, blocks, used = sorted([b".", b"..", *directory.children]), [[]], 0
        limit = self.policy.directory_block()
        for name in names:
            if used + DIRENT.size + len(name) > limit:
                blocks.append([])
                used = 0
            blocks[-1].append(name)
            used += DIRENT.size + len(name)
        return blocks

    def _place_inodes(self):
        """Offsets from I of all inodes, and of what belongs to them."""
        self.layouts, self.xattrs, self.extra, self.names_in, self.bits = {}, {}, {}, {}, {}
        self.at, self.inner, self.inner_size = {}, {}, {}
        end, outside = 64, []
        for node in self.policy.inode_order(list(self.first)):
            inside, self.extra[node] = self.policy.xattrs(node)
            self.xattrs[node] = _xattr_bytes(inside)
            fixed, behind = INODE.size + len(self.xattrs[node][0]), 0
            self.layouts[node], is_inline = PLAIN, False
            if node.is_directory:
                blocks = self.names_in[node] = self._blocks_of(node)
                last = sum(DIRENT.size + len(name) for name in blocks[-1])
                self.inner_size[node] = (len(blocks) - 1) * BLOCK + last
            elif node.kind == stat.S_IFLNK:
                self.inner_size[node] = len(node.target)
            elif node.kind == stat.S_IFREG:
                self.bits[node] = self.policy.chunk_bits(node)
                if self.bits[node] is not None:
                    self.layouts[node] = CHUNKS
                    behind = 4 * -(-node.size // (BLOCK << self.bits[node]))
            if node in self.inner_size:
                is_inline = self.policy.is_inline(node is self.root, fixed, self.inner_size[node])
                if is_inline:
                    self.layouts[node], behind = INLINE, self.inner_size[node]
                else:
                    outside.append(node)
            at = up(end + (self.policy.inode_gap() if node is not self.root else 0), 64)
            while is_inline and (at + fixed) % BLOCK + behind > BLOCK and \
                    not self.policy.crosses_blocks:
                at = up(at + 1, self.policy.inline_step)
            at -= BLOCK if at - end >= BLOCK and is_inline else 0
            self.at[node], self.inner[node] = at, at + fixed
            end = at + fixed + behind
        for node in outside:
            self.inner[node] = up(end, BLOCK)
            end = self.inner[node] + self.inner_size[node]
        self.inodes_bytes = up(end, BLOCK)

    def _place_data(self):
        """Offsets from D of the extents of each file: {node: [offset, or None for a hole]}."""
        self.extents, self.data_runs, end = {}, [], 0
        for node in self.policy.data_order([node for node in self.first if node.kind ==
                                            stat.S_IFREG and node.size]):
            bits = self.bits[node]
            size = up(node.size, BLOCK) if bits is None else BLOCK << bits
            end = up(end + self.policy.data_gap(),
                     self.policy.data_alignment(node, bits is not None))
            self.extents[node] = []
            for start in range(0, node.size, size):
                stop = min(start + size, node.size)
                if bits is not None and node.is_hole(start, stop):
                    self.extents[node].append(None)
                    continue
                self.extents[node].append(end)
                self.data_runs.append((end, node, start, stop))
                end += up(stop - start, BLOCK)
        self.data_bytes = max(end, self.policy.least_data)

    def _fill_inodes(self):
        """The A bytes; block numbers need D and I, which need the sizes of the tables."""
        sizes = [len(data) for _, _, data in self._table_list()]
        end = 32 * len(sizes)
        for size in sizes:
            end = up(end, 8) + size
        self.tables_bytes = up(end, BLOCK)
        self.where = layout.places(self.inodes_bytes, self.tables_bytes, self.data_bytes)
        self.area = bytearray(self.inodes_bytes)
        for node in self.first:
            self._fill_inode(node)

    def _fill_inode(self, node):
        at, index = self.at[node], self.where["index_offset"]
        xattrs, entries = self.xattrs[node]
        number = 0
        if node.kind in (stat.S_IFCHR, stat.S_IFBLK):
            number = layout.encode_device(*node.device)
        elif self.layouts[node] == CHUNKS:
            number = self.bits[node]
            self.image.chunks_at[node] = index + at + INODE.size + len(xattrs)
        elif node in self.extents:
            number = (self.where["data_offset"] + self.extents[node][0]) // BLOCK
            self.image.data_at[node] = number * BLOCK
        elif self.layouts[node] == PLAIN and node in self.inner_size:
            number = (index + self.inner[node]) // BLOCK
        links = self.names[node]
        if node.is_directory:
            links = 2 + sum(child.is_directory for child in node.children.values())
        inode = INODE.pack(
            i_format=1 + 2 * self.layouts[node],
            i_xattr_icount=(len(xattrs) - 12) // 4 + 1 if xattrs else 0, i_mode=node.mode,
            i_size=self.inner_size.get(node, node.size), i_u=number, i_ino=self.ino[node],
            i_uid=node.uid, i_gid=node.gid, i_mtime=node.mtime // 10**9,
            i_mtime_nsec=node.mtime % 10**9, i_nlink=links)
        self._put(at, inode + xattrs)
        self.image.inode_at[node] = index + at
        self.image.xattr_at[node] = [index + at + INODE.size + offset for offset in entries]
        if node.is_directory:
            self._fill_directory(node)
        elif node.kind == stat.S_IFLNK:
            self._put(self.inner[node], node.target)
        elif self.layouts[node] == CHUNKS:
            numbers = [HOLE if extent is None else (self.where["data_offset"] + extent) // BLOCK
                       for extent in self.extents[node]]
            self._put(at + INODE.size + len(xattrs), struct.pack("<%dI" % len(numbers), *numbers))
        if node in self.inner_size:
            self.image.inner_at[node] = index + self.inner[node]

    def _fill_directory(self, node):
        special = {b".": node, b"..": self.parent[node]}
        for number, names in enumerate(self.names_in[node]):
            start = self.inner[node] + number * BLOCK
            offset, entries = DIRENT.size * len(names), b""
            for name in names:
                child = special.get(name) or node.children[name]
                self.image.dirent_at[node, name] = (
                    self.where["index_offset"] + start + len(entries),
                    self.where["index_offset"] + start + offset)
                entries += DIRENT.pack(nid=self.at[child] // 32, nameoff=offset,
                                       file_type=FILE_TYPES[child.kind])
                offset += len(name)
            self._put(start, entries + b"".join(names))

    def _put(self, at, data):
        assert not any(self.area[at:at + len(data)]), "two things at one place"
        self.area[at:at + len(data)] = data

    def _table_list(self):
        """[(type, flags, bytes)], ascending."""
        out = {layout.PATHS: (INCOMPATIBLE, b"".join(path + b"\0" for path in self.paths))}
        extra = b""
        for node in sorted(self.extra, key=self.at.get):
            for name, value in self.extra[node]:
                extra += EXTRA_RECORD.pack(nid=self.at[node] // 32, value_len=len(value),
                                           name_len=len(name)) + name + value
                extra += bytes(-len(extra) % 8)
        if extra:
            out[layout.EXTRA] = INCOMPATIBLE, bytes(extra)
        if self.marks is not None:
            bits = sum(1 << self.ino[node] - 1 for node in set(self.marks))
            out[layout.MARKS] = 0, bits.to_bytes(up(self.files, 64) // 8, "little")
        unsaved = b""
        for reason, path in self.unsaved:
            unsaved += UNSAVED_RECORD.pack(reason=reason, path_len=len(path)) + path
            unsaved += bytes(-len(unsaved) % 8)
        if unsaved:
            out[layout.UNSAVED] = 0, bytes(unsaved)
        out.update(self.more)
        return [(number, *out[number]) for number in sorted(out) if out[number]]

    def _tables(self):
        tables = self._table_list()
        out, base = bytearray(32 * len(tables)), self.where["index_offset"] + self.inodes_bytes
        for number, (kind, flags, data) in enumerate(tables):
            out += bytes(-len(out) % 8)
            out[32 * number:32 * number + 32] = TABLE.pack(
                type=kind, flags=flags, offset=self.inodes_bytes + len(out), length=len(data))
            self.image.record_at[kind] = base + 32 * number
            self.image.table_at[kind] = base + len(out)
            out += data
        self.table_count = len(tables)
        return bytes(out).ljust(self.tables_bytes, b"\0")

    def _assemble(self, tables):
        where, data = self.where, self.image.data
        data.extend(bytes(where["image_bytes"]))
        regular = [node for node in self.first if node.kind == stat.S_IFREG]
        header = HEADER.pack(
            magic=layout.MAGIC, version=3, header_bytes=HEADER.size,
            seal=int(self.image.secret is not None), table_count=self.table_count,
            files=self.files, file_bytes=sum(node.size for node in regular),
            marked=len(set(self.marks or ())), unsaved=len(self.unsaved), **where)
        for name, value in self.fields.items():
            HEADER.put(header, 0, name, value)
        created = self.fields["created_ns"]
        data[:HEADER.size] = header
        data[SUPER:SUPER + SUPERBLOCK.size] = SUPERBLOCK.pack(
            magic=0xe0f5e1e2, feature_compat=2, blkszbits=12, root_nid=2, inos=len(self.first),
            build_time=created // 10**9, build_time_nsec=created % 10**9,
            blocks=where["image_bytes"] // BLOCK, meta_blkaddr=where["index_offset"] // BLOCK,
            uuid=self.fields["uuid"], volume_name=b"pmem-preserve",
            feature_incompat=4 if CHUNKS in self.layouts.values() else 0)
        for at, node, start, stop in self.data_runs:
            at += where["data_offset"]
            data[at:at + stop - start] = node.bytes_at(start, stop)
        index = where["index_offset"]
        data[index:index + len(self.area)] = self.area
        data[index + len(self.area):index + len(self.area) + len(tables)] = tables
