# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian machine in QEMU, and the agent in it that runs what it is told."""

import base64
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "qemu-nvdimm"))

from harness import accelerator, paths, serial  # noqa: E402
from harness.console import Console  # noqa: E402

# It goes when we do, however that comes.
QEMU = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"]
BOOT_SECONDS = 300
COMMAND_SECONDS = 240


class Failed(Exception):
    """Something that a user would have lost by; its text says what."""


class Guest:
    """One machine from its start to its end. A context manager."""

    def __init__(self, folder, machine, log, allowed=None):
        self._folder = pathlib.Path(folder)
        self._machine = machine
        self._log_path = pathlib.Path(log)
        self._console = Console(allowed)
        self._lines = queue.Queue()
        self.said = []              # every line of the console
        self.boots = []             # their boot ids

    def __enter__(self):
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        self._private = tempfile.TemporaryDirectory(dir=paths.CACHE, prefix="debian-")
        private = pathlib.Path(self._private.name)
        disk = private / "root.img"
        subprocess.run(["cp", "--sparse=always", self._folder / "root.img", disk], check=True)
        arguments = self._machine.arguments(self._folder / "vmlinuz", self._folder / "initrd",
                                            disk, private / "nvdimm")
        # A reset must not end it: memory outlives that, and one test is about it.
        arguments.remove("-no-reboot")
        self._log = open(self._log_path, "w", buffering=1, errors="backslashreplace")
        self._started = time.monotonic()
        with serial.ports(2) as (self._sockets, ports, descriptors):
            self._qemu = subprocess.Popen(
                [*QEMU, *accelerator.TCG, *arguments, *ports], stdin=subprocess.DEVNULL,
                stdout=self._log, stderr=self._log, start_new_session=True, pass_fds=descriptors)
        self._agent = self._sockets[1]
        for source, handle in zip(self._sockets, (self._from_console, self._from_agent)):
            threading.Thread(target=self._read, args=(source, handle), daemon=True).start()
        self._wait_for_boot()
        return self

    def __exit__(self, *_):
        self._qemu.kill()
        self._qemu.wait()
        for host in self._sockets:
            host.close()
        self._log.close()
        self._private.cleanup()

    def _write(self, mark, line):
        self._log.write(f"{time.monotonic() - self._started:8.3f} {mark} {line}\n")

    def _read(self, source, handle):
        lines = serial.Lines(handle)
        while True:
            try:
                data = os.read(source.fileno(), 65536)
            except OSError:
                return
            if not data:
                self._lines.put(None)
                return
            lines.feed(data)

    def _from_console(self, line):
        self._write("console", line)
        self._console.line(line)
        self.said.append(line)

    def _from_agent(self, line):
        self._write("agent  ", line)
        self._lines.put(line)

    def _next_line(self, deadline, what):
        try:
            line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise Failed(f"{what}: no answer in time") from None
        if line is None:
            raise Failed(f"{what}: QEMU ended ({self._qemu.wait()})")
        return line

    def _wait_for_boot(self):
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            words = self._next_line(deadline, "boot").split()
            if words[:2] == ["@@", "ready"] and words[2] not in self.boots:
                self.boots.append(words[2])
                return

    def run(self, script, timeout=COMMAND_SECONDS):
        """Runs it as root in the guest: (status, what it printed)."""
        self._write("host   ", script)
        self._agent.sendall(base64.b64encode(script.encode()) + b"\n")
        deadline = time.monotonic() + timeout
        output = []
        while True:
            line = self._next_line(deadline, script)
            if line.startswith("@@ end "):
                return int(line.split()[2]), "\n".join(output).strip()
            output.append(line)

    def expect(self, script, status=0, holds=""):
        """The same; Failed when it ends with another status or does not print @holds."""
        ended, text = self.run(script)
        if ended != status:
            raise Failed(f"\"{script}\" ended with {ended}, not {status}: {text[-600:]}")
        if holds not in text:
            raise Failed(f"\"{script}\" did not print \"{holds}\": {text[-600:]}")
        return text

    def go_down(self, script):
        """Runs what takes the machine down, and waits until it is up again."""
        self.expect(script)
        self._wait_for_boot()

    def check_console(self):
        if self._console.trouble:
            raise Failed(f"the kernel said: {self._console.trouble}")
