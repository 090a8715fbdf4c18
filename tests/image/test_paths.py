# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files a checkpoint holds: the PATHs, what is excluded, and other mounts."""

import os

from .support import judges, mounts, program, snapshot
from .support.case import ImageCase, beneath


def fill(directory, *names):
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content of %s" % name)


class Paths(ImageCase):
    def setUp(self):
        super().setUp()
        fill(self.state, "a/one", "a/two", "b/three", "b/sub/four", "c", "d.log")

    def names(self, root=None):
        """Paths below the restored state, as text."""
        root = root or self.restored()
        return {os.fsdecode(path[1:]) for path in snapshot.take(root) if path}

    def test_several_paths(self):
        """Only the first of several state directories would be kept."""
        other = self.box / "other"
        fill(other, "x", "y/z")
        fill(self.state, "a/one")
        before = [snapshot.take(path) for path in (self.state / "a", other, self.state / "c")]
        self.checkpoint(self.state / "a", other, self.state / "c")
        self.assertEqual(judges.fsck(self.image), "")
        self.restore()
        after = [snapshot.take(self.restored(path))
                 for path in (self.state / "a", other, self.state / "c")]
        self.assertEqual(before, after)
        self.assertEqual(self.names(), {"a", "a/one", "a/two", "c"},
                         "what was not named is there, too")

    def test_ancestors_keep_their_attributes(self):
        """Directories that lead to the state would become accessible to all, or be changed."""
        self.state.chmod(0o711)
        os.utime(self.state, ns=(1, 1234567890123456789))
        expected = os.stat(self.state)
        self.checkpoint(self.state / "a")
        self.restore("--keep")
        made = os.stat(self.restored())
        self.assertEqual((made.st_mode, made.st_mtime_ns), (expected.st_mode, expected.st_mtime_ns))

        there = self.box / "there"
        beneath(there, self.state).mkdir(parents=True)
        beneath(there, self.state).chmod(0o750)
        self.expect(program.DONE, "restore", "--image", self.image, "--into", there)
        self.assertEqual(os.stat(beneath(there, self.state)).st_mode & 0o7777, 0o750,
                         "a directory that was there before was changed")

    def test_nested_paths(self):
        """A PATH inside another would be saved twice, or make the image unreadable."""
        before = snapshot.take(self.state)
        self.checkpoint(self.state, self.state / "b", self.state / "b" / "sub", self.state / "c",
                        self.state)
        self.judge_image(self.state, before)
        self.restore()
        self.assert_restored(before)

    def test_a_single_file(self):
        """One large file (a database, a VM's memory) is state, too."""
        for name in ("c", "b/sub/four"):
            before = snapshot.take(self.state / name)
            self.checkpoint(self.state / name, options=("--replace",))
            self.assertEqual(judges.fsck(self.image), "")
            self.restore()
            self.assert_same(before, snapshot.take(self.restored(self.state / name)), name)

    def test_a_path_through_a_symlink(self):
        """/var/run is a link to /run: the link would be saved instead of the state."""
        link = self.box / "link"
        link.symlink_to("state")
        before = snapshot.take(self.state)
        self.checkpoint(link)
        self.restore()
        self.assert_restored(before)
        self.assertFalse(os.path.lexists(self.restored(link)))

    def test_relative_paths(self):
        """"checkpoint ." would be restored to another directory."""
        self.expect(program.DONE, "checkpoint", "--image", self.image, "b/../a/.", "./c",
                    cwd=self.state)
        self.restore()
        self.assertEqual(self.names(), {"a", "a/one", "a/two", "c"})

    def test_a_path_that_is_not_there(self):
        """A misspelt PATH would be left out silently, and its state be lost after the reboot."""
        result = self.checkpoint(self.state / "a", self.state / "missing", status=program.FAILED)
        self.assertIn(str(self.state / "missing"), result.text)
        self.assertFalse(self.image.exists())

    def test_exclude_by_name(self):
        """Logs and caches that were excluded would fill the memory."""
        fill(self.state, "b/cache/x", "b/sub/e.log", "b/sub/[x]")
        self.checkpoint(options=("--exclude", "*.log", "-x", "cache", "--exclude=\\[x\\]"))
        self.restore()
        self.assertEqual(self.names(), {"a", "a/one", "a/two", "b", "b/three", "b/sub",
                                        "b/sub/four", "c"})

    def test_exclude_by_path(self):
        """An exclude of one path would hit every file of that name."""
        fill(self.state, "b/one", "a/sub/four")
        self.checkpoint(options=("-x", "%s/a/one" % self.state, "-x", "%s/*/sub" % self.state))
        self.restore()
        self.assertEqual(self.names(), {"a", "a/two", "b", "b/one", "b/three", "c", "d.log"})

    def test_exclude_of_a_path_that_is_named(self):
        """The checkpoint would commit, and then could not be read by anything."""
        self.checkpoint(self.state, self.state / "b", options=("-x", "b"))
        self.expect(program.DONE, "verify", "--image", self.image)
        self.restore()
        self.assertIn("a/one", self.names())


