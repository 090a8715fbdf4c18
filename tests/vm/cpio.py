# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes an initramfs archive (cpio, "newc"), with device nodes, without being root."""

import stat


class Archive:
    """Files by their path in the guest; save() writes them, parents first."""

    def __init__(self):
        self._members = {}

    def __contains__(self, path):
        return path.strip("/") in self._members

    def directory(self, path, mode=0o755):
        self._add(path, stat.S_IFDIR | mode, b"")

    def file(self, path, data, mode=0o644):
        self._add(path, stat.S_IFREG | mode, data)

    def copy(self, path, source, mode=None):
        self.file(path, source.read_bytes(),
                  mode if mode is not None else source.stat().st_mode & 0o777)

    def symlink(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor, mode=0o600):
        self._add(path, stat.S_IFCHR | mode, b"", (major, minor))

    def _add(self, path, mode, data, device=(0, 0)):
        path = path.strip("/")
        parent = path.rpartition("/")[0]
        if parent and parent not in self._members:
            self.directory(parent)
        self._members[path] = (mode, data, device)

    def save(self, target):
        with open(target, "wb") as out:
            for inode, (path, member) in enumerate(self._members.items(), start=1):
                out.write(_record(inode, path, *member))
            out.write(_record(0, "TRAILER!!!", 0, b"", (0, 0)))


def _record(inode, path, mode, data, device):
    """Header: magic, then 13 numbers of 8 hex digits; name and data are padded to 4 bytes."""
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    numbers = (inode, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % number for number in numbers)
    return _padded(header + name) + _padded(data)


def _padded(data):
    return data + bytes(-len(data) % 4)
