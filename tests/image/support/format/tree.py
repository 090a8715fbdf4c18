# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree of files in memory: for the writer from disk, or what the reader has read."""

import collections
import hashlib
import os
import stat

from ..snapshot import GRAIN, ZEROES


class Node:
    """An inode; hard links are one Node under several names. Only as much data as is no hole."""

    def __init__(self, mode, uid=0, gid=0, mtime=0, xattrs=None):
        self.mode, self.uid, self.gid, self.mtime = mode, uid, gid, mtime
        self.xattrs = dict(xattrs or {})  # in the order of listxattr(2)
        self.size, self.runs = 0, []  # [(offset, bytes)], ascending; regular files
        self.children = {}  # directories
        self.target = b""
        self.device = (0, 0)

    @property
    def kind(self):
        return stat.S_IFMT(self.mode)

    @property
    def is_directory(self):
        return self.kind == stat.S_IFDIR

    @property
    def has_holes(self):
        """Whether a block of the file has no data."""
        blocks = {block for offset, data in self.runs
                  for block in range(offset // 4096, -(-(offset + len(data)) // 4096))}
        return len(blocks) < -(-self.size // 4096)

    def bytes_at(self, start, end):
        """With zeroes for holes."""
        out = bytearray(end - start)
        for offset, data in self.runs:
            low, high = max(start, offset), min(end, offset + len(data))
            if low < high:
                out[low - start:high - start] = data[low - offset:high - offset]
        return bytes(out)

    def is_hole(self, start, end):
        return not any(offset < end and offset + len(data) > start for offset, data in self.runs)


def walk(root):
    """(path, name's Node) level by level: the root, its children by name, and so on."""
    queue = collections.deque([(b"", root)])
    while queue:
        path, node = queue.popleft()
        yield path, node
        if node.is_directory:
            queue.extend((path + b"/" + name, node.children[name])
                         for name in sorted(node.children))


def _runs(path, size):
    out, at = [], 0
    with open(path, "rb", buffering=0) as file:
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            out.append((at, os.pread(file.fileno(), end - at, at)))
            at = end
    return out


def _node(path, links):
    status = os.lstat(path)
    key = (status.st_dev, status.st_ino)
    if key in links:
        return links[key]
    try:
        names = os.listxattr(path, follow_symlinks=False)
        xattrs = {os.fsencode(name): os.getxattr(path, name, follow_symlinks=False)
                  for name in names}
    except OSError:
        xattrs = {}
    node = Node(status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, xattrs)
    if node.kind == stat.S_IFREG:
        node.size, node.runs = status.st_size, _runs(path, status.st_size)
    elif node.kind == stat.S_IFLNK:
        node.target = os.readlink(path)
    elif node.kind in (stat.S_IFCHR, stat.S_IFBLK):
        node.device = os.major(status.st_rdev), os.minor(status.st_rdev)
    if not node.is_directory:
        links[key] = node
    return node


def from_disk(*paths):
    """The root of a tree with the absolute @paths and all beneath, and the directories to them."""
    links = {}
    root = _node(b"/", links)
    for path in map(os.fsencode, paths):
        node, so_far = root, b""
        for name in filter(None, path.split(b"/")):
            so_far += b"/" + name
            if name not in node.children:
                node.children[name] = _node(so_far, links)
            node = node.children[name]
        todo = [(path, node)]
        while todo:
            path, node = todo.pop()
            for name in os.listdir(path) if node.is_directory else ():
                child = node.children[name] = _node(path + b"/" + name, links)
                todo.append((path + b"/" + name, child))
    return root


def find(root, path):
    node = root
    for name in filter(None, os.fsencode(path).split(b"/")):
        node = node.children[name]
    return node


def _content(node):
    """As snapshot.content() of the file."""
    digest = hashlib.blake2b(b"%d" % node.size, digest_size=16)
    grains = sorted({grain for offset, data in node.runs
                     for grain in range(offset // GRAIN, -(-(offset + len(data)) // GRAIN))})
    for grain in grains:
        data = node.bytes_at(grain * GRAIN, min((grain + 1) * GRAIN, node.size))
        if data != ZEROES[:len(data)]:
            digest.update(b"%d:" % (grain * GRAIN))
            digest.update(data.ljust(GRAIN, b"\0"))
    return digest.hexdigest()


def snapshot(root):
    """What snapshot.take() has of the same tree on disk."""
    out, links, names = {}, {}, collections.Counter(id(node) for _, node in walk(root))
    for path, node in sorted(walk(root), key=lambda item: item[0].split(b"/")):
        entry = out[path] = {"mode": oct(node.mode), "uid": node.uid, "gid": node.gid,
                             "mtime": node.mtime,
                             "xattrs": {os.fsdecode(name): node.xattrs[name]
                                        for name in sorted(node.xattrs)}}
        if node.kind in (stat.S_IFCHR, stat.S_IFBLK):
            entry["device"] = node.device
        elif node.kind == stat.S_IFLNK:
            entry["target"] = node.target
        elif node.kind == stat.S_IFREG:
            entry["size"], entry["content"] = node.size, _content(node)
        if not node.is_directory and names[id(node)] > 1:
            entry["same as"] = links.setdefault(id(node), path)
    return out
