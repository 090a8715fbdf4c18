# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 12 machines with the packages installed and real services, shut down and booted by systemd.

Each story is one VM. A failure says what an operator would have lost.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

from tests import vm
from tests.vm import GIB, MIB, Machine, paths

from .guest_vm import Failed, Guest

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = paths.REPOSITORY
RUNS = paths.CACHE / "debian" / "runs"
CANNOT_FETCH = 77
# Without norandmaps each process has its libraries at other addresses, and emulation translates them
# again for each: slow, and even slower for the next kernel, which overwrites the translated pages.
COMMAND_LINE = "root=/dev/vda rw systemd.show_status=1 norandmaps"


def machine(region):
    # What is in memory outlives a reset; the story "nvdimm" relies on it.
    return Machine(region=region, size=GIB, memory=1536 * MIB, cpus=1, append=COMMAND_LINE,
                   survives_reset=True)


def configure(guest, *more):
    """Setup as in the README, and @more lines in the configuration file."""
    guest.expect("echo n | pmem-preserve setup /var/state", status=1, holds="nothing was written")
    guest.expect("test ! -e /etc/pmem-preserve.conf")
    guest.expect("echo y | pmem-preserve setup /var/state", holds="state = /var/state")
    guest.expect("systemctl show -p RequiresMountsFor pmem-preserve.service", holds="/var/state")
    for line in more:
        guest.expect(f"echo '{line}' >>/etc/pmem-preserve.conf")
    if more:
        guest.expect("systemctl daemon-reload")
    expect_in_use(guest)


def expect_in_use(guest):
    """Memory that is set aside must not be idle, and must be removable."""
    region = json.loads(guest.expect("pmem-preserve --json status"))["regions"][0]
    if region["state"] != "ram" or region["blocks_movable"] != region["blocks"]:
        raise Failed(f"the region is not in use as RAM: {region}")
    if not region["deadline_attribute"]:
        raise Failed("the region is not bound to the driver of dax-kmem-dkms")


def expect_healthy(guest, failed_units=""):
    """No other unit may fail because of us."""
    failed = guest.expect("systemctl --failed --plain --no-legend | cut -d ' ' -f 1")
    if failed != failed_units:
        raise Failed(f"units have failed: {failed}: "
                     + guest.run(f"journalctl -b -u {failed.split()[0]} | tail -20")[1])


def expect_services_whole(guest, digest):
    """The services' own tools find the same data as before, and no corruption."""
    now = guest.expect("digest.sh")
    if now != digest:
        raise Failed(f"the services have other data: {now}, not {digest}")
    guest.expect("su postgres -c '/usr/lib/postgresql/15/bin/pg_amcheck --database postgres "
                 "--heapallindexed'")


def expect_cold(guest, why):
    """The services start empty, and the reason is reported."""
    guest.expect("cat /run/cold-start", holds=f"cold start ({why})")


def expect_said(guest, text):
    if not any(text in line for line in guest.said):
        raise Failed(f"the console did not show \"{text}\"")


def there_and_back(guest, rounds):
    """State must come back by the one command that users type, every time."""
    expect_cold(guest, "unknown")
    configure(guest)
    for round_number in range(rounds):
        guest.expect(f"fill.sh {round_number}")
        digest = guest.expect("digest.sh")
        guest.said.clear()
        guest.go_down("pmem-preserve kexec")
        expect_said(guest, "region0 holds the state (generation")
        expect_services_whole(guest, digest)
        guest.expect(". /run/pmem-preserve/boot; echo $PMEM_PRESERVE_OUTCOME", holds="restored")
        expect_in_use(guest)
        expect_healthy(guest)
        # What the outage was spent on, from the first service that stops.
        record = guest.expect("journalctl -b MESSAGE_ID=9b0d5fc2a8b94f0b8f3a6c07d2e1b4c5 -o export")
        for field in ("IMAGE_GENERATION", "TIMELINE_STOP", "TIMELINE_RESTORED", "SECONDS"):
            if f"PMEM_PRESERVE_{field}=" not in record:
                raise Failed(f"the journal has no {field}: {record[-2000:]}")
        guest.expect("journalctl -b -u pmem-preserve", holds="to stop the services")
    return digest


def memmap(guest):
    """memmap=: three times there and back; stopping the units does no harm."""
    digest = there_and_back(guest, 3)
    stopping_harms_nothing(guest, digest)


def stopping_harms_nothing(guest, digest):
    guest.expect("systemctl restart pmem-preserve.service pmem-preserve-hot-add.service")
    guest.expect("systemctl stop pmem-preserve-hot-add.service")
    expect_services_whole(guest, digest)
    expect_in_use(guest)
    expect_healthy(guest)
    guest.expect(". /run/pmem-preserve/boot; echo $PMEM_PRESERVE_OUTCOME", holds="restored")


def unfinished_kernel_is_left(guest):
    """The newest kernel is not one that an interrupted upgrade has left behind."""
    guest.expect(": >/boot/vmlinuz-99.0")
    said = guest.expect("pmem-preserve kexec -n",
                        holds="/boot/vmlinuz-99.0 is newer, and is left: it is empty")
    if "The next kernel is /boot/vmlinuz-6.1" not in said:
        raise Failed(f"the next kernel is another: {said}")
    guest.expect("rm /boot/vmlinuz-99.0")


