# SPDX-License-Identifier: GPL-2.0-or-later
"""What the format leaves to a writer: decided as pmem-preserve does, or at random."""

import random

from .layout import BLOCK, LEAST_DATA, MAX_XATTR_ENTRIES, MIB, PREFIXES, XATTR, up


def prefix_of(name):
    """(number of the prefix, rest of the name), or None if EROFS has no prefix for it."""
    for number, prefix in PREFIXES.items():
        exact = number in (2, 3)
        if name == prefix if exact else name.startswith(prefix) and name != prefix:
            return number, name[len(prefix):]
    return None


def entry_bytes(name, value):
    return up(XATTR.size + len(prefix_of(name)[1]) + len(value), 4)


class Canonical:
    # An inode whose inline bytes would cross a block begins at the next multiple of this.
    inline_step = BLOCK
    # Rules, for images that break one.
    least_data = LEAST_DATA
    crosses_blocks = False

    def inode_order(self, nodes):
        return nodes

    def numbers(self, nodes, files):
        """i_ino of @nodes, which is {node: position of its first name, from 1}."""
        return dict(nodes)

    def inode_gap(self):
        """Bytes between two inodes, a multiple of 64."""
        return 0

    def data_order(self, nodes):
        return nodes

    def data_gap(self):
        return 0

    def data_alignment(self, node, chunked):
        return 2 * MIB if node.size >= 64 * MIB and not chunked else BLOCK

    def directory_block(self):
        """How much of a block may be used."""
        return BLOCK

    def is_inline(self, is_root, fixed, inner):
        """@fixed: bytes of inode and xattrs. The root cannot move: it lies behind 64 bytes."""
        return fixed + inner <= (BLOCK - 64 if is_root else BLOCK)

    def xattrs(self, node):
        """(those behind the inode, extra ones)."""
        inside, extra, used = [], [], 0
        for name, value in sorted(node.xattrs.items()):
            fits = (prefix_of(name) is not None and len(value) <= 65535 and
                    used + entry_bytes(name, value) <= MAX_XATTR_ENTRIES)
            (inside if fits else extra).append((name, value))
            used += entry_bytes(name, value) if fits else 0
        return inside, extra

    def chunk_bits(self, node):
        """None: flat plain."""
        if not node.size or not node.has_holes:
            return None
        costs = []
        for bits in range(32):
            size = BLOCK << bits
            chunks = range(0, node.size, size)
            costs.append(sum(8 + (0 if node.is_hole(at, at + size) else size) for at in chunks))
            if size >= node.size:
                break
        return costs.index(min(costs))


class Scattered(Canonical):
    """Legal everywhere, and nowhere what pmem-preserve writes."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.inline_step = 64

    def inode_order(self, nodes):
        rest = nodes[1:]
        self.rng.shuffle(rest)
        return nodes[:1] + rest

    def numbers(self, nodes, files):
        return dict(zip(nodes, self.rng.sample(range(1, files + 1), len(nodes))))

    def is_inline(self, is_root, fixed, inner):
        """Behind more than a block of xattrs, too."""
        return not is_root and inner <= self.rng.choice((0, 100, 1000))

    def inode_gap(self):
        return 64 * self.rng.choice((0, 0, 1, 5, 20))

    def data_order(self, nodes):
        nodes = list(nodes)
        self.rng.shuffle(nodes)
        return nodes

    def data_gap(self):
        return BLOCK * self.rng.choice((0, 0, 1, 7))

    def data_alignment(self, node, chunked):
        return BLOCK

    def directory_block(self):
        return self.rng.choice((1200, 2000, BLOCK))

    def is_inline(self, is_root, fixed, inner):
        """@fixed: bytes of inode and xattrs. The root cannot move: it lies behind 64 bytes."""
        return fixed + inner <= (BLOCK - 64 if is_root else BLOCK)

    def xattrs(self, node):
        inside, extra = super().xattrs(node)
        self.rng.shuffle(inside)
        return inside, extra

    def chunk_bits(self, node):
        return self.rng.choice((None, 0, 1, 5, 31)) if 0 < node.size < 8 * MIB else \
            super().chunk_bits(node)
