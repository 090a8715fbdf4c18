# SPDX-License-Identifier: GPL-2.0-or-later
"""Writers that race against checkpoints: RACES=N in the environment for a long run."""

import os
import re

from .support import program
from .support.case import ImageCase

RACES = int(os.environ.get("RACES", "90"))
SECONDS_EACH = 3
COMMITTED = 20  # of the tries one in so many, or nothing was shown


class Races(ImageCase):
    def test_no_file_is_torn(self):
        """A database whose file is saved half old, half new comes back corrupt, without an error."""
        races = program.REPOSITORY / "build" / "tests" / "image" / "races"
        if not os.access(races, os.X_OK):
            self.skipTest("build/tests/image/races is not built")
        place = self.box / "races"
        place.mkdir()
        result = program.finish(
            program.start_words([races, "-n", str(RACES), "-s", str(os.getpid()), program.PROGRAM,
                                 place]),
            deadline=60 + SECONDS_EACH * RACES)
        print(result.out.decode())
        self.assertNotEqual(result.status, 3, "hardly any checkpoint was committed: %s" % result)
        self.assertEqual(result.status, program.DONE, str(result))
        total = re.search(rb"total +tries (\d+) committed (\d+) refused \d+ torn 0\n", result.out)
        self.assertIsNotNone(total, str(result))
        self.assertGreaterEqual(int(total[2]) * COMMITTED, int(total[1]))
