# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of the units, on a machine without a region.

They write to /run and /var/lib and read the command line of the kernel, so they have their own in a
mount namespace.
"""

import os
import re
import shutil
import subprocess
import unittest

from . import program, scratch
from .case import ImageCase
from .program import DONE

# A region that no machine has: the result must not depend on the machine.
REGION = "region = no-such-region"


def unshared(script):
    """Command line of a shell script with its own /run."""
    maps = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *maps, "--mount", "sh", "-c",
            "mount -t tmpfs tmpfs /run && " + script, "sh"]


def may_unshare():
    return subprocess.run(unshared("true"), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


@unittest.skipUnless(may_unshare(), "mount namespaces are not allowed here")
class UnitsCase(ImageCase):

    def setUp(self):
        super().setUp()
        self.fallback = self.box / "fallback.img"
        self.config = self.box / "config"
        self.notes = self.box / "notes"
        self.notes.mkdir()
        self.library = self.box / "lib"
        self.library.mkdir()
        self.cmdline = self.box / "cmdline"
        self.cmdline.write_text("quiet\n")
        self.private = self.box / "private"
        self.mounts = "true"  # more for the namespace
        self.program = program.PROGRAM
        self.configure(f"fallback = {self.fallback}")
        (self.state / "file").write_text("first\n")

    def configure(self, *lines):
        self.config.write_text("\n".join([f"state = {self.state}", REGION, *lines, ""]))

    def start(self, *arguments, environment=None):
        """One command; /run/pmem-preserve is self.notes, and systemd's socket self.private."""
        script = ('mkdir /run/pmem-preserve /run/systemd && '
                  'mount --bind "$1" /run/pmem-preserve && mount --bind "$2" /var/lib && '
                  'mount --bind "$3" /proc/cmdline && ln -s "$4" /run/systemd/private && '
                  f'{self.mounts} && shift 4 && exec "$@"')
        return program.start_words(
            [*unshared(script), self.notes, self.library, self.cmdline, self.private,
             self.program, "--config", self.config, *arguments], environment=environment)

    def call(self, status, *arguments, environment=None):
        result = program.finish(self.start(*arguments, environment=environment))
        self.assertEqual(result.status, status, str(result))
        return result

    def last_word(self, verb="poweroff"):
        """What is printed on the console and to the kernel's log before the machine stops."""
        etc = self.box / "etc"
        etc.mkdir(exist_ok=True)
        shutil.copy("/etc/ld.so.cache", etc)
        shutil.copy(self.config, etc / "pmem-preserve.conf")
        devices = [self.box / "console", self.box / "kmsg"]
        for device in devices:
            device.write_text("")
        script = ('mkdir /run/pmem-preserve && mount --bind "$1" /run/pmem-preserve && '
                  'mount --bind "$2" /etc && mount --bind "$3" /dev/console && '
                  'mount --bind "$4" /dev/kmsg && shift 4 && "$@"')
        result = program.finish(program.start_words(
            [*unshared(script), self.notes, etc, *devices, program.PROGRAM, "last-look", verb]))
        self.assertEqual(result.status, DONE, str(result))
        console, kmsg = (device.read_text().strip() for device in devices)
        self.assertEqual(re.sub("(?m)^<[0-9]>", "", kmsg), console)
        return console

    def note(self, name):
        return (self.notes / name).read_text()

    def problems(self):
        return str(self.call(DONE, "--json", "status").json["problems"])

    def next_boot(self):
        """What was in memory is gone."""
        for path in self.notes.iterdir():
            path.unlink()
        self.empty_state()

    def empty_state(self):
        for path in self.state.iterdir():
            if path.is_dir():
                scratch.remove(path)
            else:
                path.unlink()
