# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots a VM with persistent memory and runs one guest script in it."""

import argparse
import sys

from . import tool
from .machine import REGIONS, Machine, parse_size
from .script import Request, run_script


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="vm", description=__doc__,
        epilog="Exit status: that of the script; 125: the VM failed; 77: no VM can be had here.")
    parser.add_argument("--kernel", default="6.1", help="6.1, 6.12 or 7.3 (default: %(default)s)")
    parser.add_argument("--region", default="memmap", choices=REGIONS)
    parser.add_argument("--size", default="1G", help="of the region (default: %(default)s)")
    parser.add_argument("--memory", default="1536M",
                        help="RAM besides the region (default: %(default)s)")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--append", default="", help="more for the kernel's command line")
    parser.add_argument("--file", action="append", default=[], metavar="SOURCE[:TARGET]",
                        help="copy a file, with its libraries, or a folder into the guest "
                             "(default target: /usr/bin/NAME)")
    parser.add_argument("--module", action="append", default=[], metavar="FILE.ko",
                        help="module to use instead of the kernel's own of that name")
    parser.add_argument("--state-size", default="80%", help="of the tmpfs on /var/state")
    parser.add_argument("--timeout", type=int, default=300, help="seconds, for all boots")
    parser.add_argument("--allow", default="", metavar="REGEX",
                        help="kernel messages that do not fail the run")
    parser.add_argument("--log", help="default: .cache/runs/SCRIPT.log")
    parser.add_argument("--keep", action="store_true", help="do not delete the disk images")
    parser.add_argument("-x", "--trace", action="store_true", help="run the script with sh -x")
    parser.add_argument("script")
    parser.add_argument("argument", nargs=argparse.REMAINDER)
    return parser.parse_args()


def main():
    options = parse_arguments()
    files = []
    for text in options.file:
        source, _, target = text.partition(":")
        files.append((source, target or f"/usr/bin/{source.rstrip('/').rpartition('/')[2]}"))
    try:
        machine = Machine(region=options.region, size=parse_size(options.size),
                          memory=parse_size(options.memory), cpus=options.cpus,
                          append=options.append)
        outcome, log = run_script(
            Request(script=options.script, arguments=options.argument, kernel=options.kernel,
                    machine=machine, files=files, modules=options.module,
                    state_size=options.state_size, timeout=options.timeout,
                    trace=options.trace, allowed=options.allow),
            log=options.log, on_output=lambda line: print(line, flush=True), keep=options.keep)
    except (OSError, ValueError) as error:
        print(f"vm: {error}", file=sys.stderr)
        return 125
    if outcome.passed:
        return 0
    print(f"vm: {outcome.reason}; full log: {log}", file=sys.stderr)
    return outcome.status or 125


if __name__ == "__main__":
    tool.run("vm", main)