def nvdimm(guest):
    """An NVDIMM: there and back; a crash right after the commit; a reboot by the firmware."""
    there_and_back(guest, 1)
    unfinished_kernel_is_left(guest)
    guest.expect("fill.sh 7")
    digest = guest.expect("digest.sh")
    guest.expect("echo crash >/run/fault")
    guest.go_down("pmem-preserve kexec")
    expect_services_whole(guest, digest)
    expect_in_use(guest)

    # Real persistent memory does not need kexec.
    guest.expect("sed -i 's/^survives = .*/survives = poweroff/' /etc/pmem-preserve.conf")
    guest.said.clear()
    guest.go_down("systemctl reboot")
    expect_said(guest, "region0 holds the state (generation")
    expect_services_whole(guest, digest)
    expect_in_use(guest)
    expect_healthy(guest)


def confined_service_is_refused(guest):
    """Redis has no limit for its stop: if it could not save either, the machine would not go down."""
    drop_in = "/etc/systemd/system/redis-server.service.d/zz.conf"
    guest.expect(f"printf '[Service]\\nReadWritePaths=\\nReadOnlyPaths=/\\n' >{drop_in} && "
                 "systemctl daemon-reload")
    guest.expect("pmem-preserve kexec", status=5, holds="redis-server.service")
    guest.expect("pmem-preserve status", holds="ReadWritePaths=/var/state")
    guest.expect(f"rm {drop_in} && systemctl daemon-reload")
    expect_in_use(guest)


def faults(guest):
    """Where the memory cannot be used: the fallback file, or a cold start with a reason."""
    configure(guest, "fallback = /var/lib/pmem-preserve/fallback.img", "deadline = 10")
    guest.expect("fill.sh 1")
    digest = guest.expect("digest.sh")

    confined_service_is_refused(guest)

    # A page that cannot be migrated: refused, naming its block, and nothing has changed.
    guest.expect("timeout 20 sh -c 'until insmod /usr/local/lib/modules/pin_page.ko "
                 "pfn=$((0x111267)); do :; done'")
    guest.expect("pmem-preserve kexec", status=6, holds="memory34")
    guest.expect("pmem-preserve kexec -n", status=6, holds="memory34")
    expect_in_use(guest)
    expect_services_whole(guest, digest)

    guest.said.clear()
    guest.go_down("pmem-preserve kexec --or-fallback")
    expect_said(guest, "/var/lib/pmem-preserve/fallback.img holds the state (generation")
    expect_said(guest, "region0 was not taken back when the next kernel was loaded")
    expect_services_whole(guest, digest)
    expect_in_use(guest)
    guest.expect(". /run/pmem-preserve/boot; echo $PMEM_PRESERVE_PLACE", holds="fallback.img")

    # An ordinary reboot: this memory would not survive one.
    guest.expect("fill.sh 2")
    digest = guest.expect("digest.sh")
    guest.go_down("systemctl reboot")
    expect_services_whole(guest, digest)
    expect_in_use(guest)

    # Damage: a cold start with a reason, and the damaged checkpoint is kept for inspection.
    guest.expect("echo damage >/run/fault")
    guest.go_down("pmem-preserve kexec")
    expect_cold(guest, "damaged")
    expect_healthy(guest, "pmem-preserve-hot-add.service")
    guest.expect("pmem-preserve status", status=0, holds="this boot could not restore the state")
    guest.expect("pmem-preserve verify", status=4, holds="damaged: /var/state/")
    guest.expect("pmem-preserve kexec", status=5, holds="discard")
    guest.expect("pmem-preserve discard && systemctl restart pmem-preserve-hot-add.service")
    expect_in_use(guest)
    expect_healthy(guest)


STORIES = {
    "memmap": ("memmap", memmap, None),
    "nvdimm": ("nvdimm", nvdimm, "sysrq: Trigger a crash|Kernel panic|Call Trace|BUG: |Oops"),
    "faults": ("memmap", faults, None),
}


def run_story(name, folder):
    """Runs one story; returns the line to print."""
    region, story, allowed = STORIES[name]
    log = RUNS / f"{name}.log"
    started = time.monotonic()
    try:
        with Guest(folder, machine(region), log, allowed) as guest:
            story(guest)
            guest.check_console()
    except Failed as error:
        return f"FAIL debian-{name}: {error}; full log: {log}"
    except Exception:
        return f"FAIL debian-{name}: {traceback.format_exc()}"
    return f"PASS debian-{name} {time.monotonic() - started:.0f} s"


def build():
    debs = sorted(str(path) for path in (REPOSITORY / "build" / "deb").glob("*.deb")
                  if "dbgsym" not in path.name)
    pin_page = REPOSITORY / "build" / "modules" / "6.1" / "pin_page.ko"
    command = subprocess.run([HERE / "build-machine", *debs, pin_page], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if command.returncode == 0:
        return pathlib.Path(command.stdout.strip())
    lines = command.stderr.splitlines()[-20:]
    if command.returncode == CANNOT_FETCH:
        raise vm.Unavailable(lines[-1])
    print("\n".join(lines))
    return None


def main():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("-j", type=int, default=3, help="VMs at a time (default: %(default)s)")
    parser.add_argument("story", nargs="*", help=f"of {', '.join(STORIES)} (default: all)")
    options = parser.parse_args()
    options.story = options.story or list(STORIES)
    for name in options.story:
        if name not in STORIES:
            parser.error(f"no such story: {name}")
    if os.geteuid() != 0:
        print(f"SKIP debian: root is needed to build the machine\n"
              f"0 passed, 0 failed, {len(options.story)} skipped")
        return 0
    try:
        folder = build()
    except vm.Unavailable as reason:
        print(f"SKIP debian: {reason}\n0 passed, 0 failed, {len(options.story)} skipped")
        return 0
    if not folder:
        print("FAIL debian: the machine cannot be built\n0 passed, 1 failed, 0 skipped")
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for line in pool.map(lambda name: run_story(name, folder), options.story):
            print(line, flush=True)
            failed += line.startswith("FAIL")
    print(f"{len(options.story) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
