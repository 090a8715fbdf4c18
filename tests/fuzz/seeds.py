# SPDX-License-Identifier: GPL-2.0-or-later
"""
Writes the seeds: images of the trees in trees.py, made by $PMEM_PRESERVE, and the malformed ones of
tests/image/corpus. Those that the fuzzer can change go to DIRECTORY/seeds, the others, which it only
reads, to DIRECTORY/large.
"""

import argparse
import pathlib
import struct
import subprocess
import sys

from tests.image.support import program, scratch, sealing
from tests.image.support.imagefile import BLOCK, COPY, HEADER, PHASES, ImageFile

from . import trees

# As in fuzz.h and fuzz-extract.c; for fuzz-read, the lowest two are -l and not --json.
CHOICE_OFFSET = 63
DRY_RUN, AGAIN, OVERWRITE, LINK, FILE = (1 << bit for bit in range(5))
LATE = 5 << 5
CHOICES = {"": 0, "-dry": DRY_RUN, "-again": AGAIN, "-over": AGAIN | OVERWRITE, "-link": LINK,
           "-late-link": LINK | LATE, "-link-over": LINK | LATE | OVERWRITE,
           "-file": FILE | LATE, "-file-over": FILE | LATE | OVERWRITE,
           "-directory-over": LINK | FILE | LATE | OVERWRITE}


def checkpoint(box, fill):
    state, image = box / "state", box / "image"
    state.mkdir()
    paths = fill(state) or [state]
    result = program.run("checkpoint", "--image", image, *paths)
    if result.status != program.DONE:
        raise AssertionError(str(result))
    return image


def write_choices(path, data):
    """Writes the image once for each choice, so that the seeds cover all of them."""
    for name, choice in CHOICES.items():
        data[CHOICE_OFFSET] = choice
        path.with_name(path.name + name).write_bytes(data)
    sealing.reseal("header", [path.with_name(path.name + name) for name in CHOICES])


def write_damaged(path):
    """Writes one with a flipped bit in the data of the first file, and one without its header."""
    data = bytearray(path.read_bytes())
    data[ImageFile(data).header("data_offset")] ^= 1
    path.with_name(path.name + "-damaged").write_bytes(data)
    path.with_name(path.name + "-lost").write_bytes(bytes(4096) + data[4096:])


def write_phases(path):
    """Images that are never restored: one that is incomplete, and one that was restored before."""
    data = bytearray(path.read_bytes())
    for name in ("writing", "restored"):
        place, form = HEADER["phase"]
        struct.pack_into("<" + form, data, place, PHASES[name])
        path.with_name(path.name + "-" + name).write_bytes(data)


def write(directory, fill):
    box = scratch.make()
    try:
        data = bytearray(checkpoint(box, fill).read_bytes())
    except OSError as error:
        print("SKIP the seed %s cannot be made here: %s" % (fill.__name__, error))
        return
    finally:
        scratch.remove(box)
    path = directory / fill.__name__
    write_choices(path, data)
    write_damaged(path)
    if fill is trees.empty:
        write_phases(path)
        path.with_name("short").write_bytes(data[:2000])


def pack(data):
    """An image without the zeroes between its parts, as in pack.c."""
    if len(data) < COPY + BLOCK:
        return data[:BLOCK]
    first = data if any(data[:1024]) else data[COPY:]
    size = struct.unpack_from("<Q", first, HEADER["index_bytes"][0])[0]
    size = size if size % BLOCK == 0 and size < (8 << 20) - COPY - BLOCK else 0
    end = COPY + BLOCK + size
    return data[:BLOCK] + data[COPY:end] + data[(end + (2 << 20) - 1) >> 21 << 21:]


def main():
    parser = argparse.ArgumentParser(prog="seeds", description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--largest", type=int, default=128 << 10,
                        help="bytes of an image that the fuzzer can change")
    arguments = parser.parse_args()
    seeds, large = arguments.directory / "seeds", arguments.directory / "large"
    for directory in (seeds, large):
        directory.mkdir(parents=True, exist_ok=True)
    for fill in trees.SMALL + trees.LARGE:
        write(seeds, fill)
    subprocess.run([sys.executable, "-m", "tests.image.make_corpus", seeds], check=True)
    for path in seeds.iterdir():
        path.write_bytes(pack(path.read_bytes()))
        if path.stat().st_size > arguments.largest:
            path.rename(large / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
