# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the program under test. A crash or a sanitizer's report fails the test that caused it."""

import json
import os
import pathlib
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.path.abspath(
    os.environ.get("PMEM_PRESERVE") or REPOSITORY / "build" / "pmem-preserve")
DEADLINE = 120

DONE, FAILED, USAGE, NO_CHECKPOINT, DAMAGED, REFUSED, MEMORY, NO_FIT = range(8)

# Without the installed configuration.
BASE = [PROGRAM, "--config", "/dev/null"]

_SANITIZER_WORDS = (b"Sanitizer", b"runtime error:")
_ENVIRONMENT = {
    **os.environ,
    "LC_ALL": "C",
    # The tests preload libraries that fail on purpose.
    "ASAN_OPTIONS": "exitcode=99:allocator_may_return_null=1:verify_asan_link_order=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}


class Crash(AssertionError):
    """The program was killed by a signal, missed its deadline, or a sanitizer reported an error."""


class Result:
    def __init__(self, arguments, status, out, err):
        self.arguments, self.status, self.out, self.err = arguments, status, out, err

    @property
    def text(self):
        return self.err.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return "%s\nexit status %d\n%s%s" % (
            " ".join(map(repr, self.arguments)), self.status,
            self.out[-2000:].decode("utf-8", "backslashreplace"),
            self.err[-4000:].decode("utf-8", "backslashreplace"))


def check_ending(result):
    if result.status < 0:
        raise Crash("ended by signal %d: %s" % (-result.status, result))
    if result.status > NO_FIT or any(word in result.err for word in _SANITIZER_WORDS):
        raise Crash("a sanitizer complained: %s" % result)


def start_words(words, environment=None, **options):
    """Starts a program, given its whole command line; finish() waits for it."""
    return subprocess.Popen([os.fsencode(word) for word in words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**_ENVIRONMENT, **(environment or {})}, **options)


def start(*arguments, **options):
    return start_words([*BASE, *arguments], **options)


def finish(process, deadline=DEADLINE):
    try:
        out, err = process.communicate(timeout=deadline)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Crash("no end within %d s: %s" % (
            deadline, Result(process.args, -9, out, err))) from None
    result = Result(process.args, process.returncode, out, err)
    check_ending(result)
    return result


def _has_open(process, path):
    descriptors = pathlib.Path(f"/proc/{process.pid}/fd")
    try:
        return any(os.path.samefile(descriptors / name, path) for name in os.listdir(descriptors))
    except FileNotFoundError:
        return False


def wait_until_open(process, path):
    """Until the program, which waits for the lock of the file at @path, has opened it."""
    deadline = time.monotonic() + 20
    while not _has_open(process, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Crash("%s was not opened: %s" % (path, finish(process, 1)))


def run(*arguments, deadline=DEADLINE, **options):
    return finish(start(*arguments, **options), deadline)
