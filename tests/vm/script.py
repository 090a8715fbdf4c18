# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one guest script in one VM, through all of its boots."""

import dataclasses
import pathlib
import shutil
import tempfile

from . import accelerator, initramfs, kernel as kernels, paths, scratch
from .machine import Machine
from .session import Session


@dataclasses.dataclass
class Request:
    script: pathlib.Path
    name: str = ""              # of the log; default: that of the script
    arguments: list = dataclasses.field(default_factory=list)
    kernel: str = "6.1"
    machine: Machine = dataclasses.field(default_factory=Machine)
    files: list = dataclasses.field(default_factory=list)    # (path here, path in the guest)
    modules: list = dataclasses.field(default_factory=list)  # .ko that replace the kernel's own
    state_size: str = "80%"     # of the tmpfs on /var/state
    timeout: int = 300          # seconds, for all boots together
    trace: bool = False         # sh -x
    allowed: str = ""           # regular expression: kernel messages that do not fail the run


def run_script(request, *, log=None, on_output=None, stopping=None, keep=False):
    """Runs @request and returns (Outcome, path of the log). Raises Unavailable.

    @log: where to write it; default: .cache/runs/NAME.log
    @on_output: called with each line that the script prints
    @stopping: a threading.Event that ends the run early
    @keep: do not delete the disk images
    """
    kernel = kernels.fetch(request.kernel)
    initrd = initramfs.build(kernel, [pathlib.Path(module) for module in request.modules])
    paths.RUNS.mkdir(parents=True, exist_ok=True)
    name = request.name or pathlib.Path(request.script).stem
    log = pathlib.Path(log or paths.RUNS / f"{name}.log")
    folder = pathlib.Path(tempfile.mkdtemp(prefix=log.stem + "-", dir=paths.RUNS))
    try:
        disk = folder / "scratch"
        scratch.create(disk, kernel=kernel, initramfs=initrd, script=request.script,
                       arguments=request.arguments, files=request.files,
                       state_size=request.state_size, trace=request.trace)
        # Under emulation a stock kernel occasionally dies before it reaches our init. That says
        # nothing about what is tested, so the boot is tried once more, and the first log is kept.
        for first in (True, False):
            session = Session(
                [*accelerator.arguments(kernel, initrd),
                 *request.machine.arguments(kernel.image, initrd, disk, folder / "nvdimm")],
                log=log, timeout=request.timeout, on_output=on_output, allowed=request.allowed,
                stopping=stopping)
            outcome = session.run()
            if outcome.booted or not first or (stopping and stopping.is_set()):
                return outcome, log
            log.replace(log.with_suffix(".first-boot.log"))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
