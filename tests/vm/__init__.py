# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual machines with persistent memory, under QEMU, that go on across kexec. See README.md.

    Machine         what QEMU emulates: the region of persistent memory, RAM, processors
    Request         one guest script, the machine and the kernel that it runs on
    run_script()    runs a Request through all boots of its VM; returns an Outcome
    Unavailable     this computer lacks something that a VM needs: whatever needs it is skipped

Tests that bring a root file system of their own (tests/debian) take the parts: Qemu, Console, Log,
Lines.
"""

from .console import Console
from .errors import Unavailable
from .log import Log, read_log
from .machine import GIB, MIB, REGIONS, Machine, parse_size
from .qemu import Lines, Qemu
from .script import Request, run_script
from .session import Outcome

__all__ = ["GIB", "MIB", "REGIONS", "Console", "Lines", "Log", "Machine", "Outcome", "Qemu",
           "Request", "Unavailable", "parse_size", "read_log", "run_script"]
