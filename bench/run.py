# SPDX-License-Identifier: GPL-2.0-or-later
"""pmem-preserve beside tar, cp, rsync, mkfs.erofs and the limit, on the same trees, in turns.

Whole processes, everything on tmpfs, medians. Only the ratios mean something: absolute times depend
on the machine and the hour. See README.md.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys

from . import contestants, results, workloads

WORKLOADS = {
    "big": workloads.big,
    "small": workloads.small,
    "mixed": workloads.mixed,
    "sparse": workloads.sparse,
    "huge": workloads.huge,
}
GROWTH = {
    "big": ((1024, 2048, 4096), workloads.big),
    "small": ((50_000, 100_000, 200_000), workloads.small),
}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5,
                        help="of all commands, in turns (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="of ours and the limit (default: 2)")
    parser.add_argument("--only", action="append", choices=[*WORKLOADS, "keyed", "growth"],
                        help="one workload; may be repeated")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write all samples to FILE")
    parser.add_argument("--picture", type=pathlib.Path, metavar="FILE",
                        help="draw bars, as SVG or PNG; needs --json")
    options = parser.parse_args()
    if options.picture and not options.json:
        parser.error("--picture draws what --json has written: give both")
    return options


def own_mounts():
    """Starts again in a mount namespace of its own, which ends with the process."""
    if os.geteuid() != 0:
        sys.exit("bench/run: must be root, to mount tmpfs with and without huge pages")
    if not os.environ.get("PMEM_PRESERVE_BENCH"):
        os.environ["PMEM_PRESERVE_BENCH"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private",
                              sys.executable, "-m", "bench.run", *sys.argv[1:]])


def in_turns(field, rounds, step):
    """{name: [sample...]} of step(contestant); each round starts with another contestant."""
    samples = {}
    for number in range(rounds):
        for i in range(len(field)):
            contestant = field[(i + number) % len(field)]
            samples.setdefault(contestant.name, []).append(step(contestant))
    return samples


def measure(name, make, rounds, threads, field=contestants.ALL):
    """The tree's files and bytes, and the samples: {contestant: {step: [(seconds, KiB)...]}}."""
    samples = {contestant.name: {} for contestant in field}

    def note(step, found):
        for contestant, times in found.items():
            samples[contestant][step] = times

    with contestants.Scratch(threads) as scratch:
        make(scratch.state)
        scratch.prepare([scratch.device, scratch.keyed_device]
                        if field is contestants.KEYED else [scratch.device])
        tree = dict(zip(("files", "bytes"), workloads.describe(scratch.state)))
        print(f"{name}: {tree['files']} files, {tree['bytes'] >> 20} MiB", flush=True)

        def save(contestant):
            sample = contestants.timed(*contestant.save(scratch))
            contestant.forget(scratch)
            return sample

        note("save", in_turns(field, rounds, save))
        restoring = [c for c in field if c.restore(scratch, scratch.plain)]
        for contestant in restoring:
            contestants.timed(*contestant.save(scratch))
        # It is not needed any more, and its memory is.
        scratch.remove(scratch.state)
        for step, place in (("restore", scratch.plain), ("restore, huge pages", scratch.huge)):

            def restore(contestant, place=place):
                out = scratch.out(place)
                sample = contestants.timed(*contestant.restore(scratch, out))
                scratch.remove(out)
                return sample

            # One that is not counted: memory that was in small pages becomes huge pages slowly.
            restore(restoring[0])
            note(step, in_turns(restoring, rounds, restore))
        for contestant in restoring:
            contestant.forget(scratch)
    return {"tree": tree, "samples": samples}


def main():
    options = parse_arguments()
    own_mounts()
    # As an exception, so that gigabytes of tmpfs are unmounted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    contestants.check()
    everything = {"threads": options.threads, "workloads": {}, "keyed": {}, "growth": {}}
    for name, make in WORKLOADS.items():
        if not options.only or name in options.only:
            found = measure(name, make, options.rounds, options.threads)
            everything["workloads"][name] = found
            results.table(found)
    if not options.only or "keyed" in options.only:
        for name in ("big", "small"):
            found = measure(f"keyed, {name}", WORKLOADS[name], options.rounds, options.threads,
                            contestants.KEYED)
            everything["keyed"][name] = found
            results.table(found)
    if not options.only or "growth" in options.only:
        growing = [c for c in contestants.ALL if c.name in ("ours", "ours, new file")]
        for name, (sizes, make) in GROWTH.items():
            for size in sizes:
                found = measure(f"{name}, {size}", lambda root, make=make, size=size:
                                make(root, size), max(3, options.rounds), options.threads,
                                growing)
                everything["growth"].setdefault(name, {})[str(size)] = found
    results.goals(everything)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    if options.picture:
        # Debian's own Python has Debian's matplotlib. In this process its memory would be counted.
        subprocess.run(["/usr/bin/python3", "-m", "bench.picture", options.json, options.picture],
                       check=True)


if __name__ == "__main__":
    main()
