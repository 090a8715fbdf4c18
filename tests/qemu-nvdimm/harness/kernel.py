# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel, from fetch-kernel or debug-kernel, and the modules that a guest needs of it."""

import dataclasses
import lzma
import pathlib
import subprocess

from . import paths

# What the guest loads at boot, in this order; what they depend on comes along.
LOADED = [
    "virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "loop", "erofs",
    "libnvdimm", "nfit", "nd_e820", "nd_pmem", "dax_pmem", "device_dax", "kmem",
]
# There to be loaded by a script or by the kernel itself.
AVAILABLE = ["crc32c_intel", "memory-notifier-error-inject", "hwpoison-inject", "overlay", "fuse",
             "dax_hmem", "dm-mod"]
# Who has a kernel of that name. One that takes half an hour to build is not built unasked.
SOURCES = {"debug": ["debug-kernel", "--no-build"]}


class Unavailable(Exception):
    """The kernel cannot be fetched here: whatever needs it is skipped."""


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    release: str
    image: pathlib.Path
    modules: pathlib.Path  # lib/modules/RELEASE


def fetch(name):
    """The kernel of that name ("6.1"), downloaded if need be; or "debug", when it is built."""
    script, *arguments = SOURCES.get(name, ["fetch-kernel", name])
    command = subprocess.run([paths.HERE / script, *arguments],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if command.returncode == 2:
        raise SystemExit(f"no kernel is known as '{name}'\n{command.stderr}")
    if command.returncode != 0:
        lines = command.stderr.strip().splitlines() or [f"{script} failed"]
        raise Unavailable(f"kernel {name}: {lines[-1]}")
    tree = pathlib.Path(command.stdout.strip())
    release = (tree / "release").read_text().strip()
    return Kernel(name, release, tree / "vmlinuz", tree / "lib" / "modules" / release)


def _module_name(path):
    return pathlib.PurePath(path).name.split(".ko")[0].replace("-", "_")


def needed_modules(kernel, names):
    """Files (relative to the modules' directory) of these modules and all they depend on.

    A name that is built in, or that this kernel does not have, is left out.
    """
    depends = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        depends[_module_name(path)] = (path, others.split())
    found = {}
    for name in names:
        path, others = depends.get(name.replace("-", "_"), (None, []))
        for file in ([path] if path else []) + others:
            found[file] = None
    return list(found)


def module_data(file):
    """The module's content; those of newer kernels are compressed."""
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data
