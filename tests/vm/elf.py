# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared libraries of a program."""

import pathlib
import re
import subprocess


def libraries(program):
    """Paths of the libraries and of the loader, from ldd(1); empty for a static program."""
    with open(program, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return []
    result = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True)
    if "not found" in result.stdout:
        raise RuntimeError(f"{program} lacks a library:\n{result.stdout}")
    return [pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", result.stdout)]
