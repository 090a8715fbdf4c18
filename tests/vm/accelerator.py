# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM if it works here, TCG otherwise. Guests hang on some KVM devices, so a boot is tried once."""

import os
import subprocess
import tempfile

from . import paths

TCG = ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off,erms=off,fsrm=off"]
KVM = ["-accel", "kvm", "-cpu", "host"]
PROBE_SECONDS = 20


def _kvm_boots(kernel, initramfs):
    """Whether a guest reaches its first process."""
    with tempfile.NamedTemporaryFile() as console:
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", *KVM, "-machine", "q35", "-m", "1G", "-nodefaults",
             "-display", "none", "-no-reboot", "-serial", f"file:{console.name}",
             "-kernel", str(kernel.image), "-initrd", str(initramfs),
             "-append", "console=ttyS0 panic=-1 rdinit=/usr/bin/true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            qemu.wait(PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        finally:
            qemu.kill()
            qemu.wait()
        with open(console.name, errors="replace") as file:
            return "Run /usr/bin/true as init process" in file.read()


def arguments(kernel, initramfs):
    """QEMU's arguments for the fastest accelerator that works here; the result is cached."""
    cached = paths.CACHE / "accelerator"
    if not os.access("/dev/kvm", os.W_OK):
        return TCG
    if not cached.exists():
        cached.write_text("kvm\n" if _kvm_boots(kernel, initramfs) else "tcg\n")
    return KVM if cached.read_text().strip() == "kvm" else TCG
