# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs the tests of the image engine, several files at a time; prints a line for each test.

    run [-j N] [-k TEXT] [-l]

The program under test is $PMEM_PRESERVE, or build/pmem-preserve. As root everything runs in a mount
namespace of its own, so that no mount outlives the run.
"""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time
import unittest

from .support import judges, program

HERE = pathlib.Path(__file__).resolve().parent
# How this program calls itself again.
COMMAND = [sys.executable, "-m", "tests.image.run"]


class Lines(unittest.TestResult):
    """Prints a line for each test: PASS, FAIL or SKIP, its name and seconds, then what failed."""

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()
        self._worst = None

    def _say(self, word, test, text=""):
        name = ".".join(test.id().split(".")[-3:])
        seconds = time.monotonic() - getattr(self, "_began", time.monotonic())
        print("%s %s (%.1f s)%s" % (word, name, seconds, text), flush=True)

    def _bad(self, test, text):
        self._worst = (self._worst or "") + "\n" + text.rstrip()

    def addError(self, test, err):
        super().addError(test, err)
        self._bad(test, self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._bad(test, self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._bad(test, "%s\n%s" % (subtest, self._exc_info_to_string(err, test)))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("SKIP", test, ": " + reason)
        self._skipped = True

    def stopTest(self, test):
        if self._worst:
            self._say("FAIL", test, self._worst.replace("\n", "\n    "))
        elif not getattr(self, "_skipped", False):
            self._say("PASS", test)
        self._skipped = False
        super().stopTest(test)


def run_module(name, pattern):
    loader = unittest.TestLoader()
    loader.testNamePatterns = ["*%s*" % pattern] if pattern else None
    suite = loader.loadTestsFromName("tests.image." + name)
    for error in loader.errors:
        print("FAIL %s\n    %s" % (name, error.replace("\n", "\n    ")))
    suite.run(Lines())


def call_module(name, pattern):
    done = subprocess.run([*COMMAND, "--module", name, "-k", pattern],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = done.stdout.decode("utf-8", "backslashreplace")
    if done.returncode:
        out += "FAIL %s (exited with status %d)\n" % (name, done.returncode)
    return out


def enter_private_mounts():
    """Starts again in a mount namespace of its own, where that is possible."""
    wrapper = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() != 0 or os.environ.get("PMEM_PRESERVE_PRIVATE_MOUNTS"):
        return
    try:
        subprocess.run([*wrapper, "true"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return
    os.environ["PMEM_PRESERVE_PRIVATE_MOUNTS"] = "1"
    os.execvp(wrapper[0], [*wrapper, *COMMAND, *sys.argv[1:]])


def main():
    parser = argparse.ArgumentParser(prog="run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="files at a time")
    parser.add_argument("-k", default="", help="only tests whose name contains this")
    parser.add_argument("-l", action="store_true", help="list the test files")
    parser.add_argument("--module", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.module:
        run_module(arguments.module, arguments.k)
        return 0
    # The longest first: the last ones to end should be short.
    modules = sorted((path.stem for path in HERE.glob("test_*.py")),
                     key=lambda name: (name not in ("test_media_faults", "test_malformed",
                                                   "test_damage"), name))
    if arguments.l:
        print("\n".join(modules))
        return 0
    if not os.access(program.PROGRAM, os.X_OK):
        print("%s does not exist: build it first (ninja -C build)" % program.PROGRAM)
        print("0 passed, 1 failed, 0 skipped")
        return 1
    enter_private_mounts()
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    lines = ["SKIP judge %s: %s" % item for item in judges.unavailable().items()]
    with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        calls = [pool.submit(call_module, name, arguments.k) for name in modules]
        for call in concurrent.futures.as_completed(calls):
            lines += call.result().splitlines()
            while lines:
                line = lines.pop(0)
                print(line, flush=True)
                if line[:5].rstrip() in counts:
                    counts[line[:4]] += 1
    print("%(PASS)d passed, %(FAIL)d failed, %(SKIP)d skipped" % counts)
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
