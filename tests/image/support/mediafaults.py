# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random faults of a medium: each class takes a random generator and the images (see Images), and
returns a Fault.
"""

import dataclasses
import struct

from . import imagefile
from .imagefile import BLOCK, COPY

HEAD = 2 * BLOCK  # header and superblock, and their copy, taken together
LINE = 64  # a cache line: what a processor writes at once; for a drive it is a block
PHASE = imagefile.HEADER["phase"][0]
WRITING = struct.pack("<Q", imagefile.PHASES["writing"])


@dataclasses.dataclass
class Images:
    new: bytes    # the image that counts, written in place over
    old: bytes    # an earlier one of the same size, committed
    begun: bytes  # `old` after only the first header of `new` was written

    @property
    def layout(self):
        return imagefile.ImageFile(self.new)


@dataclasses.dataclass
class Fault:
    data: bytes
    text: str
    unreadable: tuple = ()  # [(start, end)] that end with an I/O error


def head(image):
    return image[:BLOCK] + image[COPY:COPY + BLOCK]


def with_head(image, both):
    return both[:BLOCK] + image[BLOCK:COPY] + both[BLOCK:] + image[COPY + BLOCK:]


def _used(images):
    """The size of the image; the file may be larger."""
    return images.layout.header("image_bytes")


def _interesting(rng, images):
    """A random offset in the image; header, index and their copies as often as the data."""
    parts = images.layout.parts()
    whole = (0, _used(images))
    start, end = rng.choice((whole, parts["data"], parts["data"], (0, imagefile.SUPER + 128),
                             parts["header copy"], parts["index"], parts["index copy"]))
    return rng.randrange(start, end)


def _extent(rng, images, unit=BLOCK):
    """(start, length), in whole units, from one unit to a MiB."""
    start = _interesting(rng, images) // unit * unit
    length = rng.choice((1, 1, 2, 16, 256)) * unit
    return start, min(length, _used(images) - start)


def flipped_bit(rng, images):
    at, bit = _interesting(rng, images), rng.randrange(8)
    data = bytearray(images.new)
    data[at] ^= 1 << bit
    return Fault(bytes(data), "bit %d of byte %d" % (bit, at))


def flipped_bits(rng, images):
    data, places = bytearray(images.new), []
    for _ in range(rng.choice((2, 3, 8, 64))):
        places.append((_interesting(rng, images), rng.randrange(8)))
        data[places[-1][0]] ^= 1 << places[-1][1]
    return Fault(bytes(data), "bits %s" % places)


def _torn(rng, images, unit):
    """The new image written over the old one, up to some unit, or with some units missing."""
    start = _interesting(rng, images) // BLOCK * BLOCK
    length = min(rng.choice((1, 1, 4, 64)) * BLOCK, _used(images) - start)
    units = range(start, start + length, unit)
    if rng.random() < 0.5:
        kept = set(units[:rng.randrange(len(units))])
    else:
        kept = {at for at in units if rng.random() < 0.5}
    data = bytearray(images.new)
    for at in units:
        if at not in kept:
            data[at:at + unit] = images.old[at:at + unit]
    return Fault(bytes(data), "%d of %d units of %d from %d on" % (len(kept), len(units), unit,
                                                                   start))


def torn_blocks(rng, images):
    return _torn(rng, images, BLOCK)


def torn_lines(rng, images):
    return _torn(rng, images, LINE)


def torn_header(rng, images):
    """
    Power was lost while one of the headers was written: over the old image's, over the first one
    with its final form, or with the commit. The payload is as far as it can be by then, or less.
    """
    unit = rng.choice((8, LINE, 512))
    old, begun, new = (head(image) for image in (images.old, images.begun, images.new))
    final = new[:PHASE] + WRITING + new[PHASE + 8:]
    before, after = rng.choice(((old, begun), (begun, final), (final, new), (old, new)))
    header = bytearray(before)
    lost = rng.randrange(HEAD // unit) if rng.random() < 0.5 else None
    for number, at in enumerate(range(0, HEAD, unit)):
        if (number < lost) if lost is not None else rng.random() < 0.5:
            header[at:at + unit] = after[at:at + unit]
    written = rng.choice((HEAD, len(images.new), rng.randrange(HEAD, _used(images))))
    payload = images.new[:written] + images.old[written:]
    return Fault(with_head(payload, bytes(header)),
                 "a header torn at units of %d, the payload up to %d" % (unit, written))


def blanked_extent(rng, images):
    start, length = _extent(rng, images)
    byte = rng.choice((b"\0", b"\0", b"\xff"))
    return Fault(images.new[:start] + byte * length + images.new[start + length:],
                 "%d bytes of %r from %d on" % (length, byte, start))


def swapped_extents(rng, images):
    (one, length), (other, more) = _extent(rng, images), _extent(rng, images)
    length = min(length, more)
    data = bytearray(images.new)
    data[one:one + length] = images.new[other:other + length]
    data[other:other + length] = images.new[one:one + length]
    return Fault(bytes(data[:len(images.new)]), "%d bytes at %d and %d" % (length, one, other))


def stale_blocks(rng, images):
    data, blocks = bytearray(images.new), []
    for _ in range(rng.choice((1, 1, 2, 8, 32))):
        start, length = _extent(rng, images)
        blocks.append((start, length))
        data[start:start + length] = images.old[start:start + length]
    return Fault(bytes(data), "stale: %s" % blocks)


def missing_end(rng, images):
    length = _interesting(rng, images)
    if rng.random() < 0.5:
        length = length // BLOCK * BLOCK
    return Fault(images.new[:length], "cut to %d" % length)


def unreadable_blocks(rng, images):
    ranges = []
    for _ in range(rng.choice((1, 1, 2, 8))):
        start, length = _extent(rng, images)
        ranges.append((start, start + length))
    return Fault(images.new, "I/O errors: %s" % ranges, tuple(ranges))


CLASSES = (flipped_bit, flipped_bits, torn_blocks, torn_lines, torn_header, blanked_extent,
           swapped_extents, stale_blocks, missing_end, unreadable_blocks)
