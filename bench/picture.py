# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws bars for each workload, and the limit as a line: bench.picture RESULTS.json PICTURE."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

from . import results  # pylint: disable=wrong-import-position

COLOURS = {"ours": "#1a6fb0", "ours, new file": "#7fb2d9"}


def draw(axes, found, step):
    names, times, spread = [], [], [[], []]
    for name, steps in found["samples"].items():
        if step not in steps or name == "limit":
            continue
        middle = results.median(found, name, step)
        seconds = [sample[0] for sample in steps[step]]
        names.append(name)
        times.append(middle)
        spread[0].append(middle - min(seconds))
        spread[1].append(max(seconds) - middle)
    axes.barh(names, times, xerr=spread, capsize=2,
              color=[COLOURS.get(name, "#b8b8b8") for name in names])
    axes.invert_yaxis()
    limit = results.median(found, "limit", step)
    if limit:
        axes.axvline(limit, color="#c0392b", linewidth=1)
        axes.text(limit, 1.02, "limit", color="#c0392b", fontsize=8, ha="center",
                  transform=axes.get_xaxis_transform())
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def main():
    everything = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    workloads = everything["workloads"]
    figure, grid = plt.subplots(len(workloads), len(results.STEPS), squeeze=False,
                                figsize=(13, 2.1 * len(workloads)), layout="constrained")
    for row, (name, found) in zip(grid, workloads.items()):
        for axes, step in zip(row, results.STEPS):
            draw(axes, found, step)
            tree = found["tree"]
            axes.set_title(f"{name} ({tree['files']} files, {tree['bytes'] >> 20} MiB): {step}",
                           fontsize=9, loc="left", pad=16)
    for axes in grid[-1]:
        axes.set_xlabel("seconds, median, with the spread", fontsize=8)
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
