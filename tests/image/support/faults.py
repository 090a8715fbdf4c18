# SPDX-License-Identifier: GPL-2.0-or-later
"""
The program's fault points (tools/pmem-preserve/base/fault.h): which there are, and runs that end at one.
Only a build with -Dfault_points=true has them.
"""

import collections
import os
import pathlib
import re
import signal

from . import program

HEADER = program.REPOSITORY / "tools" / "pmem-preserve" / "base" / "fault.h"
VARIABLE = "PMEM_PRESERVE_FAULT"
ACTIONS = ("kill", "error", "signal")

Point = collections.namedtuple("Point", "number name when")


def _read():
    rows = re.findall(r'POINT\((\d+), (\w+), "([^"]*)"\)', HEADER.read_text())
    return {name: Point(int(number), name, when) for number, name, when in rows}


POINTS = _read()


def are_built_in(directory):
    """Whether the program under test has them: it must fail at the first one."""
    nothing = pathlib.Path(directory) / "nothing"
    nothing.mkdir()
    result = program.finish(start("IMAGE_BEGIN", 1, "error", "checkpoint", "--image",
                                  pathlib.Path(directory) / "nothing.image", nothing))
    return result.status == program.FAILED


def start(point, count, action, *arguments):
    return program.start_words([*program.BASE, *arguments],
                               {VARIABLE: "%s:%d=%s" % (point, count, action)})


def was_reached(point, error):
    return b"fault point %d:" % POINTS[point].number in error


def _wait_until_stopped(process):
    """True once it is stopped; False if it ended. Its messages fit into the pipe."""
    ended = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return ended.si_code == os.CLD_STOPPED


def run(point, count, action, *arguments):
    """(exit status, messages) of a run that ends at a point, or does not reach it."""
    process = start(point, count, "stop" if action == "signal" else action, *arguments)
    if action == "signal" and _wait_until_stopped(process):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=program.DEADLINE)
    if process.returncode != -signal.SIGKILL:
        program.check_ending(program.Result(process.args, process.returncode, out, err))
    return process.returncode, err
