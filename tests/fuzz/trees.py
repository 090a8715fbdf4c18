# SPDX-License-Identifier: GPL-2.0-or-later
"""
The trees whose images are the seeds: small, so that most mutations change something that matters.
Each function fills a directory; it may return the paths to checkpoint instead of the directory.
"""

import os
import socket
import stat

from tests.image.support import scratch
from tests.image.support.bases import set_if_possible


def empty(state):
    """Nothing but the directory itself."""


def one_file(state):
    (state / "file").write_bytes(b"content\n" * 600)
    return [state / "file"]


def lonely(state):
    """A chain of directories with long names, and one file."""
    path = state
    for _ in range(2):
        path = path / "a-name-with-room-for-another-path"
        path.mkdir()
    (path / "a-name-with-room-for-another-path").write_bytes(b"lonely")


def kinds(state):
    """One inode of each kind, and hard links to some of them."""
    (state / "plain").write_bytes(b"plain\n" * 100)
    (state / "empty").touch()
    (state / "directory").mkdir()
    (state / "link").symlink_to("plain")
    (state / "outside").symlink_to("../../../../outside/file")
    os.mkfifo(state / "fifo")
    # The path of a socket is limited to 107 bytes: it is created elsewhere, and moved.
    here = os.getcwd()
    os.chdir(state)
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind("socket")
    finally:
        os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(state / "character", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.mknod(state / "block", stat.S_IFBLK | 0o4755, os.makedev(259, 1048575))
    for name in ("plain", "link", "fifo"):
        os.link(state / name, state / "directory" / (name + "-too"), follow_symlinks=False)


def sparse(state):
    """Chunk indexes of several sizes, holes at both ends, and a file that is one hole."""
    for name, size, places in (("run", 90000, (4096, 8192, 12288, 45056)), ("tail", 9000, (8192,)),
                               ("large-chunks", 1 << 24, (0, 8192, 1 << 23)), ("hole", 1 << 40, ())):
        with open(state / name, "wb") as file:
            for place in places:
                file.seek(place)
                file.write(name.encode() * 100)
            file.truncate(size)


def attributes(state):
    """Modes, owners and times at their extremes; ACLs and xattrs of each namespace."""
    space = "trusted." if os.geteuid() == 0 else "user."
    (state / "directory").mkdir()
    for number, name in enumerate(("a", "b", "directory", "directory/deeper")):
        path = state / name
        if number < 2:
            path.write_bytes(name.encode() * 50)
        elif number == 3:
            path.mkdir()
        set_if_possible(path, space + "same", b"value" * 10)
        set_if_possible(path, space + "n" * 200, b"")
        set_if_possible(path, "system.posix_acl_access", scratch.SMALL_ACL)
        if path.is_dir():
            set_if_possible(path, "system.posix_acl_default", scratch.OPEN_ACL)
    set_if_possible(state / "a", "security.label", b"\0\1\2")
    if os.geteuid() == 0:
        os.chown(state / "b", 4294967294, 70000)
    os.chmod(state / "b", 0o6751)
    os.chmod(state / "directory", 0o3777)
    os.utime(state / "a", ns=(scratch.BEFORE_1970, scratch.BEFORE_1970))
    os.utime(state / "b", ns=(scratch.AFTER_2106, scratch.AFTER_2106))


def extra_xattrs(state):
    """The table of xattrs that EROFS cannot store."""
    (state / "file").write_bytes(b"file")
    os.setxattr(state / "file", "trusted.larger", b"x" * 65536)


def names(state):
    """Names that are not text, with a newline, and of the maximum length."""
    for name in (b"\xff\xfe", b"new\nline", b"\x1b[31m", b" ", b"...", b"\\", b"n" * 255,
                 "\u00e4\u20ac\U0001f4be".encode()):
        with open(os.fsencode(state) + b"/" + name, "wb"):
            pass
    os.symlink(b"\xed\xa0\x80/\x07", state / "link")
    (state / "long-link").symlink_to("t" * 3000)


def blocks(state):
    """A directory of several blocks, one that just fills its block, and deep ones."""
    for number in range(40):
        os.symlink("x", state / ("%02d" % number + "m" * 250))
    deep = state / "z"
    for _ in range(12):
        deep = deep / "d"
    deep.mkdir(parents=True)


def paths(state):
    """Several paths, one of which is in a directory that is not part of the state."""
    (state / "a" / "in").mkdir(parents=True)
    (state / "b" / "c").mkdir(parents=True)
    (state / "a" / "in" / "file").write_bytes(b"in")
    (state / "b" / "c" / "file").write_bytes(b"c")
    (state / "b" / "not").write_bytes(b"not")
    os.link(state / "a" / "in" / "file", state / "b" / "c" / "linked")
    return [state / "a", state / "b" / "c"]


SMALL = (empty, one_file, lonely, kinds, sparse, attributes, names, blocks, paths)


def segments(state):
    """Data and directories of more than one digest each; a file in two spans of 2 MiB."""
    (state / "first").write_bytes(b"1" * (3 << 19))
    (state / "second").write_bytes(b"2" * (1 << 20))
    for number in range(4000):
        os.symlink("x", state / ("%04d" % number + "m" * 245))


LARGE = (extra_xattrs, segments)
