# SPDX-License-Identifier: GPL-2.0-or-later
"""Restores into directories that are not empty."""

import os
import subprocess

from .support import failing, program, scratch, snapshot
from .support.case import ImageCase, beneath
from .support.program import DAMAGED, DONE, FAILED, REFUSED


class Restore(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "sub").mkdir()
        (self.state / "file").write_text("content")
        (self.state / "sub" / "inner").write_text("inner")
        os.link(self.state / "file", self.state / "sub" / "linked")
        (self.state / "link").symlink_to("file")
        os.mkfifo(self.state / "fifo")
        self.before = snapshot.take(self.state)
        self.checkpoint()
        self.root = self.restored()

    def expect_untouched(self, *options, status=REFUSED):
        before = snapshot.take(self.box)
        result = self.restore(*options, status=status)
        self.assert_same(before, snapshot.take(self.box), "after a refusal")
        return result

    def test_files_that_exist(self):
        """Files that were changed since would be replaced by older ones."""
        self.root.mkdir(parents=True)
        for make in (lambda path: path.write_text("new work"), lambda path: path.mkdir(),
                     lambda path: path.symlink_to("elsewhere"), os.mkfifo):
            for name in ("file", "sub", "link", "fifo"):
                path = self.root / name
                with self.subTest(name=name):
                    make(path)
                    self.assertIn(name, self.expect_untouched().text)
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        self.restore()

    def test_an_empty_directory_is_fine(self):
        """A tmpfs is mounted before the restore: its root directory exists, and is empty."""
        self.root.mkdir(parents=True)
        self.root.chmod(0o700)
        (self.root / "unrelated").write_text("not in the checkpoint")
        self.restore()
        self.assertEqual((self.root / "unrelated").read_text(), "not in the checkpoint")
        (self.root / "unrelated").unlink()
        os.utime(self.root, ns=(1, self.before[b""]["mtime"]))
        self.assert_same(self.before, snapshot.take(self.root), "restored to what was there")

    def test_overwrite(self):
        """--overwrite must give exactly the checkpoint, even where types of files differ."""
        (self.root / "sub" / "deeper").mkdir(parents=True)
        (self.root / "sub" / "inner").symlink_to(self.box / "outside")
        (self.box / "outside").write_text("outside")
        os.mkfifo(self.root / "file")
        (self.root / "link").write_text("not a link")
        (self.root / "fifo").write_text("not a fifo")
        self.restore("--overwrite")
        (self.root / "sub" / "deeper").rmdir()
        os.utime(self.root / "sub", ns=(1, self.before[b"/sub"]["mtime"]))
        self.assert_same(self.before, snapshot.take(self.root), "after --overwrite")
        self.assertEqual((self.box / "outside").read_text(), "outside")

    def test_overwrite_of_a_linked_file(self):
        """Writing into an old file would change its other name, outside of the state."""
        self.root.mkdir(parents=True)
        (self.box / "precious").write_text("precious")
        os.link(self.box / "precious", self.root / "file")
        self.restore("--overwrite")
        self.assertEqual((self.box / "precious").read_text(), "precious")

    def test_a_full_directory_in_the_way(self):
        """A directory with other files would be removed for a file of the checkpoint."""
        (self.root / "file").mkdir(parents=True)
        (self.root / "file" / "precious").write_text("precious")
        result = self.restore("--overwrite", status=FAILED)
        self.assertIn("file", result.text)
        self.assertEqual((self.root / "file" / "precious").read_text(), "precious")

    def test_symlinks_in_the_way(self):
        """A link placed in advance would lead root's restore out of the target."""
        outside = self.box / "outside"
        outside.mkdir()
        (outside / "canary").write_text("canary")
        relative = str(self.state).lstrip("/").split("/")
        for depth in range(1, len(relative) + 1):
            place = self.target.joinpath(*relative[:depth])
            with self.subTest(place=str(place)):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(outside)
                self.expect_untouched()
                place.unlink()

    def test_symlinks_below_the_root(self):
        """The same for a link in the state's directory."""
        (self.box / "outside").mkdir()
        self.root.mkdir(parents=True)
        (self.root / "sub").symlink_to(self.box / "outside")
        self.expect_untouched()

    def test_a_file_in_the_way(self):
        """A file where a directory should be: refused before anything is created."""
        place = self.target / str(self.state).lstrip("/").split("/")[0]
        place.write_text("a file")
        self.expect_untouched()

    def test_no_such_target(self):
        """A misspelt --into would create a tree somewhere."""
        self.expect(FAILED, "restore", "--image", self.image, "--into", self.box / "missing")
        self.assertFalse((self.box / "missing").exists())

    def test_a_dry_run_tells(self):
        """A dry run must report that the restore would be refused."""
        self.root.mkdir(parents=True)
        (self.root / "file").write_text("new work")
        self.expect_untouched("--dry-run")

    def test_a_dry_run_says_what_it_has_checked(self):
        """It is run to learn whether the restore would succeed."""
        result = self.expect_untouched("--dry-run", status=DONE)
        self.assertIn("were read and are as they were written", result.text)

    def test_a_dry_run_of_a_damaged_image(self):
        """A user takes the machine down after "nothing is in the way"."""
        data = bytearray(self.image.read_bytes())
        data[data.index(b"content")] ^= 1
        self.image.write_bytes(data)
        result = self.expect_untouched("--dry-run", status=DAMAGED)
        self.assertIn(f"damaged: {self.state}/file", result.text)

    def test_a_named_file_as_often_as_one_likes(self):
        """After one restore an image file was of no use to anybody any more."""
        self.restore()
        again = self.box / "again"
        again.mkdir()
        for options in ([], ["--keep"], ["--overwrite"]):
            if "--overwrite" not in options:
                scratch.remove(again)
                again.mkdir()
            self.expect(DONE, "restore", *options, "--image", self.image, "--into", again)
            self.assert_same(self.before, snapshot.take(beneath(again, self.state)), "again")
        self.assertEqual(self.expect(DONE, "--json", "list", "--image",
                                     self.image).json["image"]["phase"], "restored")
        self.checkpoint()

    def test_try_it_twice(self):
        """README.md says so, and a newcomer does it again."""
        lines = [line.strip().replace("~/some/tree", str(self.state)).replace("/tmp/", f"{self.box}/")
                 for line in (program.REPOSITORY / "README.md").read_text().splitlines()
                 if "build/pmem-preserve" in line]
        self.assertEqual(len(lines), 3)
        for _ in range(2):
            for line in lines:
                line = line.replace("build/pmem-preserve", f"{program.PROGRAM} --config /dev/null")
                done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
                self.assertEqual(done.returncode, 0, (line, done.stderr))

    def test_nothing_else_is_left(self):
        """Staging directories would be taken for state by the next checkpoint."""
        self.root.mkdir(parents=True)
        self.restore("--overwrite")
        self.restore("--overwrite")
        self.assertEqual([path for path in self.target.rglob(".pmem-preserve*")], [])
        self.assert_restored(self.before)

    def test_a_directory_that_is_closed_meanwhile(self):
        """What is restored to a directory open to all would be reachable before it is closed."""
        self.state.chmod(0o700)
        self.checkpoint(options=("--replace",))
        before = snapshot.take(self.state)
        self.root.mkdir(parents=True)
        self.root.chmod(0o777)
        self.restore()
        self.assert_restored(before)

    def test_file_systems_without_these_renames(self):
        """NFS and some others have neither RENAME_NOREPLACE nor RENAME_EXCHANGE."""
        for options in ([], ["--overwrite"]):
            self.root.mkdir(parents=True)
            if options:
                (self.root / "file").write_text("old")
                (self.root / "link").write_text("old")
            result = failing.run({"NO_RENAME_FLAGS": "1"}, "restore", "--keep", "--image",
                                 self.image, "--into", self.target, *options)
            self.assertEqual(result.status, DONE, str(result))
            self.assert_restored(self.before)
            self.empty_target()


