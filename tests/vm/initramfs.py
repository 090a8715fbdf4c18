# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's root file system: busybox, the tools that scenarios use, and a kernel's modules.

It does not depend on the single run: there is one for each kernel (and set of replaced modules),
named by a digest of what it is made from. It is also the initrd that the guest kexecs with.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from . import elf, kernel as kernels, paths
from .cpio import Archive
from .errors import Unavailable

# dash is the shell, as on Debian: busybox's own shell would run its tar applet instead of GNU tar.
REQUIRED = ["busybox", "dash", "ndctl", "daxctl", "kexec", "rsync", "tar", "cp", "grep",
            "cksum", "perl", "dmsetup"]
OPTIONAL = ["fsck.erofs", "getfattr", "setfattr", "getfacl", "setfacl", "setcap"]
PACKAGES = {"busybox": "busybox-static", "kexec": "kexec-tools", "cp": "coreutils",
             "cksum": "coreutils", "perl": "perl-base"}

DIRECTORIES = ["/dev", "/proc", "/sys", "/run", "/tmp", "/root", "/mnt", "/scratch", "/boot",
               "/var/state", "/var/lib", "/etc", "/usr/lib"]
PASSWD = b"root:x:0:0:root:/root:/bin/sh\n"
GROUP = b"root:x:0:\n"
# Our own files that decide what is in the archive.
SOURCES = ["cpio.py", "elf.py", "initramfs.py", "kernel.py"]


def _which(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return pathlib.Path(path).resolve() if path else None


def _tools():
    tools = {name: _which(name) for name in REQUIRED + OPTIONAL}
    for name in REQUIRED:
        if not tools[name]:
            raise Unavailable(f"{name} is missing: install {PACKAGES.get(name, name)}")
    if elf.libraries(tools["busybox"]):
        raise Unavailable("busybox is not static: install busybox-static")
    return {name: path for name, path in tools.items() if path}


def _add_tools(archive, tools):
    for name, path in tools.items():
        archive.copy(f"/usr/bin/{name}", path, 0o755)
        for library in elf.libraries(path):
            if str(library) not in archive:
                archive.copy(str(library), library, 0o755)
    archive.symlink("/usr/bin/sh", "dash")
    applets = subprocess.run([tools["busybox"], "--list"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split()
    for applet in applets:
        if f"/usr/bin/{applet}" not in archive:
            archive.symlink(f"/usr/bin/{applet}", "busybox")


def _add_modules(archive, kernel, replaced):
    """Stages the modules in a directory for depmod: libkmod in the guest needs its indexes."""
    names = kernels.LOADED + kernels.AVAILABLE
    own = {file.name.split(".ko")[0].replace("-", "_"): file for file in replaced}
    with tempfile.TemporaryDirectory() as scratch:
        top = pathlib.Path(scratch) / "lib" / "modules" / kernel.release
        for path in kernels.needed_modules(kernel, names):
            target = top / path.removesuffix(".xz")
            if target.stem.replace("-", "_") in own:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(kernels.module_data(kernel.modules / path))
        for file in own.values():
            (top / "updates").mkdir(exist_ok=True)
            shutil.copy(file, top / "updates")
        for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
            shutil.copy(kernel.modules / index, top)
        subprocess.run(["depmod", "-b", scratch, kernel.release], check=True,
                       env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
        for file in sorted(top.rglob("*")):
            if file.is_file():
                archive.copy(str(file).removeprefix(scratch), file, 0o644)
    archive.file("/etc/modules", "".join(f"{name}\n" for name in kernels.LOADED).encode())


def _digest(kernel, tools, replaced):
    """Of everything in the archive: size and time for files of the system, content for our own."""
    digest = hashlib.sha256()
    for file in [kernel.image, *tools.values()]:
        status = file.stat()
        digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    own = [pathlib.Path(__file__).with_name(name) for name in SOURCES]
    for file in [paths.GUEST / "init", *own, *replaced]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _remove_unused():
    """Removes archives that no run has used for a day."""
    for old in paths.INITRAMFS.iterdir():
        with contextlib.suppress(FileNotFoundError):  # removed by another run
            if old.stat().st_mtime < time.time() - 86400:
                old.unlink()


@contextlib.contextmanager
def _alone():
    """Only one process or thread builds at a time; the others wait for it."""
    paths.INITRAMFS.mkdir(parents=True, exist_ok=True)
    with open(paths.INITRAMFS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(kernel, replaced_modules=()):
    """Path of the initramfs, which is built if it does not exist yet. Raises Unavailable."""
    tools = _tools()
    name = f"{kernel.name}-{_digest(kernel, tools, replaced_modules)}"
    target = paths.INITRAMFS / name
    with _alone():
        if target.exists():
            os.utime(target)
            return target
        _remove_unused()
        partial = paths.INITRAMFS / f".{name}"
        _pack(kernel, replaced_modules, tools).save(partial)
        partial.rename(target)
    return target


def _pack(kernel, replaced_modules, tools):
    archive = Archive()
    for directory in DIRECTORIES:
        archive.directory(directory)
    archive.directory("/tmp", 0o1777)
    archive.character_device("/dev/console", 5, 1)
    for link in ("/bin", "/sbin"):
        archive.symlink(link, "usr/bin")
    archive.symlink("/usr/sbin", "bin")
    archive.file("/etc/passwd", PASSWD)
    archive.file("/etc/group", GROUP)
    archive.copy("/init", paths.GUEST / "init", 0o755)
    _add_tools(archive, tools)
    _add_modules(archive, kernel, replaced_modules)
    return archive
