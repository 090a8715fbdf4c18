# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the base images and those of corpus/*.recipes into a directory, as seeds for a fuzzer."""

import argparse
import os
import pathlib
import re
import struct
import sys

from .support import bases, imagefile, recipes, scratch, sealing

HERE = pathlib.Path(__file__).resolve().parent


def write_base(path, base):
    """Writes it with a fixed uuid: the fuzzer derives its choices from that."""
    data = bytearray(base.image.data)
    place, form = imagefile.HEADER["uuid"]
    struct.pack_into(form, data, place, b"")
    path.write_bytes(data)
    sealing.reseal("header", [path])
    return recipes.Base(path.read_bytes(), os.fsdecode(base.state))


def write(directory, stem):
    box = scratch.make()
    try:
        base, _, _ = bases.make(box, getattr(bases, "fill_" + stem))
    finally:
        scratch.remove(box)
    base = write_base(directory / stem, base)
    for name, lines in recipes.read(HERE / "corpus" / (stem + ".recipes")).items():
        path = directory / ("%s-%s" % (stem, re.sub(r"[^a-z0-9]+", "-", name.lower())))
        data, level = recipes.apply(base, lines)
        path.write_bytes(data)
        sealing.reseal(level, [path])


def main():
    parser = argparse.ArgumentParser(prog="make-corpus", description=__doc__)
    parser.add_argument("directory", type=pathlib.Path)
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    for path in sorted((HERE / "corpus").glob("*.recipes")):
        try:
            write(directory, path.stem)
        except OSError as error:
            print("%s: cannot be made here: %s" % (path.stem, error), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
