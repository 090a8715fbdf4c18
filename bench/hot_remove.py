# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast 2 GiB of hot-added memory are removed: by our driver, by the stock one, by 7.3's.

In VMs with 6.1 (or 6.12) our driver's "state" and the stock driver with "daxctl offline-memory" and
unbind take turns; in VMs with 7.3 that kernel's own "state" and the same steps do. The kernels are
compared by these steps, which they have in common. Whole commands, medians; absolute times of a VM
mean nothing.
"""

import argparse
import json
import pathlib
import statistics
import sys

from tests import vm
from tests.vm import tool

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent
REGION_MIB = 2048
HALF_MIB = 960  # of the 15 whole blocks, 1920 MiB


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/hot-remove", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.1", help="for our driver (default: 6.1)")
    parser.add_argument("--rounds", type=int, default=2, help="VMs of each kernel (default: 2)")
    parser.add_argument("--idle", type=int, default=7, help="pairs in each VM (default: 7)")
    parser.add_argument("--half", type=int, default=3, help="pairs in each VM (default: 3)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all samples to FILE")
    return parser.parse_args()


def run_vm(kernel, load, pairs):
    """{way: [ms...]} of one VM."""
    files = []
    module = REPOSITORY / "build" / "modules" / kernel / "kmem.ko"
    if kernel != "7.3":
        if not module.exists():
            sys.exit(f"{module} is not built: make modules")
        files.append((module, "/lib/ours/kmem.ko"))
    outcome, log = vm.run_script(vm.Request(
        HERE / "guest" / "hot-remove.sh", name=f"bench-hot-remove-{kernel}", kernel=kernel,
        arguments=[load, str(pairs), str(HALF_MIB)], files=files, timeout=900,
        machine=vm.Machine(size=REGION_MIB * vm.MIB, memory=3 * vm.GIB)))
    if not outcome.passed:
        sys.exit(f"bench/hot-remove: the VM with {kernel}: {outcome.reason}; full log: {log}")
    samples = {}
    for _, text in vm.read_log(log, "script"):
        words = text.split()
        if words[:1] == ["sample"]:
            samples.setdefault(words[1], []).append(int(words[3]) / 1000)
    return samples


def measure(options, load, pairs):
    """{kernel: {way: [ms...]}}; the kernels take turns, under the same load of this computer."""
    kernels = (options.kernel, "7.3")
    results = {kernel: {"steps": [], "state": []} for kernel in kernels}
    for _ in range(options.rounds):
        for kernel in kernels:
            for way, times in run_vm(kernel, load, pairs).items():
                results[kernel][way] += times
    return results


def line(name, times):
    ordered = sorted(times)
    return (f"  {name:<46} {statistics.median(times):8.0f} ms "
            f"({ordered[0]:.0f} to {ordered[-1]:.0f}, {len(times)} times)")


def report(kernel, load, results):
    def median(which, way):
        return statistics.median(results[which][way])

    print(f"{load}:")
    print(line(f"{kernel}, stock: daxctl offline-memory, unbind", results[kernel]["steps"]))
    print(line(f"{kernel}, ours: unplugged > state", results[kernel]["state"]))
    print(line("7.3, stock: daxctl offline-memory, unbind", results["7.3"]["steps"]))
    print(line("7.3, its own: unplugged > state", results["7.3"]["state"]))
    ours = median(kernel, "steps") / median(kernel, "state")
    newest = median("7.3", "steps") / median("7.3", "state")
    print(f"  ours is {ours:.2f} times as fast as the steps on the same kernel; "
          f"7.3's own is {newest:.2f} times")
    direct = median("7.3", "state") / median(kernel, "state")
    print(f"  ours is {direct:.2f} times as fast as 7.3's own, each on its kernel")


def main():
    options = parse_arguments()
    everything = {}
    for load, pairs in (("idle", options.idle), ("half", options.half)):
        if pairs:
            everything[load] = measure(options, load, pairs)
            report(options.kernel, load, everything[load])
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    tool.run("bench/hot-remove", main)
