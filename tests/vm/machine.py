# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine's memory, and the QEMU command line for it.

Ordinary RAM lies below 1 GiB and above 4 GiB; the region of persistent memory starts at 4 GiB.

    memmap         RAM that memmap=SIZE!4G on the kernel's command line sets aside. There is RAM
                   above it: at the very top of memory the range would belong to no NUMA node.
    nvdimm         an NVDIMM without labels
    nvdimm-labels  an NVDIMM with a label area; its size is a multiple of 16 MiB less the labels
    soft-reserved  RAM that appears as reserved for a special purpose (EFI_MEMORY_SP). Its dax
                   region is dynamic: daxctl creates devices in it, of several ranges if need be.
    none           no persistent memory
"""

import dataclasses
import re

REGIONS = ("memmap", "nvdimm", "nvdimm-labels", "soft-reserved", "none")
MIB = 1 << 20
GIB = 1 << 30
LABELS = 2 * MIB
LOW_MEMORY = GIB

# memmap=SIZE%START-OLD+NEW changes the type of memory in the firmware's map (1: RAM).
SOFT_RESERVED = "-1+0xefffffff"

# panic=-1 reboots at once: a panic ends the VM, unless it survives resets. With norandmaps libraries
# are at the same addresses in each process, which saves an emulator most of its translations.
COMMAND_LINE = ("console=ttyS0,115200 loglevel=6 panic=-1 oops=panic no_timer_check "
                "random.trust_cpu=on net.ifnames=0 norandmaps")


def parse_size(text):
    """Bytes of "512M" or "2G"."""
    match = re.fullmatch(r"(\d+)([MG])", text)
    if not match:
        raise ValueError(f"'{text}' is not a size such as 512M or 2G")
    return int(match[1]) * {"M": MIB, "G": GIB}[match[2]]


@dataclasses.dataclass
class Machine:
    region: str = "memmap"
    size: int = GIB             # of the region, bytes
    memory: int = 1536 * MIB    # ordinary RAM besides the region, bytes
    cpus: int = 2
    append: str = ""            # more for the kernel's command line
    survives_reset: bool = False    # a reset does not end QEMU

    def __post_init__(self):
        if self.region not in REGIONS:
            raise ValueError(f"'{self.region}' is not a kind of region: {', '.join(REGIONS)}")
        if self.memory < LOW_MEMORY + 256 * MIB:
            raise ValueError("a machine has at least 1280M of memory besides its region")

    def command_line(self):
        words = [COMMAND_LINE]
        if self.region == "memmap":
            words.append(f"memmap={self.size // MIB}M!4G")
        if self.region == "soft-reserved":
            words.append(f"memmap={self.size // MIB}M%4G{SOFT_RESERVED}")
        if self.append:
            words.append(self.append)
        return " ".join(words)

    def arguments(self, kernel, initramfs, scratch, nvdimm):
        """QEMU's arguments without accelerator and serial ports. @nvdimm: the NVDIMM's file."""
        ram = self.memory + (self.size if self.region in ("memmap", "soft-reserved") else 0)
        size = f"size={ram // MIB}M"
        memory = f"{ram // MIB}M"
        machine = f"q35,max-ram-below-4g={LOW_MEMORY // MIB}M"
        devices = []
        if self.region.startswith("nvdimm"):
            labels = LABELS if self.region == "nvdimm-labels" else 0
            whole = self.size + labels
            machine += ",nvdimm=on"
            memory += f",slots=1,maxmem={(ram + whole + 2 * GIB) // MIB}M"
            devices = [
                "-object", f"memory-backend-file,id=pmem,share=on,mem-path={nvdimm},size={whole}",
                "-device", "nvdimm,id=nvdimm,memdev=pmem,node=0"
                           + (f",label-size={labels}" if labels else ""),
            ]
        return [
            "-machine", machine, "-m", memory, "-smp", str(self.cpus),
            "-object", f"memory-backend-ram,id=ram,{size}", "-numa", "node,memdev=ram",
            *devices,
            "-nodefaults", "-no-user-config", "-display", "none",
            *([] if self.survives_reset else ["-no-reboot"]),
            "-drive", f"file={scratch},format=raw,if=none,id=scratch,cache=unsafe",
            "-device", "virtio-blk-pci,drive=scratch",
            "-kernel", str(kernel), "-initrd", str(initramfs), "-append", self.command_line(),
        ]