class User(ImageCase):
    def test_without_root(self):
        """A user restores a tree of their own into a directory of their own."""
        (self.state / "directory").mkdir()
        (self.state / "directory" / "file").write_text("mine")
        (self.state / "directory").chmod(0o555)
        self.state.chmod(0o555)
        options = {}
        if os.geteuid() == 0:
            options = {"user": 65534, "group": 65534, "extra_groups": []}
            for path in (self.box, self.state, self.target, self.state / "directory",
                         self.state / "directory" / "file"):
                os.chown(path, 65534, 65534)
            if not os.access(program.PROGRAM, os.X_OK) or not self.may_run(options):
                self.skipTest("the program lies where only root can run it")
        before = snapshot.take(self.state)
        for arguments in (["checkpoint", self.state], ["verify"],
                          ["restore", "--into", self.target]):
            self.expect(DONE, *arguments, "--image", self.image, **options)
        self.assert_restored(before, "restored by a user")
        for path in (self.restored(), self.restored() / "directory"):
            path.chmod(0o755)
        self.expect(DONE, "restore", "--overwrite", "--into", self.target, "--image", self.image,
                    **options)
        self.assert_restored(before, "restored again by a user")

    @staticmethod
    def may_run(options):
        try:
            return program.run("--version", **options).status == DONE
        except OSError:
            return False


class TwoPaths(ImageCase):
    """One of several paths is obstructed: none may be changed."""

    def setUp(self):
        super().setUp()
        self.paths = [self.state / "a", self.state / "b" / "c"]
        for path in self.paths:
            path.mkdir(parents=True)
            (path / "file").write_text(path.name)
        self.checkpoint(*self.paths)

    def check(self, make):
        place = beneath(self.target, self.paths[1])
        place.parent.mkdir(parents=True)
        make(place)
        before = snapshot.take(self.box)
        self.restore(status=REFUSED)
        self.assert_same(before, snapshot.take(self.box), "after a refusal")

    def test_a_file_in_the_second(self):
        """The first path would be restored, the second one not."""
        def make(place):
            place.mkdir()
            (place / "file").write_text("new")
        self.check(make)

    def test_the_second_is_a_symlink(self):
        """The same when the second path itself is a link."""
        (self.box / "outside").mkdir()
        self.check(lambda place: place.symlink_to(self.box / "outside"))

    def test_the_second_is_a_file(self):
        """The same when the second path is a file now."""
        self.check(lambda place: place.write_text("a file"))

    def test_a_symlink_leads_to_the_second(self):
        """The same when a directory on the way to it is a link."""
        (self.box / "outside").mkdir()
        beneath(self.target, self.state).mkdir(parents=True)
        beneath(self.target, self.state / "b").symlink_to(self.box / "outside")
        before = snapshot.take(self.box)
        self.restore(status=REFUSED)
        self.assert_same(before, snapshot.take(self.box), "after a refusal")

    def test_replaced_ancestor(self):
        """--overwrite is for files of the state: /var must not be replaced for /var/state."""
        beneath(self.target, self.state).parent.mkdir(parents=True)
        (self.box / "elsewhere").mkdir()
        beneath(self.target, self.state).symlink_to(self.box / "elsewhere")
        self.expect(REFUSED, "restore", "--overwrite", "--image", self.image, "--into",
                    self.target)
        self.assertTrue(beneath(self.target, self.state).is_symlink())
        self.assertEqual(program.run("verify", "--image", self.image).status, DONE)
