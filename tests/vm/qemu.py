# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU process, its serial ports as sockets, and what arrives on them as lines."""

import socket
import subprocess

# QEMU must not outlive the process that started it, even if that is killed.
COMMAND = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"]
PORTS = 2


class Qemu:
    """A running QEMU with two serial ports. A context manager: leaving it kills QEMU.

    ports       our ends of the serial ports, sockets
    output      what QEMU itself prints, a file
    """

    def __init__(self, arguments):
        pairs = [socket.socketpair() for _ in range(PORTS)]
        self.ports = [ours for ours, _ in pairs]
        theirs = [guest for _, guest in pairs]
        serial = []
        for port in theirs:
            name = f"port{port.fileno()}"
            serial += ["-chardev", f"socket,id={name},fd={port.fileno()}",
                       "-serial", f"chardev:{name}"]
        self._process = subprocess.Popen(
            [*COMMAND, *arguments, *serial], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            pass_fds=[port.fileno() for port in theirs])
        self.output = self._process.stdout
        for port in theirs:
            port.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.output.close()
        for port in self.ports:
            port.close()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def wait(self):
        """The exit status."""
        return self._process.wait()


class Lines:
    """Splits what arrives into lines; of a progress line, the last version."""

    def __init__(self, handle):
        self._handle = handle
        self._rest = b""

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            shown = line.rstrip(b"\r").rpartition(b"\r")[2].removeprefix(b"\033[K")
            self._handle(shown.decode(errors="backslashreplace"))

    def finish(self):
        if self._rest:
            self.feed(b"\n")
