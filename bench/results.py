# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, their ratios, and the goals for them."""

import statistics

STEPS = ("save", "restore", "restore, huge pages")


def median(found, name, step):
    samples = found["samples"].get(name, {}).get(step)
    return statistics.median(seconds for seconds, _ in samples) if samples else None


def peak_mib(found, name, step):
    return max(kib for _, kib in found["samples"][name][step]) / 1024


def table(found):
    for step in STEPS:
        ours = median(found, "ours", step)
        for name, steps in found["samples"].items():
            if step not in steps:
                continue
            times = sorted(seconds for seconds, _ in steps[step])
            print(f"  {step:<20} {name:<15} {statistics.median(times):7.3f} s "
                  f"({times[0]:.3f} to {times[-1]:.3f})  "
                  f"{statistics.median(times) / ours:5.2f} times ours")
    print(flush=True)


def _goal(text, value, wanted, at_most=False):
    met = value <= wanted if at_most else value >= wanted
    sign = "<=" if at_most else ">="
    print(f"  {'met   ' if met else 'MISSED'}  {text:<58} {value:7.2f}  ({sign} {wanted})")


def _ratio(found, step, other):
    return median(found, other, step) / median(found, "ours", step)


def _against(workload, found, step, tar, limit):
    _goal(f"{workload}, {step}: times as fast as tar", _ratio(found, step, "tar"), tar)
    _goal(f"{workload}, {step}: of the limit's speed", _ratio(found, step, "limit"), limit)


def _growth(name, sizes):
    ordered = sorted(sizes, key=int)
    for step in ("save", "restore"):
        for less, more in zip(ordered, ordered[1:]):
            _goal(f"{name}, {step}: time for {more} / time for {less}",
                  median(sizes[more], "ours", step) / median(sizes[less], "ours", step), 2.1, True)


def goals(everything):
    workloads = everything["workloads"]
    print("Goals:")
    if "big" in workloads:
        _against("big", workloads["big"], "save", 2.2, 0.80)
        _against("big", workloads["big"], "restore", 1.5, 0.85)
        _against("big", workloads["big"], "restore, huge pages", 2.0, 0.75)
    if "small" in workloads:
        _against("small", workloads["small"], "save", 2.5, 0.60)
        _against("small", workloads["small"], "restore", 4.0, 0.75)
    for name, found in workloads.items():
        _goal(f"{name}, save: times as fast as mkfs.erofs", _ratio(found, "save", "mkfs.erofs"), 6)
    for name, sizes in everything["growth"].items():
        _growth(name, sizes)
    # "ours, new file": a mapped store would be counted as memory of the program.
    for name, found in workloads.items():
        most = 32 + found["tree"]["files"] * 300 / (1 << 20)
        for step in ("save", "restore"):
            _goal(f"{name}, {step}: MiB of memory at most",
                  peak_mib(found, "ours, new file", step), round(most, 1), True)
