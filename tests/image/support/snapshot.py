# SPDX-License-Identifier: GPL-2.0-or-later
"""
A tree as a value that can be compared: names as bytes, all metadata that must come back, content
with holes read as zeroes. Uses directory file descriptors, so that the depth is not limited.
"""

import collections
import errno
import hashlib
import os
import stat

GRAIN = 1 << 16
ZEROES = bytes(GRAIN)


def content(fd, size):
    """Digest of a file's non-zero grains: holes and zeroes are equal, and are skipped."""
    digest = hashlib.blake2b(b"%d" % size, digest_size=16)
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
            end = os.lseek(fd, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                break
            raise
        at = max(at, start // GRAIN * GRAIN)
        while at < end:
            data = os.pread(fd, GRAIN, at)
            if data != ZEROES[:len(data)]:
                digest.update(b"%d:" % at)
                digest.update(data.ljust(GRAIN, b"\0"))
            at += GRAIN
    return digest.hexdigest()


def data_bytes(path):
    """Bytes of a file that are not in a hole, according to its file system."""
    with open(path, "rb", buffering=0) as file:
        size, at, total = os.fstat(file.fileno()).st_size, 0, 0
        while at < size:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            total += at - start
        return total


def _xattrs(directory, name):
    path = b"/proc/self/fd/%d/%s" % (directory, name)
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            return {}
        raise
    return {key: os.getxattr(path, key, follow_symlinks=False) for key in sorted(names)}


def _entry(directory, name, path, links):
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    kind = stat.S_IFMT(status.st_mode)
    entry = {"mode": oct(status.st_mode), "uid": status.st_uid, "gid": status.st_gid,
             "mtime": status.st_mtime_ns, "xattrs": _xattrs(directory, name)}
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        entry["device"] = (os.major(status.st_rdev), os.minor(status.st_rdev))
    elif kind == stat.S_IFLNK:
        entry["target"] = os.readlink(name, dir_fd=directory)
    elif kind == stat.S_IFREG:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
        try:
            entry["size"] = status.st_size
            entry["content"] = content(fd, status.st_size)
        finally:
            os.close(fd)
    if kind != stat.S_IFDIR and status.st_nlink > 1:
        key = (status.st_dev, status.st_ino)
        entry["same as"] = links.setdefault(key, path)
    return entry


def _walk(directory, prefix, links, out):
    for name in sorted(os.listdir(b"/proc/self/fd/%d" % directory)):
        path = prefix + b"/" + name
        entry = out[path] = _entry(directory, name, path, links)
        if stat.S_ISDIR(int(entry["mode"], 8)):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            try:
                _walk(inner, path, links, out)
            finally:
                os.close(inner)


def take(root):
    """{path beneath root, as bytes: what is there}; b"" is the root itself."""
    root = os.fsencode(root)
    parent, name = os.path.split(os.path.abspath(root))
    out, links = {}, {}
    directory = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        out[b""] = _entry(directory, name, b"", links)
        if stat.S_ISDIR(int(out[b""]["mode"], 8)):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
            try:
                _walk(inner, b"", links, out)
            finally:
                os.close(inner)
    finally:
        os.close(directory)
    # Links whose other names are all outside of the tree do not count.
    names = collections.Counter(entry.get("same as") for entry in out.values())
    for entry in out.values():
        if names[entry.get("same as")] == 1:
            entry.pop("same as", None)
    return out


def differences(before, after, limit=8):
    """Lines that describe how two snapshots differ; empty if they are equal."""
    lines = []
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            lines.append("%r is missing" % path)
        elif path not in before:
            lines.append("%r was not there before" % path)
        else:
            for key in sorted(before[path].keys() | after[path].keys()):
                old, new = before[path].get(key), after[path].get(key)
                if old != new:
                    lines.append("%r: %s was %.200r and is %.200r" % (path, key, old, new))
        if len(lines) >= limit:
            lines.append("...")
            break
    return lines
