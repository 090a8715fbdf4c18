# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs scenarios, each in a VM of its own.

Prints one line for each: PASS, FAIL or SKIP, name, seconds, reason. Exit status: 0 if none failed
and at least one passed, 77 if all were skipped, else 1.
"""

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import os
import pathlib
import signal
import sys
import threading
import time

from . import scenario as scenarios
from .errors import Unavailable
from .log import read_log
from .script import run_script

LINES_OF_A_FAILURE = 25
BYTES_PER_VM = 4 << 30


@dataclasses.dataclass
class Result:
    verdict: str
    reason: str = ""
    log: pathlib.Path = None


def default_jobs():
    """As many as this computer can run without making each other miss their deadlines."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(os.cpu_count(), free // BYTES_PER_VM, 8))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", "--jobs", type=int, default=default_jobs(),
                        help="how many at a time (default: %(default)s, by processors and memory)")
    parser.add_argument("-k", "--keyword", metavar="PATTERN",
                        help="only those whose name contains this (* and ? as in a shell)")
    parser.add_argument("--kernel", help="run them on this kernel instead of those they name")
    parser.add_argument("-l", "--list", action="store_true", help="only print their names")
    parser.add_argument("--slow", type=float, default=1, metavar="FACTOR",
                        help="multiply deadlines, for a busy machine")
    parser.add_argument("scenario", nargs="*", help="default: all")
    return parser.parse_args()


def select(options):
    names = [pathlib.Path(name).name.removesuffix(".sh") for name in options.scenario]
    chosen = [one for name in names for one in scenarios.load(name)] or scenarios.load_all()
    if options.kernel:
        chosen = list({one.script: one.on(options.kernel) for one in chosen}.values())
    if options.keyword:
        chosen = [one for one in chosen if fnmatch.fnmatch(one.name, f"*{options.keyword}*")]
    return chosen


def execute(scenario, options, stopping):
    if stopping.is_set():
        return Result("SKIP", "interrupted")
    missing = scenario.missing()
    if missing:
        return Result("SKIP", missing)
    request = scenario.request()
    request.timeout *= options.slow
    try:
        outcome, log = run_script(request, stopping=stopping)
    except Unavailable as error:
        return Result("SKIP", str(error))
    if stopping.is_set():
        return Result("SKIP", "interrupted", log)
    return Result("PASS" if outcome.passed else "FAIL", outcome.reason, log)


def report(scenario, result, seconds):
    print(f"{result.verdict} {scenario.name} {seconds:.0f} s", end="")
    print(f" [{result.reason}]" if result.reason else "")
    if result.verdict == "FAIL":
        for line in result.log.read_text(errors="replace").splitlines()[-LINES_OF_A_FAILURE:]:
            print(f"    {line[:160]}")
        print(f"    log: {os.path.relpath(result.log)}")
    elif scenario.values.get("needs") == "fault-points" and result.log:
        # A table of all faults and their effects.
        for _, line in read_log(result.log, "script"):
            if line.startswith(("## fault ", "## the power was cut ")):
                print(f"    {line.removeprefix('## ')}")
    sys.stdout.flush()


def run_all(chosen, options):
    counts = dict.fromkeys(("PASS", "FAIL", "SKIP"), 0)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())

    def timed(scenario):
        started = time.monotonic()
        try:
            result = execute(scenario, options, stopping)
        except Exception as error:  # in the harness or the header: fails this scenario only
            result = Result("FAIL", f"{type(error).__name__}: {error}", pathlib.Path(os.devnull))
        return scenario, result, time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(timed, one) for one in chosen]):
            scenario, result, seconds = future.result()
            counts[result.verdict] += 1
            report(scenario, result, seconds)
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    if stopping.is_set():
        return 130
    if counts["FAIL"]:
        return 1
    return 0 if counts["PASS"] else 77


def main():
    options = parse_arguments()
    try:
        chosen = select(options)
    except ValueError as error:
        sys.exit(f"run: {error}")
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    if not chosen:
        sys.exit("run: no scenario matches")
    return run_all(chosen, options)


if __name__ == "__main__":
    sys.exit(main())
