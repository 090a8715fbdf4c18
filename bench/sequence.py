# SPDX-License-Identifier: GPL-2.0-or-later
"""Save and restore, phase by phase: pmem-preserve in both layouts, and scripts/preserve-state.sh.

They take turns in one VM, with real kexecs. The boots in between are not counted: they are the
kernel's. Absolute times of a VM mean nothing.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys

from tests import vm
from tests.vm import tool

HERE = pathlib.Path(__file__).resolve().parent
WAYS = ("script", "raw", "devdax", "prepared-raw", "prepared-devdax")

# The message of the program, or of the script, that ends a phase.
PHASES = (
    ("memory out", r"preserve-state: 2: |\S+ is no longer RAM"),
    ("raw", r"preserve-state: 3: |\S+ is (raw|devdax) now"),
    ("saved", r"preserve-state: 4: |The checkpoint is committed"),
    ("kernel loaded", r"preserve-state: 6: |Starting the next kernel"),
    ("state back", r"preserve-state: 7: .* unpacked|Everything is restored"),
)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/sequence", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=400, help="of state (default: 400)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    return parser.parse_args()


def read(log):
    """[(way, step, {phase: seconds since the step began})...] from the log of a VM."""
    steps = []
    for at, text in vm.read_log(log, "script"):
        begin = re.match(r"@ (prepare|save|restore) (\S+)$", text)
        if begin:
            steps.append((begin[2], begin[1], at, {}))
        elif text == "@ end":
            steps[-1][3]["RAM again"] = at - steps[-1][2]
        elif steps:
            for phase, pattern in PHASES:
                if re.match(pattern, text):
                    steps[-1][3].setdefault(phase, at - steps[-1][2])
    return [(way, step, phases) for way, step, _, phases in steps]


def main():
    options = parse_arguments()
    # A whole number of blocks: libdaxctl also removes the other half of a block that is only partly
    # in the region.
    region = -(-(2 * options.mib + 256) // 128) * 128
    outcome, log = vm.run_script(vm.Request(
        HERE / "guest" / "sequence.sh", name="bench-sequence", kernel=options.kernel, timeout=3000,
        arguments=[str(options.mib), *(WAYS * options.rounds)],
        machine=vm.Machine(size=region * vm.MIB, memory=3 * vm.GIB)))
    if not outcome.passed:
        sys.exit(f"bench/sequence: {outcome.reason}; full log: {log}")
    samples = {}
    for way, step, phases in read(log):
        for phase, seconds in phases.items():
            samples.setdefault(way, {}).setdefault(f"{step}: {phase}", []).append(seconds)
    totals = {}
    for way, phases in samples.items():
        print(f"{way}:")
        for phase, times in phases.items():
            print(f"  {phase:<24} {statistics.median(times):7.2f} s "
                  f"({min(times):.2f} to {max(times):.2f})")
        totals[way] = (statistics.median(phases["save: kernel loaded"]) +
                       statistics.median(phases["restore: state back"]))
        print(f"  {'stopped to state back':<24} {totals[way]:7.2f} s, "
              f"{totals[way] / totals['script']:.2f} of the script's\n")
    if options.json:
        options.json.write_text(json.dumps(samples, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tool.run("bench/sequence", main)
