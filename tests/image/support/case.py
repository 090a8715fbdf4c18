# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of all test cases: a directory of its own, and the round trip."""

import os
import pathlib
import unittest

from . import judges, program, scratch, snapshot


def beneath(directory, path):
    """Where the absolute @path is if @directory stands for "/"."""
    return pathlib.Path(directory) / str(path).lstrip("/")


class ImageCase(unittest.TestCase):
    needs = ()  # of scratch.PROBES
    needs_root = False

    def setUp(self):
        if self.needs_root and os.geteuid() != 0:
            self.skipTest("only root can make such files")
        self.box = scratch.make(*self.needs)
        self.addCleanup(scratch.remove, self.box)
        self.state = self.box / "state"
        self.state.mkdir()
        self.image = self.box / "image"
        self.target = self.box / "target"
        self.target.mkdir()

    def expect(self, status, *arguments, **options):
        result = program.run(*arguments, **options)
        self.assertEqual(result.status, status, str(result))
        return result

    def checkpoint(self, *paths, options=(), status=program.DONE):
        return self.expect(status, "checkpoint", "--image", self.image, *options,
                           *(paths or (self.state,)))

    def restore(self, *options, status=program.DONE):
        return self.expect(status, "restore", "--image", self.image, "--into", self.target,
                           *options)

    def restored(self, path=None):
        return beneath(self.target, path or self.state)

    def empty_target(self):
        scratch.remove(self.target)
        self.target.mkdir()

    def assert_same(self, before, after, what):
        lines = snapshot.differences(before, after)
        self.assertFalse(lines, "%s:\n  %s" % (what, "\n  ".join(lines)))

    def assert_restored(self, before, what="the restored tree"):
        self.assert_same(before, snapshot.take(self.restored()), what)

    def judge_image(self, source, before, rsync=True):
        """fsck.erofs, and the image as the kernel shows it."""
        self.assertEqual(judges.fsck(self.image), "", "fsck.erofs")
        with judges.mounted(self.image) as mount:
            if not mount:
                return
            self.assert_same(before, snapshot.take(beneath(mount, source)), "the mounted image")
            if rsync:
                self.assertEqual(judges.rsync(source, beneath(mount, source)), "",
                                 "rsync to the mounted image")

    def round_trip(self, source=None, options=(), mount=True, rsync=True):
        """Saves and restores; source, image and restored tree must be equal."""
        source = source or self.state
        before = snapshot.take(source)
        self.checkpoint(source, options=options)
        self.assert_same(before, snapshot.take(source), "the source after the checkpoint")
        if mount:
            self.judge_image(source, before, rsync)
        self.restore()
        self.assert_same(before, snapshot.take(self.restored(source)), "the restored tree")
        if rsync:
            self.assertEqual(judges.rsync(source, self.restored(source)), "",
                             "rsync to the restored tree")
