# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees of the malformed images: small, and with one of everything."""

import os
import stat

from . import program, scratch
from .recipes import Base


def set_if_possible(path, name, value):
    """Sets an xattr, if file system and user permit it; otherwise the image lacks it."""
    try:
        os.setxattr(path, name, value)
    except OSError:
        pass


def fill_small(state):
    (state / "plain").write_bytes(b"plain file\n" * 500)
    (state / "second").write_bytes(b"second file\n" * 100)
    (state / "empty").touch()
    with open(state / "sparse", "wb") as file:
        for offset in (0, 40960, 81920):
            file.seek(offset)
            file.write(b"%d" % offset * 500)
        file.truncate(200000)
    with open(state / "hole", "wb") as file:
        file.truncate(50000)
    os.link(state / "plain", state / "plain-linked")
    (state / "link").symlink_to("target")
    (state / "long-link").symlink_to("t" * 4090)
    os.mkfifo(state / "fifo")
    (state / "directory" / "deeper").mkdir(parents=True)
    (state / "directory" / "inner").write_text("inner")
    (state / "directory" / "deeper" / "bottom").write_text("bottom")
    (state / "many").mkdir()
    for number in range(24):
        os.link(state / "empty", state / "many" / ("%02d" % number + "m" * 240))
    space = "trusted." if os.geteuid() == 0 else "user."
    for path in (state / "plain", state / "directory"):
        set_if_possible(path, space + "one", b"value one")
        set_if_possible(path, space + "two", b"")
        set_if_possible(path, "system.posix_acl_access", scratch.OPEN_ACL)
    if os.geteuid() == 0:
        os.mknod(state / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))


def fill_extra(state):
    for name in ("one", "two"):
        (state / name).write_text(name)
        set_if_possible(state / name, "trusted.large", name.encode() * 21845)
        os.setxattr(state / name, "trusted.larger", name[:1].encode() * 65536)


def fill_segments(state):
    """Data, directories and digests in different MiB."""
    (state / "first").write_bytes(bytes(range(1, 256)) * 5000)
    (state / "second").write_bytes(b"second" * 500000)
    (state / "small").write_bytes(b"small" * 100)


def make(directory, fill):
    """Makes a tree by @fill; returns (Base, path of the state, path of its image)."""
    state, image = directory / "state", directory / "image"
    state.mkdir(parents=True)
    fill(state)
    result = program.run("checkpoint", "--image", image, state)
    if result.status != program.DONE:
        raise AssertionError(str(result))
    return Base(image.read_bytes(), state), state, image
