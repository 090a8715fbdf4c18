# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of a VM: everything that is printed goes to one log, and the Outcome says how it ended."""

import dataclasses
import os
import selectors

from .console import Console
from .log import Log
from .qemu import Lines, Qemu

POLL_SECONDS = 0.5


@dataclasses.dataclass
class Outcome:
    status: int = None      # exit status of the guest script; None: it did not end
    reason: str = ""        # why the run failed; "" if it passed
    stages: int = 0         # boots that reached the script

    @property
    def booted(self):
        return self.stages > 0

    @property
    def passed(self):
        return not self.reason


class Session:
    """Starts QEMU and reads two serial ports: the kernel's console, and the script's output.

    Lines "@@ ..." of the script's output come from guest/init and tell how far the script is. After
    "@@ power-cut" QEMU is killed and started again, with its disk and its NVDIMM as they are then.
    """

    def __init__(self, arguments, *, log, timeout, on_output=None, allowed=None,
                 stopping=None):
        self._arguments = arguments
        self._log_path = log
        self._timeout = timeout
        self._on_output = on_output or (lambda line: None)
        self._console = Console(allowed)
        self._stopping = stopping
        self._outcome = Outcome()
        self._broken = None
        self._power_is_on = False

    def run(self):
        """Runs the VM to its end. QEMU is killed at the deadline, or when anything is raised."""
        with Log(self._log_path) as log:
            while not self._power_is_on:
                self._power_is_on = True
                with Qemu(self._arguments) as qemu:
                    self._watch(log, qemu)
        self._judge(qemu)
        return self._outcome

    def _watch(self, log, qemu):
        def from_kernel(line):
            log.write("kernel", line)
            self._console.line(line)

        def from_script(line):
            log.write("script", line)
            if line.startswith("@@ "):
                self._marker(line.split()[1:])
            else:
                self._on_output(line)

        console, script = qemu.ports
        readers = {console: Lines(from_kernel), script: Lines(from_script),
                   qemu.output: Lines(lambda line: log.write("qemu", line))}
        with selectors.DefaultSelector() as selector:
            for source in readers:
                selector.register(source, selectors.EVENT_READ)
            while selector.get_map() and self._power_is_on:
                left = self._timeout - log.seconds()
                if left <= 0:
                    self._outcome.reason = f"no end within {self._timeout} s"
                    return
                if self._stopping and self._stopping.is_set():
                    self._outcome.reason = "interrupted"
                    return
                for key, _ in selector.select(min(left, POLL_SECONDS)):
                    data = os.read(key.fd, 65536)
                    if data:
                        readers[key.fileobj].feed(data)
                    else:
                        readers[key.fileobj].finish()
                        selector.unregister(key.fileobj)

    def _marker(self, words):
        if words[0] == "stage":
            self._outcome.stages = int(words[1])
        elif words[0] == "end":
            self._outcome.status = int(words[2])
        elif words[0] == "broken":
            self._broken = " ".join(words[1:])
        elif words[0] == "power-cut":
            self._power_is_on = False

    def _judge(self, qemu):
        """Of several reasons the most serious one counts."""
        outcome = self._outcome
        if self._console.trouble:
            outcome.reason = f"kernel message: {self._console.trouble}"
        elif outcome.reason:
            pass
        elif self._broken:
            outcome.reason = self._broken
        elif outcome.status is None:
            outcome.reason = (f"QEMU exited ({qemu.wait()}) in stage {outcome.stages} "
                              "without a result")
        elif outcome.status != 0:
            outcome.reason = f"stage {outcome.stages} exited with status {outcome.status}"
