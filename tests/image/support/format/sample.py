# SPDX-License-Identifier: GPL-2.0-or-later
"""An image with one of everything, whose parts a test changes by name."""

import stat

from . import tree
from .digest import Digests, header_digest, seal, seal_header
from .layout import (BLOCK, COMMITTED, COPY, DIRENT, HEADER, INDEX_COPY, INODE, SUPER, SUPERBLOCK,
                     TABLE)
from .policies import Canonical
from .tree import Node
from .writer import Writer

PLACES = ("index_offset", "data_offset")


class Roomy(Canonical):
    """With gaps between inodes and between files."""

    def inode_gap(self):
        return 128

    def data_gap(self):
        return BLOCK


def _file(data, xattrs=None):
    node = Node(stat.S_IFREG | 0o644, xattrs=xattrs)
    node.size, node.runs = len(data), [(0, data)] if data else []
    return node


def sample_tree():
    root, state, inner, wide = (Node(stat.S_IFDIR | 0o755) for _ in range(4))
    root.children = {b"state": state}
    link, long_link, fifo = (Node(kind | 0o777) for kind in (
        stat.S_IFLNK, stat.S_IFLNK, stat.S_IFIFO))
    link.target, long_link.target = b"nowhere", b"t" * 4090
    device = Node(stat.S_IFCHR | 0o600)
    device.device = 1, 3
    sparse = Node(stat.S_IFREG | 0o600)
    sparse.size, sparse.runs = 5 * BLOCK, [(0, b"a" * BLOCK), (2 * BLOCK, b"b" * BLOCK)]
    hard = _file(b"two names")
    odd = {b"odd.eman": b"extra", b"odd.name": b"extra", b"trusted.d": b"w" * 65536}
    state.children = {
        b"attributes": _file(b"x", {b"trusted.a": b"1", b"trusted.b": b"22",
                                    b"trusted.c": b"v" * 500, **odd}),
        b"device": device, b"directory": inner, b"empty": _file(b""), b"fifo": fifo,
        b"hard": hard, b"hard-too": hard, b"link": link, b"long-link": long_link,
        b"more": _file(b"more", {b"odd.name": b"another"}), b"plain": _file(b"p" * 9000),
        b"sparse": sparse, b"twin": _file(b"the other"), b"wide": wide}
    inner.children = {b"below": Node(stat.S_IFDIR | 0o700), b"file": _file(b"inside")}
    wide.children = {b"%0100d" % number: hard for number in range(90)}
    return root


def small_tree():
    """Two blocks of data."""
    root, state = (Node(stat.S_IFDIR | 0o755) for _ in range(2))
    root.children, state.children = {b"state": state}, {b"plain": _file(b"p" * 5000)}
    return root


class Sample:
    """
    Changes are made with the methods; bytes() makes all digests right again, and returns the image.
    @policy is a class.
    """

    def __init__(self, secret=None, policy=Roomy, paths=(b"/state",), more=None, root=None):
        self.root = root or sample_tree()
        state = self.root.children[b"state"]
        self.image = Writer(
            self.root, paths, policy(), secret, marks=[self.node("plain"), state],
            unsaved=[(13, b"/state/secret"), (2, b"missing")],
            more={100: (0, b"of a later version")} if more is None else more).write()
        self.data, self.secret = self.image.data, secret
        self.sealed = [self.image.header(name) for name in PLACES]
        self.sealed.append(self.image.header("inodes_bytes") + self.image.header("tables_bytes"))
        self.phase = COMMITTED
        self.mac = None  # instead of the right header_mac
        self.rest = None  # offset of a byte in the only level of digests, behind the last one
        self.after = []  # changes that are made when all is sealed

    def node(self, path):
        """@path is relative to /state; "/" is the root."""
        return self.root if path == "/" else tree.find(self.root, "/state/" + path)

    def header(self, name, value=None):
        if value is not None:
            HEADER.put(self.data, 0, name, value)
        return HEADER.get(self.data, 0, name)

    def superblock(self, name, value):
        SUPERBLOCK.put(self.data, SUPER, name, value)

    def inode(self, path, name, value=None):
        at = self.image.inode_at[self.node(path)]
        if value is not None:
            INODE.put(self.data, at, name, value)
        return INODE.get(self.data, at, name)

    def nid(self, path):
        return (self.image.inode_at[self.node(path)] - self.header("index_offset")) // 32

    def dirent(self, directory, name, field, value=None):
        at, _ = self.image.dirent_at[self.node(directory), name.encode()]
        if value is not None:
            DIRENT.put(self.data, at, field, value)
        return DIRENT.get(self.data, at, field)

    def name(self, directory, name, new):
        _, at = self.image.dirent_at[self.node(directory), name.encode()]
        assert len(new) == len(name)
        self.put(at, new)

    def table(self, kind, name, value=None):
        at = self.image.record_at[kind]
        if value is not None:
            TABLE.put(self.data, at, name, value)
        return TABLE.get(self.data, at, name)

    def in_table(self, kind, offset, data):
        self.put(self.image.table_at[kind] + offset, data)

    def end_of(self, path):
        """Offset of what is behind an inode and its xattrs."""
        node = self.node(path)
        at = self.image.inode_at[node]
        count = INODE.get(self.data, at, "i_xattr_icount")
        return at + INODE.size + (12 + 4 * (count - 1) if count else 0)

    def xattr(self, path, number):
        return self.image.xattr_at[self.node(path)][number]

    def block_of(self, path):
        return self.image.data_at[self.node(path)] // BLOCK

    def put(self, at, data):
        self.data[at:at + len(data)] = data

    def later(self, at, data):
        self.after.append((at, data))

    def bytes(self):
        # Not what the header says: that may be what a test changes.
        seal(self.data, self.secret, self.phase, tuple(self.sealed))
        if self.rest is not None:
            self._fill_rest()
        if self.mac is not None:
            for at in (0, COPY):
                HEADER.put(self.data, at, "header_mac", self.mac)
                HEADER.put(self.data, at, "header_digest", header_digest(
                    self.data[at:at + HEADER.size]))
        for at, data in self.after:
            self.put(at, data)
        return bytes(self.data)

    def _fill_rest(self):
        start = self.sealed[0]
        top, number = self.rest // BLOCK * BLOCK, self.rest // BLOCK
        self.put(self.rest, b"\1")
        block = self.data[top:top + BLOCK]
        self.put(top - start + INDEX_COPY, block)
        digests = Digests(self.secret, self.header("uuid"))
        self.header("root_digest", digests.block(number, block))
        seal_header(self.data, self.secret, self.phase)
