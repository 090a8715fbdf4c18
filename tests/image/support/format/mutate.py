# SPDX-License-Identifier: GPL-2.0-or-later
"""Random changes of an index, with digests that are right: both readers must agree on them."""

import os
import random

from .sample import Sample

TRIES = int(os.environ.get("PMEM_PRESERVE_FORMAT_TRIES", "150"))


def _place(rng, sample, used):
    """An offset: mostly where something is."""
    image = sample.image
    at, more = rng.choice((
        lambda: (rng.choice(used), 1), lambda: (rng.choice(list(image.inode_at.values())), 64),
        lambda: (rng.choice(list(image.dirent_at.values()))[0], 12),
        lambda: (rng.choice([*image.table_at.values(), *image.record_at.values()]), 40)))()
    return at + rng.randrange(more)


def mutants(seed, count):
    """Yields (what was changed, bytes of the image)."""
    rng, sample = random.Random(seed), Sample()
    original, index = bytes(sample.data), sample.header("index_offset")
    used = [at for at in range(index, index + sample.sealed[2]) if original[at]]
    for _ in range(count):
        sample.data[:] = original
        changes = []
        for _ in range(rng.choice((1, 1, 1, 2))):
            at = _place(rng, sample, used)
            old = sample.data[at]
            sample.data[at] = rng.choice((0, 1, 255, old ^ 1 << rng.randrange(8), old + 1 & 255))
            changes.append("%d at I + %d, not %d" % (sample.data[at], at - index, old))
        yield ", ".join(changes), sample.bytes()
