# SPDX-License-Identifier: GPL-2.0-or-later
"""Output for scripts: --json, and the lines of list."""

import json
import os
import stat
import uuid

from .support.case import ImageCase
from .support.program import DAMAGED, DONE, REFUSED, USAGE


class Json(ImageCase):
    def setUp(self):
        super().setUp()
        (self.state / "file").write_text("content")
        (self.state / "file").chmod(0o4750)
        os.utime(self.state / "file", ns=(1, 1500000000 * 10**9))
        (self.state / "link").symlink_to("somewhere")
        os.link(self.state / "file", self.state / "second")
        os.mkdir(os.fsencode(self.state) + b"/\xff\n\x1b[31m\"\\\x7f\xc2\x9b2J\xc3\x9b")

    def ask(self, status, *arguments):
        """The object: valid UTF-8 and JSON that cannot control a terminal, whatever the names are."""
        result = self.expect(status, "--json", *arguments, "--image", self.image)
        self.assertNotRegex(result.out, rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
        answer = json.loads(result.out.decode("utf-8", "strict"))
        self.assertEqual(answer["exit_status"], status)
        self.assertEqual("error" in answer, status != DONE)
        return answer

    def check_image(self, image, phase="committed", generation=1):
        self.assertEqual(image["phase"], phase)
        self.assertEqual(image["generation"], generation)
        self.assertEqual(str(uuid.UUID(image["uuid"])), image["uuid"])
        self.assertEqual(image["image_bytes"], self.image.stat().st_size)
        self.assertEqual(image["file_bytes"], len("content"))
        self.assertEqual(image["hostname"], os.uname().nodename[:63])
        self.assertEqual(image["kernel"], os.uname().release[:63])
        timeline = image["timeline"]
        self.assertLessEqual(timeline["begin"], timeline["write"])
        self.assertLessEqual(timeline["write"], timeline["committed"])
        self.assertAlmostEqual(image["created"], timeline["write"], delta=2)

    def test_a_whole_life(self):
        """Monitoring would read nonsense, or nothing, about the checkpoint."""
        image = self.ask(DONE, "checkpoint", self.state)["image"]
        self.check_image(image)
        for command in ("status", "list", "verify"):
            self.assertEqual(self.ask(DONE, command)["image"], image, command)
        self.assertEqual(self.ask(DONE, "verify")["damaged"], [])
        self.assertEqual(self.ask(DONE, "restore", "--into", self.target)["image"]["uuid"],
                         image["uuid"])
        status = self.ask(DONE, "status")["image"]
        self.check_image(status, "restored")
        self.assertGreaterEqual(status["timeline"]["restored"], status["timeline"]["committed"])
        self.assertGreaterEqual(status["timeline"]["restored"], status["timeline"]["restore"])
        self.ask(REFUSED, "restore", "--into", self.target)
        self.ask(DONE, "discard")

    def test_list(self):
        """Scripts that look for one file in a checkpoint would not find it."""
        self.checkpoint()
        entries = self.ask(DONE, "list", "-l")["entries"]
        by_path = {entry["path"]: entry for entry in entries}
        self.assertEqual(len(entries), 5, "ancestors are not part of the state")
        top = str(self.state)
        status = os.stat(self.state / "file")
        self.assertEqual(by_path[top + "/file"], {
            "path": top + "/file", "mode": stat.filemode(status.st_mode), "links": 2,
            "uid": status.st_uid, "gid": status.st_gid, "mtime": 1500000000, "size": 7})
        self.assertEqual(by_path[top + "/second"], {**by_path[top + "/file"],
                                                    "path": top + "/second"})
        self.assertEqual(by_path[top + "/link"]["target"], "somewhere")
        self.assertEqual(by_path[top]["mode"][0], "d")
        self.assertIn(top + "/\ufffd\n\x1b[31m\"\\\x7f\x9b2J\xdb", by_path)

    def test_lines(self):
        """A name with a newline or an escape sequence would forge lines or control the terminal."""
        self.checkpoint()
        for options in ([], ["-l"]):
            out = self.expect(DONE, "list", *options, "--image", self.image).out
            self.assertEqual(out.count(b"\n"), 5)
            self.assertNotIn(b"\x1b", out)
        self.assertIn(b"-rwsr-x---", out)
        self.assertIn(b" -> somewhere\n", out)

    def test_errors(self):
        """An error with a name that is not UTF-8 would make the whole object unreadable."""
        name = os.fsencode(self.state) + b"/\xfe\xff"
        with open(name, "wb") as file:
            file.write(b"pattern!" * 1000)
        self.ask(DONE, "checkpoint", self.state)
        self.ask(REFUSED, "checkpoint", self.state)
        self.ask(USAGE, "restore", "--frob")
        os.makedirs(os.fsencode(self.restored()) + b"/\xfe\xff")
        self.assertIn("\ufffd\ufffd", self.ask(REFUSED, "restore", "--into", self.target)["error"])
        data = bytearray(self.image.read_bytes())
        data[data.index(b"pattern!pattern!") + 999] ^= 1
        self.image.write_bytes(data)
        self.assertIn("%s/\ufffd\ufffd" % self.state, self.ask(DAMAGED, "verify")["damaged"])
        again = self.box / "again"
        again.mkdir()
        self.ask(DAMAGED, "restore", "--into", again)
