# SPDX-License-Identifier: GPL-2.0-or-later
"""
Uid 1000 beside a restore of root's: it watches a directory and, until it is killed, does all it can as
often as it can. What it has gained is for the test to judge; what only this process can know (a
descriptor, a look at something unfinished) it prints, a line each.

    attacker.py ATTACK DIRECTORY [WORD...]
"""

import ctypes
import itertools
import os
import sys

UID = 1000
EXCHANGE, NOREPLACE = 2, 1
AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


def rename(old, new, flags=0):
    return _libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags) == 0


def say(text):
    print(text, flush=True)


def link(directory, first, count):
    """The first name of a file with several becomes a file, and a symlink, of the attacker's."""
    names = [os.path.join(directory, first + str(number)) for number in range(int(count))]
    own, symlink = (os.path.join(directory, name) for name in ("own", "symlink"))
    for number in itertools.count():
        name = names[number % len(names)]
        try:
            if os.lstat(name).st_uid == UID:
                continue
            if number % 2:
                os.symlink("/etc/shadow", symlink)
                os.rename(symlink, name)
            else:
                os.close(os.open(own, os.O_CREAT | os.O_WRONLY, 0o666))
                os.rename(own, name)
        except OSError:
            pass


def take_inode(path, inode):
    """Unlinks root's file, and gets a new one with its inode number, if the file system gives one."""
    spare, mine = [], -1
    os.unlink(path)
    for number in range(8):
        other = path + str(number)
        fd = os.open(other, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if os.fstat(fd).st_ino == inode:
            rename(other, path)
            mine = fd
            break
        spare.append((other, fd))
    for other, fd in spare:
        os.unlink(other)
        os.close(fd)
    return mine


def descriptor(directory, name, secret):
    """A file in place of root's, with the same inode number, is filled by root and then read."""
    path = os.path.join(directory, name)
    mine = -1
    while True:
        if mine >= 0 and secret.encode() in os.pread(mine, 4096, 0):
            say("read root's file through a descriptor of its own")
            mine = -1
        try:
            status = os.lstat(path)
            if mine < 0 and status.st_uid != UID:
                mine = take_inode(path, status.st_ino)
        except OSError:
            pass


def swap(directory, *names):
    """Two and two of them change names."""
    pairs = [[os.path.join(directory, name) for name in names[i:i + 2]]
             for i in range(0, len(names), 2)]
    while True:
        for one, other in pairs:
            rename(one, other, EXCHANGE)


def enter(directory, name, size):
    """Looks at all that appears, before it is what it is to be."""
    told = set()

    def tell(text):
        if text not in told:
            told.add(text)
            say(text)

    while True:
        try:
            found = os.listdir(directory)
        except OSError:
            continue
        for one in found:
            path = os.path.join(directory, one)
            try:
                os.listdir(path)
                if one.startswith(".pmem-preserve-"):
                    tell("entered a staging directory")
            except OSError:
                pass
            for inner in ("root", ".pmem-preserve-lock"):
                try:
                    os.lstat(os.path.join(path, inner))
                    if one.startswith(".pmem-preserve-"):
                        tell("looked into a staging directory")
                except OSError:
                    pass
        try:
            status = os.lstat(os.path.join(directory, name))
            if (status.st_size, status.st_mode & 0o7777) != (int(size), 0o644):
                tell("saw a file that was not finished")
        except OSError:
            pass


def lure(directory, precious):
    """Staging directories go elsewhere, and a directory of root's has their names."""
    path = os.path.join(directory, precious)
    away = os.path.join(directory, "away")
    while True:
        for name in os.listdir(directory):
            if name.startswith(".pmem-preserve-"):
                staging = os.path.join(directory, name)
                if not rename(path, staging, EXCHANGE):
                    rename(staging, away, NOREPLACE)
                    rename(path, staging, NOREPLACE)
                else:
                    rename(path, away, NOREPLACE)
            elif name == "away":
                rename(away, path, NOREPLACE)


def main():
    attack = {"link": link, "descriptor": descriptor, "swap": swap, "enter": enter,
              "lure": lure}[sys.argv[1]]
    os.setgroups([])
    os.setgid(UID)
    os.setuid(UID)
    say("ready")
    attack(*sys.argv[2:])


if __name__ == "__main__":
    main()
