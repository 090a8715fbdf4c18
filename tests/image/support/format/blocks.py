# SPDX-License-Identifier: GPL-2.0-or-later
"""An image as blocks that are checked before they are used."""

import hmac

from . import layout
from .claims import BadImage, require
from .digest import Digests, header_digest, xxh3_128
from .layout import BLOCK, COPY, HEADER, INDEX_COPY, SUPER, SUPERBLOCK


def _text(field, name):
    require(field[-1] == 0 and not field.rstrip(b"\0").count(0),
            "%s does not end with NUL, or something follows it", name)


class Blocks:
    """@data: all bytes of the file or device. @store_bytes: of the device; 0: a regular file."""

    def __init__(self, data, secret=None, store_bytes=0):
        self.data = bytes(data)
        self.header = self._check_header(secret, store_bytes)
        self.index, self.start = self.header["index_offset"], self.header["data_offset"]
        self.described = self.header["inodes_bytes"] + self.header["tables_bytes"]
        self.leaves = self._check_tree()
        self._check_superblock()

    def _check_header(self, secret, store_bytes):
        data = self.data
        require(len(data) >= HEADER.size, "shorter than a header")
        header = HEADER.all(data, 0)
        require(header["magic"] == layout.MAGIC, "no magic")
        require(header["header_digest"] == header_digest(data), "the digest of the header")
        require(header["version"] == 3, "version %d", header["version"])
        require(header["feature_incompat"] == 0, "feature_incompat has %#x",
                header["feature_incompat"])
        require(header["header_bytes"] == 1024, "header_bytes is %d", header["header_bytes"])
        require(header["seal"] in (0, 1), "seal is %d", header["seal"])
        require(header["seal"] == (secret is not None), "keyed images need a key, and no others")
        self.digests = Digests(secret, header["uuid"])
        require(hmac.compare_digest(header["header_mac"], self.digests.header_mac(data)),
                "header_mac")
        require(not any(header["reserved"]), "reserved bytes of the header")
        _text(header["hostname"], "hostname")
        _text(header["kernel"], "kernel")
        require(store_bytes in (0, header["store_bytes"]), "store_bytes is %d",
                header["store_bytes"])
        require(header["phase"] in (layout.COMMITTED, layout.RESTORED), "phase %#x",
                header["phase"])
        self.timeline_is_valid = xxh3_128(header["timeline"]) == header["timeline_digest"]
        self._check_places(header)
        require(1 <= header["generation"] < 1 << 63, "generation")
        require(header["files"] < 1 << 32, "files")
        return header

    def _check_places(self, header):
        inodes, tables = header["inodes_bytes"], header["tables_bytes"]
        for name in ("inodes_bytes", "tables_bytes", "digests_bytes"):
            require(header[name] and header[name] % BLOCK == 0, "%s is %d", name, header[name])
        # Before anything is computed from them.
        require(header["image_bytes"] < (2**32 - 1) * BLOCK, "image_bytes is too large")
        require(max(inodes, tables) <= header["image_bytes"], "larger than the image")
        data = header["index_offset"] - header["data_offset"]
        require(data >= layout.LEAST_DATA and data % BLOCK == 0, "the data area has %d bytes", data)
        for name, value in layout.places(inodes, tables, data).items():
            require(header[name] == value, "%s is %d, and must be %d", name, header[name], value)
        require(not header["store_bytes"] or header["image_bytes"] <= header["store_bytes"],
                "image_bytes is more than the device has")
        require(1 <= header["table_count"] <= tables // 32, "table_count is %d",
                header["table_count"])
        require(header["image_bytes"] <= len(self.data), "the image is cut off")

    def _is(self, digest, number, block):
        return hmac.compare_digest(digest, self.digests.block(number, block))

    def _good_index(self, number, digest):
        """Block @number of the index, from whichever place it is good at."""
        at = number * BLOCK
        for place in (at, at - self.index + INDEX_COPY):
            block = self.data[place:place + BLOCK]
            if len(block) == BLOCK and self._is(digest, number, block):
                return block
        raise BadImage("block %d of the index is bad in both copies" % number)

    def _check_tree(self):
        """The leaves, from the top down."""
        count = (self.index - self.start + self.described) // BLOCK
        sizes = layout.digest_levels(count)
        end = self.index + self.described + sum(sizes)
        expected = self.header["root_digest"]
        for level in range(len(sizes) - 1, -1, -1):
            start = end - sizes[level]
            blocks = [self._good_index(start // BLOCK + i, expected[16 * i:16 * i + 16])
                      for i in range(sizes[level] // BLOCK)]
            below = sizes[level - 1] // BLOCK if level else count
            expected, end = b"".join(blocks), start
            require(not any(expected[16 * below:]), "what is left of level %d", level)
        return expected

    def _check_superblock(self):
        data, header = self.data, self.header
        require(self.digests.block(0, data[SUPER:BLOCK]) == header["super_digest"], "super_digest")
        require(not any(data[SUPER + SUPERBLOCK.size:BLOCK]), "what is behind the superblock")
        fields = SUPERBLOCK.all(data, SUPER)
        self.inos, self.incompat = fields.pop("inos"), fields.pop("feature_incompat")
        for name, value in {
                "magic": 0xe0f5e1e2, "checksum": 0, "feature_compat": 2, "blkszbits": 12,
                "sb_extslots": 0, "root_nid": 2, "build_time": header["created_ns"] // 10**9,
                "build_time_nsec": header["created_ns"] % 10**9, "xattr_blkaddr": 0,
                "blocks": header["image_bytes"] // BLOCK, "meta_blkaddr": self.index // BLOCK,
                "uuid": header["uuid"], "volume_name": b"pmem-preserve\0\0\0",
                "rest": bytes(44)}.items():
            require(fields[name] == value, "%s of the superblock is %r", name, fields[name])

    def leaf(self, number):
        place = number - self.start // BLOCK
        return self.leaves[16 * place:16 * place + 16]

    def described_bytes(self):
        """Inodes and tables."""
        first = self.index // BLOCK
        return b"".join(self._good_index(number, self.leaf(number))
                        for number in range(first, first + self.described // BLOCK))

    def block(self, number):
        """A block of the data area."""
        block = self.data[number * BLOCK:(number + 1) * BLOCK]
        require(self._is(self.leaf(number), number, block),
                "block %d of the data is bad", number)
        return block

    def verify(self):
        """Every byte up to the end, but for the gaps in the data area."""
        data, index_bytes = self.data, self.header["index_bytes"]
        require(HEADER.get(data, COPY, "magic") == layout.COPY_MAGIC, "the magic of the copy")
        for name in HEADER.fields:
            if name not in ("magic", "phase", "timeline", "timeline_digest"):
                require(HEADER.get(data, 0, name) == HEADER.get(data, COPY, name),
                        "%s of the copy of the first block", name)
        require(data[SUPER:BLOCK] == data[COPY + SUPER:COPY + BLOCK], "the copied superblock")
        require(HEADER.get(data, COPY, "phase") == layout.WRITING, "the phase of the copy")
        require(data[self.index:self.index + index_bytes] ==
                data[INDEX_COPY:INDEX_COPY + index_bytes], "the copy of the index")
        require(not any(data[BLOCK:COPY]), "what is between the first block and its copy")
        require(not any(data[INDEX_COPY + index_bytes:self.start]), "what is before the data area")
        for number in range(self.start // BLOCK, self.index // BLOCK):
            self.block(number)
        for number in range(self.index // BLOCK, (self.index + self.described) // BLOCK):
            require(self.digests.block(number, data[number * BLOCK:(number + 1) * BLOCK]) ==
                    self.leaf(number), "block %d of the index", number)
