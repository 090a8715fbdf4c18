# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's disk for one run: kernel and initrd for kexec, the script and its files.

    boot/       vmlinuz-RELEASE, initrd.img-RELEASE; the guest links them into its /boot
    root/       copied over the guest's / at each boot
    script      what to run;  arguments: its arguments;  options: for init
    stage       the number of the boot; written by init
"""

import os
import pathlib
import random
import shlex
import shutil
import subprocess
import tempfile

from . import elf, paths

SIZE = "6G"  # sparse
RANDOM_BYTES = (1 << 20) + 13
OPTIONS = "state_size={state_size}\ntrace={trace}\nlong={long}\n"


def _add(root, source, target):
    """Copies a file with its libraries, or a folder, to @target in the guest."""
    source = pathlib.Path(source)
    place = root / target.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True)
        return
    shutil.copy(source, place)
    for library in elf.libraries(source):
        if not (root / str(library).lstrip("/")).exists():
            copy = root / str(library).lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, copy)


def create(image, *, kernel, initramfs, script, arguments, files, state_size, trace):
    """Creates the ext4 image. @files: pairs (file or folder here, path in the guest)."""
    with tempfile.TemporaryDirectory(dir=pathlib.Path(image).parent) as name:
        top = pathlib.Path(name)
        (top / "boot").mkdir()
        os.link(kernel.image, top / "boot" / f"vmlinuz-{kernel.release}")
        os.link(initramfs, top / "boot" / f"initrd.img-{kernel.release}")
        shutil.copy(script, top / "script")
        (top / "arguments").write_text("set -- " + shlex.join(arguments) + "\n")
        (top / "options").write_text(
            OPTIONS.format(state_size=state_size, trace="yes" if trace else "",
                           long="yes" if os.environ.get("TESTS_LONG") else ""))
        root = top / "root"
        for file in paths.GUEST.iterdir():
            if file.name != "init":
                _add(root, file, f"/usr/lib/qemu-nvdimm/{file.name}")
        (root / "usr/lib/qemu-nvdimm/random").write_bytes(
            random.Random(1).randbytes(RANDOM_BYTES))
        for file in sorted(paths.SCRIPTS.glob("*.sh")):
            _add(root, file, f"/usr/bin/{file.name}")
        if paths.PROGRAM.exists():
            _add(root, paths.PROGRAM, "/usr/bin/pmem-preserve")
        for source, target in files:
            _add(root, source, target)
        environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-I", "256",
                        "-E", "root_owner=0:0", "-d", top, image, SIZE], check=True,
                       env=environment, stdout=subprocess.DEVNULL)