class Mounts(ImageCase):
    def setUp(self):
        super().setUp()
        mounts.need_mounts()
        fill(self.state, "a/one")
        for name in ("mounted", "a/deeper"):
            (self.state / name).mkdir()
            mounts.mount_tmpfs(self, self.state / name)
            fill(self.state / name, "inside/file", "top")

    def test_other_mounts_are_left_out(self):
        """A mounted disk below the state would be copied into RAM, all of it."""
        result = self.checkpoint()
        self.assertIn(str(self.state / "mounted"), result.text)
        self.restore()
        self.assertTrue((self.restored() / "mounted").is_dir())
        self.assertEqual(os.listdir(self.restored() / "mounted"), [])
        self.assertEqual(os.listdir(self.restored() / "a" / "deeper"), [])
        self.assertEqual((self.restored() / "a" / "one").read_text(), "content of a/one")

    def test_a_mount_that_is_named(self):
        """State on a tmpfs of its own would be lost although it was named."""
        before = snapshot.take(self.state / "mounted")
        self.checkpoint(self.state, self.state / "mounted")
        self.restore()
        self.assert_same(before, snapshot.take(self.restored() / "mounted"), "the named mount")
        self.assertEqual(os.listdir(self.restored() / "a" / "deeper"), [])

    def test_a_path_inside_a_mount(self):
        """If one directory of a mount is state, all of the mount, or nothing, would be saved."""
        self.checkpoint(self.state, self.state / "mounted" / "inside")
        self.restore()
        self.assertEqual(os.listdir(self.restored() / "mounted"), ["inside"])
        self.assertEqual(os.listdir(self.restored() / "mounted" / "inside"), ["file"])

    def test_the_same_inode_numbers(self):
        """Files of two file systems with the same inode number would become hard links."""
        for name in ("mounted", "a/deeper"):
            os.link(self.state / name / "top", self.state / name / "second")
            (self.state / name / "top").write_text("of " + name)
        self.checkpoint(self.state / "mounted", self.state / "a" / "deeper")
        self.restore()
        for name in ("mounted", "a/deeper"):
            self.assertEqual((self.restored() / name / "second").read_text(), "of " + name)
            self.assertEqual(os.stat(self.restored() / name / "top").st_nlink, 2)

    def test_a_bind_mount_of_the_same_file_system(self):
        """A bind mount is another mount, but not another device: it would be saved twice."""
        (self.state / "bound").mkdir()
        mounts.bind(self, self.state / "a", self.state / "bound")
        self.checkpoint()
        self.restore()
        self.assertEqual(os.listdir(self.restored() / "bound"), [])

    def test_a_mounted_file(self):
        """A secret that is mounted over a file would be saved; or not be saved although named."""
        (self.box / "elsewhere").write_text("elsewhere")
        (self.state / "file").write_text("below")
        mounts.bind(self, self.box / "elsewhere", self.state / "file")
        self.assertIn(str(self.state / "file"), self.checkpoint().text)
        self.restore()
        self.assertFalse((self.restored() / "file").exists())
        self.target = self.box / "named"
        self.target.mkdir()
        self.checkpoint(self.state, self.state / "file", options=("--replace",))
        self.restore()
        self.assertEqual((self.restored() / "file").read_text(), "elsewhere")
