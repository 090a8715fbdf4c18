# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that are measured: each saves a tree and restores it."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from . import workloads

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = REPOSITORY / "build" / "pmem-preserve"
LIMIT = REPOSITORY / "build" / "limit"
MIB = 1 << 20


def check():
    for path in (PROGRAM, LIMIT):
        if not path.exists():
            sys.exit(f"{path} is not built: make bench")
    for tool in ("tar", "rsync", "mkfs.erofs"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is not installed: scripts/dependencies.sh bench")


class Scratch:
    """Three tmpfs: with small pages, with huge pages where they fit, and one as a device."""

    def __init__(self, threads):
        self.threads = str(threads)

    def __enter__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="pmem-preserve-bench-"))
        for name, options in (("plain", "huge=never"), ("huge", "huge=within_size"),
                              ("memory", "huge=always")):
            (self.top / name).mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},size=90%", "none",
                            self.top / name], check=True)
        self.plain, self.huge = self.top / "plain", self.top / "huge"
        self.state, self.list = self.plain / "state", self.plain / "list"
        self.device = self.top / "memory" / "device"
        self.keyed_device = self.top / "memory" / "keyed"
        self.state.mkdir()
        return self

    def __exit__(self, *_):
        for name in ("plain", "huge", "memory"):
            subprocess.run(["umount", "-l", self.top / name], check=True)
        shutil.rmtree(self.top)

    def prepare(self, devices):
        """Allocates the memory of the devices: real ones have theirs already."""
        size = workloads.write_list(self.state, self.list)
        files, _ = workloads.describe(self.state)
        size += files * 512 + 64 * MIB
        zeroes = bytes(2 * MIB)
        for device in devices:
            with open(device, "wb") as file:
                for _ in range(-(-size // len(zeroes))):
                    file.write(zeroes)

    def keyed_config(self):
        """A configuration with a key."""
        key, config = self.plain / "key", self.plain / "config"
        if not config.exists():
            key.touch(0o600)
            key.write_bytes(os.urandom(32))
            config.write_text(f"key-file = {key}\ncounter-file = {self.plain / 'counter'}\n")
        return config

    def out(self, place):
        path = place / "out"
        path.mkdir()
        return path

    def remove(self, path):
        subprocess.run(["rm", "-rf", path], check=True)


def timed(*command):
    """(seconds, peak KiB).

    time(1) stands between: a process counts the peak of the one that started it as its own, and
    this one is larger than what it measures.
    """
    with open(os.devnull, "r+b") as null, tempfile.TemporaryFile() as messages, \
            tempfile.NamedTemporaryFile() as peak:
        arguments = ["time", "-q", "-f", "%M", "-o", peak.name,
                     *(os.fspath(word) for word in command)]
        actions = [(os.POSIX_SPAWN_DUP2, null.fileno(), 0),
                   (os.POSIX_SPAWN_DUP2, null.fileno(), 1),
                   (os.POSIX_SPAWN_DUP2, messages.fileno(), 2)]
        before = time.perf_counter()
        pid = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        seconds = time.perf_counter() - before
        if status:
            messages.seek(0)
            sys.exit(f"{' '.join(arguments)}: {messages.read().decode()}")
        return seconds, int(peak.read())


class Contestant:
    """save() and restore() return the command for it; restore() returns None if there is none."""
    name = None

    def save(self, scratch):
        raise NotImplementedError

    def restore(self, scratch, out):
        return None

    def forget(self, scratch):
        """Removes what save() has created."""


class Ours(Contestant):
    name = "ours"

    def save(self, scratch):
        return (PROGRAM, "--quiet", "checkpoint", "--threads", scratch.threads, "--in-place",
                "--replace", "--image", scratch.device, scratch.state)

    def restore(self, scratch, out):
        return (PROGRAM, "--quiet", "restore", "--threads", scratch.threads, "--image",
                scratch.device, "--keep", "--into", out)


class OursKeyed(Contestant):
    """The same with MACs instead of digests, in a device of its own."""
    name = "ours, keyed"

    def save(self, scratch):
        return (PROGRAM, "--config", scratch.keyed_config(), "--quiet", "checkpoint", "--threads",
                scratch.threads, "--in-place", "--replace", "--image", scratch.keyed_device,
                scratch.state)

    def restore(self, scratch, out):
        return (PROGRAM, "--config", scratch.keyed_config(), "--quiet", "restore", "--threads",
                scratch.threads, "--image", scratch.keyed_device, "--keep", "--into", out)


class OursNew(Contestant):
    name = "ours, new file"

    def save(self, scratch):
        return (PROGRAM, "--quiet", "checkpoint", "--threads", scratch.threads, "--image",
                scratch.plain / "image", scratch.state)

    def restore(self, scratch, out):
        return (PROGRAM, "--quiet", "restore", "--threads", scratch.threads, "--image",
                scratch.plain / "image", "--keep", "--into", out)

    def forget(self, scratch):
        scratch.remove(scratch.plain / "image")


class Limit(Contestant):
    name = "limit"

    def save(self, scratch):
        return LIMIT, "save", scratch.list, scratch.device, scratch.threads, scratch.state

    def restore(self, scratch, out):
        return LIMIT, "restore", scratch.list, scratch.device, scratch.threads, out


class Tar(Contestant):
    name = "tar"

    def save(self, scratch):
        return "tar", "cf", scratch.plain / "tar", "-C", scratch.state, "."

    def restore(self, scratch, out):
        return "tar", "xf", scratch.plain / "tar", "-C", out

    def forget(self, scratch):
        scratch.remove(scratch.plain / "tar")


class Copy(Contestant):
    """Saving and restoring is the same: only one is measured."""

    def forget(self, scratch):
        scratch.remove(scratch.plain / "copy")


class Cp(Copy):
    name = "cp -a"

    def save(self, scratch):
        return "cp", "-a", scratch.state, scratch.plain / "copy"


class Rsync(Copy):
    name = "rsync -a"

    def save(self, scratch):
        return "rsync", "-a", f"{scratch.state}/", scratch.plain / "copy"


class Erofs(Contestant):
    name = "mkfs.erofs"

    def save(self, scratch):
        return "mkfs.erofs", scratch.plain / "erofs", scratch.state

    def forget(self, scratch):
        scratch.remove(scratch.plain / "erofs")


# The limit comes first: it shares the device with ours, but can restore from any content.
ALL = (Limit(), Ours(), Tar(), OursNew(), Cp(), Rsync(), Erofs())
KEYED = (Ours(), OursKeyed())
