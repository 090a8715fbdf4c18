# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios: guest scripts whose first comment lines say which machine they need.

A script that names several kernels is a scenario for each of them: NAME-KERNEL. Those in brackets
run with TESTS_LONG=1 in the environment, or when they are named.
"""

import dataclasses
import os
import pathlib
import re

from . import paths
from .machine import Machine, parse_size
from .script import Request

KEYS = {"kernel", "region", "size", "memory", "cpus", "append", "timeout", "state-size", "allow",
        "module", "file", "needs"}
REPEATED = ("module", "file")
NEEDS = {
    "pmem-preserve": (paths.PROGRAM, "build/pmem-preserve is not built"),
    "fault-points": (paths.WITH_FAULTS, "build-faults/pmem-preserve is not built"),
}


@dataclasses.dataclass
class Scenario:
    name: str
    script: pathlib.Path
    kernel: str
    values: dict
    long: bool = False

    def on(self, kernel):
        """The same scenario on another kernel."""
        return Scenario(f"{self.script.stem}-{kernel}", self.script, kernel, self.values)

    def deadline(self):
        """Seconds for all of its boots."""
        return int(self.values.get("timeout", "600"))

    def missing(self):
        """Why it cannot run here; "" if it can."""
        for file in self._paths("module") + self._paths("file"):
            if not file.exists():
                return f"{os.path.relpath(file, paths.REPOSITORY)} is not there"
        need = self.values.get("needs")
        return "" if not need or NEEDS[need][0].exists() else NEEDS[need][1]

    def _paths(self, key):
        names = self.values.get(key, "").replace("{kernel}", self.kernel)
        return [paths.REPOSITORY / name for name in names.split()]

    def request(self):
        value = self.values.get
        machine = Machine(region=value("region", "memmap"), size=parse_size(value("size", "1G")),
                          memory=parse_size(value("memory", "1536M")),
                          cpus=int(value("cpus", "1")), append=value("append", ""))
        files = [(file, f"/usr/bin/{file.name}") for file in self._paths("file")]
        if value("needs") == "fault-points":
            files.append((paths.WITH_FAULTS, "/usr/bin/pmem-preserve"))
        return Request(script=self.script, name=self.name, kernel=self.kernel, machine=machine,
                       files=files, modules=self._paths("module"),
                       state_size=value("state-size", "80%"),
                       timeout=self.deadline(), trace=True,
                       allowed=value("allow", ""))


def _header(script):
    """The "# key: value" lines of the comment that starts the file; those REPEATED add up."""
    values = {}
    for line in script.read_text().splitlines():
        if not line.startswith("#"):
            break
        match = re.fullmatch(r"# ([a-z-]+): +(.*)", line)
        if match and match[1] != "shellcheck":
            more = f"{values[match[1]]} " if match[1] in REPEATED and match[1] in values else ""
            values[match[1]] = more + match[2].strip()
    unknown = set(values) - KEYS
    if unknown:
        raise ValueError(f"{script.name}: unknown key: {', '.join(sorted(unknown))}")
    if values.get("needs", "pmem-preserve") not in NEEDS:
        raise ValueError(f"{script.name}: unknown value of needs: {values['needs']}")
    return values


def _load(script):
    """The scenarios of a script, one for each kernel."""
    values = _header(script)
    words = values.get("kernel", "6.1").split()
    first = Scenario(script.stem, script, words[0].strip("()"), values)
    if len(words) == 1:
        return [first]
    return [dataclasses.replace(first.on(word.strip("()")), long=word.startswith("("))
            for word in words]


def _all():
    return [one for script in sorted(paths.SCENARIOS.glob("*.sh")) for one in _load(script)]


def load_all():
    """All scenarios, the longest first: the last ones to end should be short."""
    return sorted((one for one in _all() if not one.long or os.environ.get("TESTS_LONG")),
                  key=lambda one: -one.deadline())


def load(name):
    """The scenario @name, or all of a script that has several kernels."""
    found = [one for one in _all() if name in (one.name, one.script.stem)]
    if not found:
        raise ValueError(f"no such scenario: {name}")
    return found
