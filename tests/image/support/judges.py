# SPDX-License-Identifier: GPL-2.0-or-later
"""Independent programs that check an image, or a restored tree."""

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile


def _call(arguments, deadline=120):
    return subprocess.run([*map(os.fsencode, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=deadline)


@functools.lru_cache(None)
def why_no_mount():
    """Why images cannot be mounted here, or ""."""
    if os.geteuid() != 0:
        return "only root can mount"
    if not os.environ.get("PMEM_PRESERVE_PRIVATE_MOUNTS"):
        return "no private mount namespace could be made"
    if not any(os.path.exists("/dev/loop" + name) for name in ("-control", "0")):
        return "there is no loop device"
    if "\terofs" not in pathlib.Path("/proc/filesystems").read_text():
        _call(["modprobe", "-q", "erofs"]) if shutil.which("modprobe") else None
    if "\terofs" not in pathlib.Path("/proc/filesystems").read_text():
        return "the kernel has no EROFS"
    return ""


@functools.lru_cache(None)
def unavailable():
    """{judge: why it is not available here}."""
    out = {}
    if not shutil.which("fsck.erofs"):
        out["fsck.erofs"] = "not installed (erofs-utils)"
    if not shutil.which("rsync"):
        out["rsync"] = "not installed"
    if why_no_mount():
        out["mount -t erofs"] = why_no_mount()
    return out


def fsck(image):
    """Errors of fsck.erofs; "" if there are none, or if it is not available."""
    if "fsck.erofs" in unavailable():
        return ""
    done = _call(["fsck.erofs", image])
    return "" if done.returncode == 0 else done.stdout.decode("utf-8", "backslashreplace")


@contextlib.contextmanager
def mounted(image):
    """The mounted image, or None if images cannot be mounted here."""
    if "mount -t erofs" in unavailable():
        yield None
        return
    target = tempfile.mkdtemp(prefix="pmem-preserve-mount-")
    try:
        done = _call(["mount", "-t", "erofs", "-o", "loop,ro", image, target])
        if done.returncode != 0:
            raise AssertionError("the kernel does not mount the image: %s" %
                                 done.stdout.decode("utf-8", "backslashreplace"))
        try:
            yield pathlib.Path(target)
        finally:
            _call(["umount", target])
    finally:
        os.rmdir(target)


def rsync(source, target):
    """What rsync would change in @target to make it equal to @source; "" if nothing."""
    if "rsync" in unavailable():
        return ""
    suffix = "/" if os.path.isdir(source) and not os.path.islink(source) else ""
    done = _call(["rsync", "-naHAXci", "--delete", "--numeric-ids",
                  str(source) + suffix, str(target) + suffix])
    return done.stdout.decode("utf-8", "backslashreplace")
