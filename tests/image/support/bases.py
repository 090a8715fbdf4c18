# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees of the malformed images: small, and with one of everything."""

import os
import stat
import struct

from . import imagefile, program, scratch, sealing
from .recipes import Base

UNSAVED = ((13, b"/no/way"), (2, b"missing"))


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
        set_if_possible(path, space + "one", b"value one1")
        set_if_possible(path, space + "two", b"value two2")
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


def unsaved_table(records):
    out = b""
    for error, path in records:
        record = struct.pack("<II", error, len(path)) + path
        out += record + bytes(-len(record) % 8)
    return out


def add_tables(data, tables, **header):
    """The image with more tables, {type: (flags, content)}, as far as they fit into its block."""
    image = imagefile.ImageFile(data)
    data, count = bytearray(data), image.header("table_count")
    tables = dict(tables)
    for number in range(count):
        record = image.table_record(number)
        kind, flags, _, _, _ = struct.unpack_from("<IIQQQ", data, record)
        start, end = image.table(kind)
        tables[kind] = flags, bytes(data[start:end])
    records, content = b"", b""
    first = image.header("inodes_bytes") + 32 * len(tables)
    for kind, (flags, table) in sorted(tables.items()):
        records += struct.pack("<IIQQQ", kind, flags, first + len(content), len(table), 0)
        content += table + bytes(-len(table) % 8)
    area, size = image.table_record(0), image.header("tables_bytes")
    data[area:area + size] = (records + content).ljust(size, b"\0")
    assert len(records + content) <= size
    for name, value in {"table_count": len(tables), **header}.items():
        offset, form = imagefile.HEADER[name]
        struct.pack_into("<" + form, data, offset, value)
    return bytes(data)


def add_marks(image):
    """As if one file had changed while it was saved, and two paths could not be saved."""
    layout = imagefile.ImageFile(image.read_bytes())
    marks = bytearray((layout.header("files") + 63) // 64 * 8)
    path = next(path for path in layout.files() if path.endswith("/second"))
    ino = layout.get(layout.find(os.fsencode(path))[0], imagefile.INODE, "ino") - 1
    marks[ino // 8] |= 1 << ino % 8
    tables = {imagefile.MARKS: (0, bytes(marks)),
              imagefile.UNSAVEDS: (0, unsaved_table(UNSAVED))}
    image.write_bytes(add_tables(layout.data, tables, marked=1, unsaved=len(UNSAVED)))
    sealing.reseal("all", [image])


def make(directory, fill):
    """Makes a tree by @fill; returns (Base, path of the state, path of its image)."""
    state, image = directory / "state", directory / "image"
    state.mkdir(parents=True)
    fill(state)
    result = program.run("checkpoint", "--image", image, state)
    if result.status != program.DONE:
        raise AssertionError(str(result))
    if fill is fill_small:
        add_marks(image)
    return Base(image.read_bytes(), state), state, image
