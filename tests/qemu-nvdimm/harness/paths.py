# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are. Everything that the harness writes lies below .cache/."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
GUEST = HERE / "guest"
SCENARIOS = HERE / "scenarios"
SCRIPTS = REPOSITORY / "scripts"
PROGRAM = REPOSITORY / "build" / "pmem-preserve"
WITH_FAULTS = REPOSITORY / "build-faults" / "pmem-preserve"

CACHE = REPOSITORY / ".cache"
INITRAMFS = CACHE / "initramfs"
RUNS = CACHE / "runs"
