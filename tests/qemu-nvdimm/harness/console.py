# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says on its console that must not be there."""

import re

TROUBLE = re.compile(
    r"WARNING: |BUG: |Oops|Call Trace|Kernel panic|page allocation failure|"
    r"general protection fault|possible circular locking|soft lockup|blocked for more than|"
    r"INFO: trying to register|UBSAN: |rcu: INFO: .* stall|Unable to handle|segfault at|"
    r"Out of memory|invoked oom-killer")


class Console:
    """Lines of the kernel's console; remembers the first one that means trouble."""

    def __init__(self, allowed=None):
        self._allowed = re.compile(allowed) if allowed else None
        self.trouble = None

    def line(self, text):
        if self.trouble or not TROUBLE.search(text):
            return
        if not (self._allowed and self._allowed.search(text)):
            self.trouble = re.sub(r"^\[ *[\d.]+\] ", "", text)
