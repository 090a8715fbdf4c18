# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows one kexec that a state in RAM survives: a VM with 2 GiB of RAM and a 2 GiB NVDIMM."""

import argparse
import sys
import time

from . import paths, tool
from .machine import GIB, Machine
from .script import Request, run_script

MARK = "## "


def main():
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--kernel", default="6.1", help="6.1, 6.12 or 7.3 (default: %(default)s)")
    parser.add_argument("--mib", type=int, default=512,
                        help="size of the state, in MiB (default: %(default)s)")
    options = parser.parse_args()
    if not paths.PROGRAM.exists():
        sys.exit("demo: build/pmem-preserve does not exist: run make")
    request = Request(script=paths.GUEST / "story.sh", arguments=[str(options.mib)],
                      kernel=options.kernel, timeout=900,
                      machine=Machine(region="nvdimm", size=2 * GIB, memory=2 * GIB))
    started = time.monotonic()

    def show(line):
        if line.startswith(MARK):
            print(f"{time.monotonic() - started:6.1f} s  {line[len(MARK):]}", flush=True)

    print("A VM with 2 GiB of RAM and an NVDIMM of 2 GiB. On the left: seconds since its start.\n"
          "Without KVM every step takes many times longer than on a machine.", flush=True)
    outcome, log = run_script(request, log=paths.RUNS / "demo.log", on_output=show)
    if not outcome.passed:
        print(f"demo: {outcome.reason}; full log: {log}", file=sys.stderr)
        return 1
    print(f"The state came back complete. Full log: {log}")
    return 0


if __name__ == "__main__":
    tool.run("demo", main)
