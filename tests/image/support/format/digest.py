# SPDX-License-Identifier: GPL-2.0-or-later
"""Digests and MACs of blocks and of the header, and sealing an image with them."""

import ctypes
import hashlib
import hmac

from .layout import (BLOCK, COMMITTED, COPY, COPY_MAGIC, HEADER, INDEX_COPY, MAGIC, SUPER, WRITING,
                     digest_levels)


class _Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


# The shared objects that the program needs, too.
_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH3_128bits.restype = _Hash128
_xxhash.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_crypto = ctypes.CDLL("libcrypto.so.3")
for _name in ("EVP_CIPHER_CTX_new", "EVP_chacha20"):
    getattr(_crypto, _name).restype = ctypes.c_void_p
_crypto.EVP_EncryptInit_ex.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_char_p] * 2
_crypto.EVP_EncryptUpdate.argtypes = [ctypes.c_void_p, ctypes.c_char_p,
                                      ctypes.POINTER(ctypes.c_int), ctypes.c_char_p, ctypes.c_int]
_crypto.EVP_CIPHER_CTX_free.argtypes = [ctypes.c_void_p]


def xxh3_128(data):
    """The canonical form, which is big endian."""
    out = _xxhash.XXH3_128bits(bytes(data), len(data))
    return (out.high << 64 | out.low).to_bytes(16, "big")


def chacha20(key, counter, length):
    """@length bytes of the key stream of RFC 8439 from 64 * @counter on, with a nonce of zeroes."""
    out, done = ctypes.create_string_buffer(length), ctypes.c_int()
    context = _crypto.EVP_CIPHER_CTX_new()
    good = _crypto.EVP_EncryptInit_ex(context, _crypto.EVP_chacha20(), None, key,
                                      counter.to_bytes(4, "little") + bytes(12))
    good = good and _crypto.EVP_EncryptUpdate(context, out, done, bytes(length), length)
    _crypto.EVP_CIPHER_CTX_free(context)
    if not good or done.value != length:
        raise OSError("libcrypto has no ChaCha20")
    return out.raw


def poly1305(key, data):
    """The tag of RFC 8439, 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for at in range(0, len(data), 16):
        part = data[at:at + 16] + b"\1"
        total = (total + int.from_bytes(part, "little")) * r % ((1 << 130) - 5)
    return (total + int.from_bytes(key[16:32], "little") & (1 << 128) - 1).to_bytes(16, "little")


def derive(secret, salt, purpose):
    """HKDF-SHA-256 (RFC 5869), 32 bytes."""
    middle = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(middle, purpose + b"\1", hashlib.sha256)


class Digests:
    """Of blocks: XXH3-128 without a @secret, MACs with one."""

    def __init__(self, secret=None, uuid=None):
        self.keyed = secret is not None
        if self.keyed:
            self._blocks = derive(secret, uuid, b"pmem-preserve blocks")
            self._header = derive(secret, uuid, b"pmem-preserve header")

    def block(self, number, data):
        """Of block @number of the image."""
        if not self.keyed:
            return xxh3_128(data)
        keys = chacha20(self._blocks, number // 2, 64)
        return poly1305(keys[32 * (number % 2):], bytes(data))

    def header_mac(self, header):
        if not self.keyed:
            return bytes(16)
        data = _zeroed(header, "header_mac", "header_digest")
        return hmac.digest(self._header, bytes(data), hashlib.sha256)[:16]


def _zeroed(header, *names):
    out = bytearray(header[:HEADER.size])
    HEADER.put(out, 0, "magic", MAGIC)
    for name in ("phase", "timeline", "timeline_digest", *names):
        offset, form = HEADER.fields[name]
        length = 8 if form == "Q" else int(form[:-1])
        out[offset:offset + length] = bytes(length)
    return out


def header_digest(header):
    """The same for the header and its copy."""
    return xxh3_128(_zeroed(header, "header_digest"))


def tree(digests, data, start, end):
    """The blocks of digests of what lies from @start to @end, and the digest of their top."""
    number, level = start // BLOCK, data[start:end]
    out, place = b"", end // BLOCK
    for size in digest_levels(len(level) // BLOCK):
        level = b"".join(digests.block(number + i, level[i * BLOCK:(i + 1) * BLOCK])
                         for i in range(len(level) // BLOCK)).ljust(size, b"\0")
        number = place
        place += size // BLOCK
        out += level
    return out, digests.block(number, level)


def seal_header(data, secret=None, phase=COMMITTED):
    """The digests of header and timeline, the MAC, and the copy of the first block."""
    digests = Digests(secret, HEADER.get(data, 0, "uuid"))
    HEADER.put(data, 0, "phase", phase)
    HEADER.put(data, 0, "timeline_digest", xxh3_128(HEADER.get(data, 0, "timeline")))
    HEADER.put(data, 0, "header_mac", digests.header_mac(data))
    HEADER.put(data, 0, "header_digest", header_digest(data))
    data[COPY:COPY + BLOCK] = data[:BLOCK]
    HEADER.put(data, COPY, "magic", COPY_MAGIC)
    HEADER.put(data, COPY, "phase", WRITING)


def seal(data, secret=None, phase=COMMITTED, index=None):
    """
    All digests, MACs and copies of the image in the bytearray @data, whatever it says. @index is
    (offset of the index, of the data, bytes of inodes and tables), by default as in the header.
    """
    digests = Digests(secret, HEADER.get(data, 0, "uuid"))
    start, data_start, described = index or (
        HEADER.get(data, 0, "index_offset"), HEADER.get(data, 0, "data_offset"),
        HEADER.get(data, 0, "inodes_bytes") + HEADER.get(data, 0, "tables_bytes"))
    blocks, root = tree(digests, bytes(data), data_start, start + described)
    data[start + described:start + described + len(blocks)] = blocks
    whole = data[start:start + described + len(blocks)]
    data[INDEX_COPY:INDEX_COPY + len(whole)] = whole
    HEADER.put(data, 0, "root_digest", root)
    HEADER.put(data, 0, "super_digest", digests.block(0, data[SUPER:BLOCK]))
    seal_header(data, secret, phase)
