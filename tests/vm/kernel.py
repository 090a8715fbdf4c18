# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel, from fetch-kernel, debug-kernel or patched-kernel, and the modules that a guest needs from it."""

import dataclasses
import lzma
import pathlib
import subprocess

from . import paths
from .errors import Unavailable

# Loaded at boot in this order, with their dependencies.
LOADED = [
    "virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "loop", "erofs",
    "libnvdimm", "nfit", "nd_e820", "nd_pmem", "dax_pmem", "device_dax", "kmem",
]
# Included to be loaded by a script or by the kernel.
AVAILABLE = ["crc32c_intel", "memory-notifier-error-inject", "hwpoison-inject", "overlay", "fuse",
             "dax_hmem", "dm-mod"]
# Scripts that provide a kernel, if not fetch-kernel. These take up to half an hour to build: that is
# not done implicitly.
SOURCES = {
    "debug": ["debug-kernel", "--no-build"],
    "patched-6.1": ["patched-kernel", "--no-build", "6.1"],
    "patched-6.12": ["patched-kernel", "--no-build", "6.12"],
}


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    release: str
    image: pathlib.Path
    modules: pathlib.Path  # lib/modules/RELEASE


def fetch(name):
    """The kernel named @name: "6.1", downloaded if need be, or "debug", if it has been built.

    Raises Unavailable.
    """
    script, *arguments = SOURCES.get(name, ["fetch-kernel", name])
    command = subprocess.run([paths.HERE / script, *arguments],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if command.returncode == 2:
        raise SystemExit(f"unknown kernel '{name}'\n{command.stderr}")
    if command.returncode != 0:
        lines = command.stderr.strip().splitlines() or [f"{script} failed"]
        raise Unavailable(f"kernel {name}: {lines[-1]}")
    tree = pathlib.Path(command.stdout.strip())
    release = (tree / "release").read_text().strip()
    return Kernel(name, release, tree / "vmlinuz", tree / "lib" / "modules" / release)


def _module_name(path):
    return pathlib.PurePath(path).name.split(".ko")[0].replace("-", "_")


def needed_modules(kernel, names):
    """Files of these modules and of all that they depend on, relative to kernel.modules.

    Names that are built in, or that this kernel does not have, are left out.
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
    """Content of a module file, decompressed."""
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data
