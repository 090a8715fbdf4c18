# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's serial ports, as sockets, and what arrives on them, as lines."""

import contextlib
import socket


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


@contextlib.contextmanager
def ports(count):
    """(our ends, QEMU's arguments, file descriptors to pass to it). Leave it once QEMU runs.

    Our ends are the caller's to close.
    """
    pairs = [socket.socketpair() for _ in range(count)]
    arguments = []
    for _, guest in pairs:
        name = f"port{guest.fileno()}"
        arguments += ["-chardev", f"socket,id={name},fd={guest.fileno()}",
                      "-serial", f"chardev:{name}"]
    try:
        yield ([host for host, _ in pairs], arguments, [guest.fileno() for _, guest in pairs])
    finally:
        for _, guest in pairs:
            guest.close()
