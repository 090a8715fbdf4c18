# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel messages that fail a run."""

import re

TROUBLE = re.compile(
    r"WARNING: |BUG: |Oops|Call Trace|Kernel panic|page allocation failure|"
    r"general protection fault|possible circular locking|soft lockup|blocked for more than|"
    r"INFO: trying to register|UBSAN: |rcu: INFO: .* stall|Unable to handle|segfault at|"
    r"Out of memory|invoked oom-killer")


class Console:
    """Checks the lines of the kernel's console; trouble is the first one that fails the run.

    @allowed: regular expression for lines that do not.
    """

    def __init__(self, allowed=None):
        self._allowed = re.compile(allowed) if allowed else None
        self.trouble = None

    def line(self, text):
        if self.trouble or not TROUBLE.search(text):
            return
        if not (self._allowed and self._allowed.search(text)):
            self.trouble = re.sub(r"^\[ *[\d.]+\] ", "", text)
