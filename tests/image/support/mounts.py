# SPDX-License-Identifier: GPL-2.0-or-later
"""Small file systems and loop devices, in a mount namespace of their own."""

import os
import subprocess
import unittest


def _call(*arguments):
    return subprocess.run([*map(os.fsencode, arguments)], check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.decode().strip()


def need_mounts():
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root can mount")
    if not os.environ.get("PMEM_PRESERVE_PRIVATE_MOUNTS"):
        raise unittest.SkipTest("no private mount namespace could be made")


def mount_tmpfs(case, path, size="16m"):
    """Mounts a tmpfs of @size on @path until the test @case ends."""
    need_mounts()
    _call("mount", "-t", "tmpfs", "-o", "size=" + size, "none", path)
    case.addCleanup(subprocess.run, ["umount", "-l", path], check=False)


def bind(case, source, path):
    need_mounts()
    _call("mount", "--bind", source, path)
    case.addCleanup(subprocess.run, ["umount", "-l", path], check=False)


def loop_device(case, path, size):
    """Creates a loop device on a new file of @size bytes, until the test @case ends."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root can set up a loop device")
    with open(path, "wb") as file:
        file.truncate(size)
    try:
        device = _call("losetup", "--find", "--show", path)
    except (OSError, subprocess.CalledProcessError) as error:
        raise unittest.SkipTest("there is no loop device: %s" % error) from None
    case.addCleanup(subprocess.run, ["losetup", "--detach", device], check=False)
    return device
