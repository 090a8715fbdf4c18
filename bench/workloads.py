# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees that are saved and restored, created in a directory, the same each time."""

import os
import pathlib
import random
import shutil

MIB = 1 << 20
OWNER, MODE = 1000, 0o640  # as in bench/limit.c
FILES_IN_DIRECTORY = 100
SMALL_MEAN = 8192  # 100,000 of them: about 800 MiB
SMALL_SIGMA = 1.0


def own(fd):
    os.fchown(fd, OWNER, OWNER)
    os.fchmod(fd, MODE)


def big(root, mib=2048, files=8):
    """The state of a database: a few large files."""
    block = os.urandom(8 * MIB)
    for i in range(files):
        with open(root / f"segment.{i}", "wb") as file:
            own(file.fileno())
            for _ in range(mib // files // 8):
                file.write(block)


def huge(root, mib=4096):
    """The memory of one guest."""
    big(root, mib, 1)


def small(root, count=100_000):
    """Caches and queues: many files, a few of them large."""
    # The median of a log-normal distribution lies below its mean.
    generator = random.Random(1)
    data = os.urandom(4 * MIB)
    median = SMALL_MEAN / 2.718281828 ** (SMALL_SIGMA ** 2 / 2)
    for i in range(count):
        if i % FILES_IN_DIRECTORY == 0:
            directory = root / f"{i // 10_000:02}" / f"{i // FILES_IN_DIRECTORY:04}"
            directory.mkdir(parents=True)
            fd = os.open(directory, os.O_RDONLY)
        size = min(int(median * generator.lognormvariate(0, SMALL_SIGMA)), len(data))
        start = generator.randrange(len(data) - size + 1)
        file = os.open(f"entry-{i:06}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=fd)
        own(file)
        os.write(file, data[start:start + size])
        os.close(file)
        if i % FILES_IN_DIRECTORY == FILES_IN_DIRECTORY - 1:
            os.close(fd)


def mixed(root):
    """A real tree: directories, links, files of all sizes."""
    for source in ("/usr/share", "/usr/lib/python3"):
        if pathlib.Path(source).is_dir():
            shutil.copytree(source, root / source.lstrip("/"), symlinks=True,
                            ignore_dangling_symlinks=True)


def sparse(root, mib=2048, files=4):
    """Disk images: one megabyte in eight is data."""
    block = os.urandom(MIB)
    for i in range(files):
        with open(root / f"disk.{i}", "wb") as file:
            own(file.fileno())
            for at in range(0, mib // files, 8):
                file.seek(at * MIB)
                file.write(block)
            file.truncate(mib // files * MIB)


def describe(root):
    """(files, bytes) beneath root."""
    files = total = 0
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.path.isfile(path):
                files += 1
                total += os.stat(path).st_size
    return files, total


def write_list(root, path):
    """Writes the list that bench/limit.c reads; returns how many bytes its store needs."""
    offset = 0
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as output:
        for directory, directories, names in os.walk(root):
            relative = os.path.relpath(directory, root)
            directories.sort()
            for name in directories:
                kind = "l" if os.path.islink(os.path.join(directory, name)) else "d"
                print(kind, os.path.join(relative, name), file=output)
            for name in sorted(names):
                full = os.path.join(directory, name)
                if os.path.islink(full):
                    print("l", os.path.join(relative, name), file=output)
                    continue
                size = os.stat(full).st_size
                print("f", size, offset, os.path.join(relative, name), file=output)
                offset += (size + 4095) // 4096 * 4096
    return max(offset, 4096)
