# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of a VM: each line with the seconds since its start and with who printed it."""

import re
import time


class Log:
    """Writes a log. A context manager."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "w", buffering=1, errors="backslashreplace")
        self._started = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def seconds(self):
        """How long ago the VM was started."""
        return time.monotonic() - self._started

    def write(self, source, line):
        self._file.write(f"{self.seconds():8.3f} {source:<7} {line}\n")


def read_log(path, source):
    """[(seconds, line)...] of all that @source printed."""
    found = []
    for text in path.read_text(errors="replace").splitlines():
        match = re.fullmatch(r" *(\d+\.\d+) (.{7}) (.*)", text)
        if match and match[2].rstrip() == source:
            found.append((float(match[1]), match[3]))
    return found
