# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads an image, and refuses one that breaks any rule of the format."""

import collections
import stat
import struct

from . import layout
from .blocks import Blocks
from .claims import Claims, require
from .layout import BLOCK, CHUNKS, DIRENT, HOLE, INLINE, INODE, PLAIN, PREFIXES, XATTR, up
from .tables import Tables
from .tree import Node, walk

KINDS = {1: stat.S_IFREG, 2: stat.S_IFDIR, 3: stat.S_IFCHR, 4: stat.S_IFBLK, 5: stat.S_IFIFO,
         6: stat.S_IFSOCK, 7: stat.S_IFLNK}


class Reader:
    """root: the tree. paths, unsaved: as in the tables. marked: the nodes that are."""

    def __init__(self, data, secret=None, store_bytes=0):
        self.blocks = Blocks(data, secret, store_bytes)
        self.header, self.index = self.blocks.header, self.blocks.index
        area = self.blocks.described_bytes()
        self.inodes_bytes = self.header["inodes_bytes"]
        self.area = area[:self.inodes_bytes]
        self.tables = Tables(area, self.header)
        self.paths, self.unsaved = self.tables.paths, self.tables.unsaved
        self.inodes = Claims(0, self.inodes_bytes, "inodes")
        self.data = Claims(self.blocks.start, self.index, "data area")
        self.nodes, self.numbers, self.links = {}, {}, {}
        self.names = collections.Counter()
        self.chunked = False
        self.root = self._read_tree()
        self._check_counts()
        self._check_inodes_area()
        self._add_extra()
        self._check_paths()

    def verify(self):
        """Reads every byte."""
        self.blocks.verify()
        for start, end in self.data.gaps():
            require(not any(self.blocks.data[start:end]), "a gap in the data area")

    def _read_tree(self):
        root = self._node(2)
        require(root.is_directory, "the root is no directory")
        queue = collections.deque([(2, root, 2)])
        self.names[2] += 1
        while queue:
            nid, directory, parent = queue.popleft()
            for name, child, kind in self._entries(nid):
                if name in (b".", b".."):
                    require(child == (nid if name == b"." else parent), "%s of nid %d", name, nid)
                    require(kind == stat.S_IFDIR, "file_type of %r", name)
                    continue
                known = child in self.nodes
                node = self._node(child)
                require(node.kind == kind, "file_type of %r", name)
                require(not (known and node.is_directory), "a directory has two names: %r", name)
                directory.children[name] = node
                self.names[child] += 1
                if node.is_directory:
                    queue.append((child, node, nid))
        return root

    def _node(self, nid):
        if nid in self.nodes:
            return self.nodes[nid]
        at = nid * 32
        require(nid % 2 == 0 and 64 <= at <= self.inodes_bytes - INODE.size, "nid %d", nid)
        inode = INODE.all(self.area, at)
        who, mode, size = "nid %d" % nid, inode["i_mode"], inode["i_size"]
        require(stat.S_IFMT(mode) in KINDS.values(), "%s: i_mode", who)
        require(inode["reserved"] == 0 and not any(inode["reserved2"]), "%s: reserved", who)
        require(inode["i_mtime_nsec"] < 10**9, "%s: i_mtime_nsec", who)
        require(HOLE not in (inode["i_uid"], inode["i_gid"]), "%s: owner", who)
        require(1 <= inode["i_ino"] <= self.header["files"], "%s: i_ino", who)
        require(inode["i_ino"] not in self.numbers, "%s: i_ino occurs twice", who)
        self.numbers[inode["i_ino"]] = nid
        self.links[nid] = inode["i_nlink"]
        node = self.nodes[nid] = Node(mode, inode["i_uid"], inode["i_gid"],
                                      inode["i_mtime"] * 10**9 + inode["i_mtime_nsec"])
        length, count = INODE.size, inode["i_xattr_icount"]
        if count:
            length += 12 + 4 * (count - 1)
        require(at + length <= self.inodes_bytes, "%s: xattrs", who)
        self._xattrs(node, who, self.area[at + INODE.size:at + length])
        form, number = inode["i_format"], inode["i_u"]
        require(form in (1 + 2 * PLAIN, 1 + 2 * INLINE, 1 + 2 * CHUNKS), "%s: i_format", who)
        form //= 2
        if node.kind == stat.S_IFREG:
            length += self._regular(node, who, form, size, number, at + length)
        elif node.kind in (stat.S_IFDIR, stat.S_IFLNK):
            content = self._inner(who, form, size, number, at, length)
            length += size if form == INLINE else 0
            if node.is_directory:
                node.blocks = content
            else:
                require(1 <= size <= 4095 and 0 not in content, "%s: target", who)
                node.target = content
        else:
            require(form == PLAIN and size == 0, "%s: layout of a special file", who)
            is_device = node.kind in (stat.S_IFCHR, stat.S_IFBLK)
            require(is_device or number == 0, "%s: i_u", who)
            node.device = layout.decode_device(number)
        self.inodes.claim(at, length, who)
        return node

    def _xattrs(self, node, who, data):
        require(not data or len(data) > 12 and not any(data[:12]), "%s: header of xattrs", who)
        at = 12
        while at < len(data):
            require(at + XATTR.size <= len(data), "%s: xattrs", who)
            entry = XATTR.all(data, at)
            prefix, start = entry["prefix"], at + XATTR.size
            middle = start + entry["name_len"]
            end = middle + entry["value_len"]
            at = up(end, 4)
            require(at <= len(data), "%s: xattrs", who)
            require(prefix in PREFIXES, "%s: prefix of an xattr", who)
            require((prefix in (2, 3)) == (middle == start), "%s: name of an xattr", who)
            require(0 not in data[start:middle], "%s: NUL in an xattr's name", who)
            require(not any(data[end:at]), "%s: padding of an xattr", who)
            name = PREFIXES[prefix] + data[start:middle]
            require(name not in node.xattrs, "%s: %r occurs twice", who, name)
            node.xattrs[name] = data[middle:end]

    def _regular(self, node, who, form, size, number, at):
        """Returns the bytes of chunk numbers."""
        require(size < 1 << 63, "%s: i_size", who)
        node.size = size
        require(form == PLAIN or form == CHUNKS and size, "%s: layout", who)
        if form == PLAIN:
            require(size or number == 0, "%s: i_u", who)
            if size:
                node.runs = [(0, self._extent(who, number, size))]
            return 0
        require(number <= 31, "%s: chunk format", who)
        chunk = BLOCK << number
        count = -(-size // chunk)
        require(4 * count <= self.inodes_bytes - at, "%s: chunks", who)
        for place, block in enumerate(struct.unpack_from("<%dI" % count, self.area, at)):
            if block != HOLE:
                length = min(chunk, size - place * chunk)
                node.runs.append((place * chunk, self._extent(who, block, length)))
        self.chunked = True
        return 4 * count

    def _extent(self, who, number, length):
        whole = up(length, BLOCK)
        self.data.claim(number * BLOCK, whole, who)
        data = b"".join(map(self.blocks.block, range(number, number + whole // BLOCK)))
        require(not any(data[length:]), "%s: the rest of the last block", who)
        return data[:length]

    def _inner(self, who, form, size, number, at, length):
        """The blocks of a directory, or the target of a link."""
        require(form in (PLAIN, INLINE) and size, "%s: layout", who)
        require(size <= self.inodes_bytes, "%s: i_size", who)
        if form == INLINE:
            start = at + length
            require(number == 0, "%s: i_u", who)
            require(start // BLOCK == (start + size - 1) // BLOCK, "%s: crosses a block", who)
        else:
            start = number * BLOCK - self.index
            self.inodes.claim(start, size, who)
        require(0 <= start <= self.inodes_bytes - size, "%s: blocks", who)
        return self.area[start:start + size]

    def _entries(self, nid):
        """(name, nid, kind) of each entry, checked."""
        blocks, before, found = self.nodes[nid].blocks, b"", set()
        for start in range(0, len(blocks), BLOCK):
            block = blocks[start:start + BLOCK]
            is_last = start + BLOCK >= len(blocks)
            require(len(block) >= DIRENT.size, "nid %d: directory block", nid)
            first = DIRENT.get(block, 0, "nameoff")
            require(first and first % DIRENT.size == 0 and first <= len(block),
                    "nid %d: nameoff", nid)
            entries = [DIRENT.all(block, at) for at in range(0, first, DIRENT.size)]
            ends = [entry["nameoff"] for entry in entries[1:]]
            last = entries[-1]["nameoff"]
            ends.append(len(block) if is_last else last + len(block[last:].rstrip(b"\0")))
            for entry, end in zip(entries, ends):
                require(entry["nameoff"] < end <= len(block), "nid %d: nameoff", nid)
                name = block[entry["nameoff"]:end]
                require(1 <= len(name) <= 255 and 0 not in name and b"/" not in name,
                        "nid %d: the name %r", nid, name)
                require(name > before, "nid %d: %r is not sorted", nid, name)
                require(entry["reserved"] == 0, "nid %d: reserved of %r", nid, name)
                require(entry["file_type"] in KINDS, "nid %d: file_type of %r", nid, name)
                before = name
                found |= {name} & {b".", b".."}
                yield name, entry["nid"], KINDS[entry["file_type"]]
        require(found == {b".", b".."}, "nid %d: no . or ..", nid)

    def _check_counts(self):
        header = self.header
        for nid, node in self.nodes.items():
            links = self.names[nid]
            if node.is_directory:
                links = 2 + sum(child.is_directory for child in node.children.values())
            require(self.links[nid] == links, "nid %d: i_nlink is %d", nid, self.links[nid])
        require(header["files"] == sum(self.names.values()), "files is %d", header["files"])
        sizes = sum(node.size for node in self.nodes.values())
        require(header["file_bytes"] == sizes, "file_bytes is %d", header["file_bytes"])
        require(self.blocks.inos == len(self.nodes), "inos is %d", self.blocks.inos)
        require(self.blocks.incompat == 4 * self.chunked, "feature_incompat of the superblock")
        require(self.tables.marks <= set(self.numbers), "a mark of no inode")
        self.marked = [self.nodes[self.numbers[number]] for number in self.tables.marks]

    def _check_inodes_area(self):
        for start, end in self.inodes.gaps():
            require(not any(self.area[start:end]), "bytes of no inode at %d", start)
            require(end - start < BLOCK, "%d bytes of no inode", end - start)
        list(self.data.gaps())

    def _add_extra(self):
        for nid, name, value in self.tables.extra:
            require(nid in self.nodes, "extra xattrs: nid %d", nid)
            require(name not in self.nodes[nid].xattrs, "extra xattrs: %r occurs twice", name)
            self.nodes[nid].xattrs[name] = value

    def _check_paths(self):
        tops, leading = set(self.paths), set()
        for path in self.paths:
            node, so_far = self.root, b""
            for name in filter(None, path.split(b"/")):
                leading.add(so_far)
                require(node.is_directory and name in node.children, "%r is not there", path)
                node, so_far = node.children[name], so_far + b"/" + name
        beneath = set()
        for path, node in walk(self.root):
            parent = path.rpartition(b"/")[0]
            if (path or b"/") in tops or path and parent in beneath:
                beneath.add(path)
            else:
                require(path in leading, "%r is not beneath any of the paths", path)
