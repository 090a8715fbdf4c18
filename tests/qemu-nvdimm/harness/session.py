# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of QEMU, watched to its end: what it said, in one log, and how it ended."""

import dataclasses
import os
import selectors
import subprocess
import time

from . import serial
from .console import Console

POLL_SECONDS = 0.5
QEMU = "qemu-system-x86_64"


@dataclasses.dataclass
class Outcome:
    status: int = None      # of the guest script; None: it did not end
    reason: str = ""        # why the run failed; "" when it did not
    stages: int = 0         # boots that reached the script

    @property
    def booted(self):
        return self.stages > 0

    @property
    def passed(self):
        return not self.reason


class Session:
    """Starts QEMU and reads two serial ports: the kernel's console, and the script's output.

    @stopping, a threading.Event, ends the run early when it is set. A script that says so has the
    power cut: QEMU is killed and started anew, with its disk and its NVDIMM as they are then.
    """

    def __init__(self, arguments, *, log, timeout, on_output=None, allowed=None,
                 stopping=None):
        self._arguments = arguments
        self._log = log
        self._timeout = timeout
        self._on_output = on_output or (lambda line: None)
        self._console = Console(allowed)
        self._stopping = stopping
        self._outcome = Outcome()
        self._broken = None
        self._started = None
        self._power_is_on = False

    def run(self):
        """Runs the VM to its end. Kills it when the time is over, or when anything is raised."""
        with open(self._log, "w", buffering=1, errors="backslashreplace") as log:
            self._started = time.monotonic()
            while not self._power_is_on:
                self._power_is_on = True
                qemu = self._start(log)
        self._judge(qemu)
        return self._outcome

    def _start(self, log):
        with serial.ports(2) as (hosts, ports, descriptors):
            qemu = subprocess.Popen(
                [QEMU, *self._arguments, *ports], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=descriptors, start_new_session=True)
        try:
            self._watch(log, *hosts, qemu)
        finally:
            qemu.kill()
            qemu.wait()
            for host in hosts:
                host.close()
        return qemu

    def _watch(self, log, console, script, qemu):
        def write(mark, line):
            log.write(f"{time.monotonic() - self._started:8.3f} {mark} {line}\n")

        def from_kernel(line):
            write("kernel", line)
            self._console.line(line)

        def from_script(line):
            write("script", line)
            if line.startswith("@@ "):
                self._marker(line.split()[1:])
            else:
                self._on_output(line)

        readers = {console: serial.Lines(from_kernel), script: serial.Lines(from_script),
                   qemu.stdout: serial.Lines(lambda line: write("qemu  ", line))}
        with selectors.DefaultSelector() as selector:
            for source in readers:
                selector.register(source, selectors.EVENT_READ)
            while selector.get_map() and self._power_is_on:
                left = self._started + self._timeout - time.monotonic()
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
        """The gravest reason first."""
        outcome = self._outcome
        if self._console.trouble:
            outcome.reason = f"the kernel said: {self._console.trouble}"
        elif outcome.reason:
            pass
        elif self._broken:
            outcome.reason = self._broken
        elif outcome.status is None:
            outcome.reason = (f"QEMU ended ({qemu.returncode}) in stage {outcome.stages} "
                              "without a result")
        elif outcome.status != 0:
            outcome.reason = f"stage {outcome.stages} ended with status {outcome.status}"
