# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian machine in QEMU, controlled by commands to the agent in it (guest/agent.sh)."""

import base64
import contextlib
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import time

from tests import vm
from tests.vm import accelerator, paths

BOOT_SECONDS = 300
COMMAND_SECONDS = 240


class Failed(Exception):
    """Something that a user would have lost by; its text says what."""


class Guest:
    """One machine from its start to its end. A context manager.

    said    every line of the console
    boots   the ids of all boots
    """

    def __init__(self, folder, machine, log, allowed=None):
        self._folder = pathlib.Path(folder)
        self._machine = machine
        self._log_path = pathlib.Path(log)
        self._console = vm.Console(allowed)
        self._lines = queue.Queue()
        self.said = []
        self.boots = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._log = stack.enter_context(vm.Log(self._log_path))
            private = pathlib.Path(stack.enter_context(
                tempfile.TemporaryDirectory(dir=paths.CACHE, prefix="debian-")))
            disk = private / "root.img"
            subprocess.run(["cp", "--sparse=always", self._folder / "root.img", disk], check=True)
            arguments = self._machine.arguments(self._folder / "vmlinuz", self._folder / "initrd",
                                                disk, private / "nvdimm")
            self._qemu = stack.enter_context(vm.Qemu([*accelerator.TCG, *arguments]))
            console, self._agent = self._qemu.ports
            readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in (
                (console, self._from_console), (self._agent, self._from_agent),
                (self._qemu.output, lambda line: self._log.write("qemu", line)))]
            for reader in readers:
                reader.start()
                stack.callback(reader.join)
            # Ends what they read.
            stack.callback(self._qemu.kill)
            self._wait_for_boot()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def _read(self, source, handle):
        lines = vm.Lines(handle)
        # A socket whose QEMU was killed may end with ECONNRESET.
        with contextlib.suppress(ConnectionResetError):
            while data := os.read(source.fileno(), 65536):
                lines.feed(data)
        lines.finish()
        if source is self._agent:
            self._lines.put(None)

    def _from_console(self, line):
        self._log.write("console", line)
        self._console.line(line)
        self.said.append(line)

    def _from_agent(self, line):
        self._log.write("agent", line)
        self._lines.put(line)

    def _next_line(self, deadline, what):
        try:
            line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise Failed(f"{what}: no answer in time") from None
        if line is None:
            raise Failed(f"{what}: QEMU exited ({self._qemu.wait()})")
        return line

    def _wait_for_boot(self):
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            words = self._next_line(deadline, "boot").split()
            if words[:2] == ["@@", "ready"] and words[2] not in self.boots:
                self.boots.append(words[2])
                return

    def run(self, script, timeout=COMMAND_SECONDS):
        """Runs a shell script as root in the guest; returns (exit status, output)."""
        self._log.write("host", script)
        self._agent.sendall(base64.b64encode(script.encode()) + b"\n")
        deadline = time.monotonic() + timeout
        output = []
        while True:
            line = self._next_line(deadline, script)
            if line.startswith("@@ end "):
                return int(line.split()[2]), "\n".join(output).strip()
            output.append(line)

    def expect(self, script, status=0, holds=""):
        """Runs a script; Failed unless it exits with @status and prints @holds. Returns its output."""
        ended, text = self.run(script)
        if ended != status:
            raise Failed(f"\"{script}\" exited with {ended}, not {status}: {text[-600:]}")
        if holds not in text:
            raise Failed(f"\"{script}\" did not print \"{holds}\": {text[-600:]}")
        return text

    def go_down(self, script):
        """Runs a script that takes the machine down, and waits for the next boot."""
        self.expect(script)
        self._wait_for_boot()

    def check_console(self):
        if self._console.trouble:
            raise Failed(f"kernel message: {self._console.trouble}")
