# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are. Everything that is written here lies below .cache/."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
GUEST = HERE.parent / "qemu-nvdimm" / "guest"
SCENARIOS = HERE.parent / "qemu-nvdimm" / "scenarios"
SCRIPTS = REPOSITORY / "scripts"
PROGRAM = REPOSITORY / "build" / "pmem-preserve"
WITH_FAULTS = REPOSITORY / "build-faults" / "pmem-preserve"

CACHE = REPOSITORY / ".cache"
INITRAMFS = CACHE / "initramfs"
RUNS = CACHE / "runs"
