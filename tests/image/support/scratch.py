# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories to work in, on file systems with the features that a test needs."""

import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

from .program import REPOSITORY


def _candidates():
    disk = REPOSITORY / ".cache"
    try:
        disk.mkdir(exist_ok=True)
    except OSError:
        pass
    places = ["/dev/shm", os.environ.get("TMPDIR", "/tmp"), disk]
    return [str(place) for place in places if os.path.isdir(place) and os.access(place, os.W_OK)]


def acl(*entries):
    """The bytes of a POSIX ACL; an entry is (tag, permissions, id or None)."""
    out = struct.pack("<I", 2)
    for tag, permissions, who in entries:
        out += struct.pack("<HHI", tag, permissions, 0xffffffff if who is None else who)
    return out


ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK, ACL_OTHER = 1, 2, 4, 8, 16, 32
SMALL_ACL = acl((ACL_USER_OBJ, 6, None), (ACL_USER, 4, 1234), (ACL_GROUP_OBJ, 4, None),
                (ACL_GROUP, 6, 70000), (ACL_MASK, 6, None), (ACL_OTHER, 0, None))
OPEN_ACL = acl((ACL_USER_OBJ, 7, None), (ACL_USER, 5, 1234), (ACL_GROUP_OBJ, 5, None),
               (ACL_MASK, 7, None), (ACL_OTHER, 5, None))


def _set(name, value):
    def probe(path):
        os.setxattr(path, name, value)
    return probe


def _time(nanoseconds):
    def probe(path):
        os.utime(path, ns=(nanoseconds, nanoseconds))
        if os.stat(path).st_mtime_ns != nanoseconds:
            raise OSError("times are clamped")
    return probe


def _holes(path):
    with open(path, "r+b") as file:
        file.truncate(1 << 40)
        if os.lseek(file.fileno(), 0, os.SEEK_HOLE) != 0:
            raise OSError("no holes")


BEFORE_1970 = -86400 * 365 * 30 * 10**9 + 123456789
AFTER_2106 = 86400 * 365 * 150 * 10**9 + 987654321

PROBES = {
    "user xattrs": _set("user.probe", b"x"),
    "trusted xattrs": _set("trusted.probe", b"x"),
    "security xattrs": _set("security.probe", b"x"),
    "64 KiB xattrs": _set("trusted.probe", b"x" * 65536),
    "ACLs": _set("system.posix_acl_access", SMALL_ACL),
    "1 TiB sparse files": _holes,
    "times before 1970": _time(BEFORE_1970),
    "times after 2106": _time(AFTER_2106),
}


def _has(place, need):
    handle, path = tempfile.mkstemp(dir=place, prefix="pmem-preserve-probe-")
    os.close(handle)
    try:
        PROBES[need](path)
        return True
    except OSError:
        return False
    finally:
        os.unlink(path)


def make(*needs):
    """A new directory; the caller removes it with remove()."""
    for place in _candidates():
        if all(_has(place, need) for need in needs):
            path = tempfile.mkdtemp(dir=place, prefix="pmem-preserve-")
            os.chmod(path, 0o755)
            return pathlib.Path(os.path.realpath(path))
    raise unittest.SkipTest("no directory here has a file system with " + ", ".join(needs)
                            if needs else "no directory here is writable")


def remove(path):
    # For users other than root, directories without permissions.
    if os.geteuid() != 0:
        subprocess.run(["chmod", "-R", "u+rwX", "--", path], check=False,
                       stderr=subprocess.DEVNULL)
    # shutil recurses, which limits the depth, and would empty what is mounted there.
    subprocess.run(["rm", "-rf", "--one-file-system", "--", path], check=False,
                   stderr=subprocess.DEVNULL)
