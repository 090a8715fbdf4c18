# SPDX-License-Identifier: GPL-2.0-or-later
"""The structures of an image, and where its parts lie."""

import struct

BLOCK = 4096
MIB = 1 << 20
COPY = MIB + 4096
INDEX_COPY = MIB + 8192
SUPER = 1024
MAGIC, COPY_MAGIC = b"pmem-preserve\r\n\x1a", b"pmem-preserve\r\n\x1b"
WRITING, COMMITTED, RESTORED = 0x5752495449e74e47, 0xa4d3b2ab961ab1b8, 0x3c5a6996c3a5c33c
PLAIN, INLINE, CHUNKS = 0, 2, 4
HOLE = 0xffffffff
PATHS, EXTRA, MARKS, UNSAVED = 1, 2, 3, 4
INCOMPATIBLE = 1
MAX_XATTR_ENTRIES = 262136
LEAST_DATA = 3 * BLOCK

PREFIXES = {1: b"user.", 2: b"system.posix_acl_access", 3: b"system.posix_acl_default",
            4: b"trusted.", 6: b"security."}


def up(number, unit):
    return -(-number // unit) * unit


class Structure:
    """Named fields at fixed offsets: {name: (offset, format)}."""

    def __init__(self, size, **fields):
        self.size, self.fields = size, fields

    def get(self, data, at, name):
        offset, form = self.fields[name]
        return struct.unpack_from("<" + form, data, at + offset)[0]

    def put(self, data, at, name, value):
        offset, form = self.fields[name]
        struct.pack_into("<" + form, data, at + offset, value)

    def all(self, data, at):
        return {name: self.get(data, at, name) for name in self.fields}

    def pack(self, **values):
        out = bytearray(self.size)
        for name, value in values.items():
            self.put(out, 0, name, value)
        return out


HEADER = Structure(
    1024, magic=(0, "16s"), phase=(16, "Q"), version=(24, "I"), header_bytes=(28, "I"),
    feature_compat=(32, "I"), feature_ro_compat=(36, "I"), feature_incompat=(40, "I"),
    seal=(44, "I"), uuid=(48, "16s"), generation=(64, "Q"), store_bytes=(72, "Q"),
    image_bytes=(80, "Q"), data_offset=(88, "Q"), index_offset=(96, "Q"), index_bytes=(104, "Q"),
    index_copy_offset=(112, "Q"), inodes_bytes=(120, "Q"), tables_bytes=(128, "Q"),
    table_count=(136, "Q"), digests_bytes=(144, "Q"), files=(152, "Q"), file_bytes=(160, "Q"),
    marked=(168, "Q"), unsaved=(176, "Q"), created_ns=(184, "Q"), hostname=(192, "64s"),
    kernel=(256, "64s"), root_digest=(320, "16s"), super_digest=(336, "16s"),
    header_mac=(352, "16s"), reserved=(368, "496s"), timeline=(864, "128s"),
    timeline_digest=(992, "16s"), header_digest=(1008, "16s"))

SUPERBLOCK = Structure(
    128, magic=(0, "I"), checksum=(4, "I"), feature_compat=(8, "I"), blkszbits=(12, "B"),
    sb_extslots=(13, "B"), root_nid=(14, "H"), inos=(16, "Q"), build_time=(24, "Q"),
    build_time_nsec=(32, "I"), blocks=(36, "I"), meta_blkaddr=(40, "I"), xattr_blkaddr=(44, "I"),
    uuid=(48, "16s"), volume_name=(64, "16s"), feature_incompat=(80, "I"), rest=(84, "44s"))

INODE = Structure(
    64, i_format=(0, "H"), i_xattr_icount=(2, "H"), i_mode=(4, "H"), reserved=(6, "H"),
    i_size=(8, "Q"), i_u=(16, "I"), i_ino=(20, "I"), i_uid=(24, "I"), i_gid=(28, "I"),
    i_mtime=(32, "q"), i_mtime_nsec=(40, "I"), i_nlink=(44, "I"), reserved2=(48, "16s"))

DIRENT = Structure(12, nid=(0, "Q"), nameoff=(8, "H"), file_type=(10, "B"), reserved=(11, "B"))
XATTR = Structure(4, name_len=(0, "B"), prefix=(1, "B"), value_len=(2, "H"))
TABLE = Structure(32, type=(0, "I"), flags=(4, "I"), offset=(8, "Q"), length=(16, "Q"),
                  reserved=(24, "Q"))
EXTRA_RECORD = Structure(16, nid=(0, "Q"), value_len=(8, "I"), name_len=(12, "I"))
UNSAVED_RECORD = Structure(8, reason=(0, "I"), path_len=(4, "I"))


def digest_levels(leaves):
    """Bytes of each level of the digests, the leaves first."""
    levels = []
    while True:
        blocks = -(-leaves // 256)
        levels.append(blocks * BLOCK)
        if blocks == 1:
            return levels
        leaves = blocks


def places(inodes, tables, data):
    """The fields of the header that follow from A, B and P."""
    leaves = (data + inodes + tables) // BLOCK
    digests = sum(digest_levels(leaves))
    index = inodes + tables + digests
    start = up(MIB + 8192 + index, 2 * MIB)
    return {"digests_bytes": digests, "index_bytes": index, "data_offset": start,
            "index_offset": start + data, "image_bytes": start + data + index,
            "index_copy_offset": INDEX_COPY, "inodes_bytes": inodes, "tables_bytes": tables}


def encode_device(major, minor):
    return minor & 0xff | major << 8 | (minor & ~0xff) << 12


def decode_device(number):
    return number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00
