# SPDX-License-Identifier: GPL-2.0-or-later
"""
A process that may write to the target of a restore, and keeps exchanging files there until it is
killed.

    racer.py exchange PATH DECOY...   each PATH and DECOY change places
    racer.py link PATH FILE...        a hard link to FILE takes the place of PATH, once that is there
"""

import ctypes
import os
import sys

RENAME_EXCHANGE = 2
AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(path, decoy):
    _libc.renameat2(AT_FDCWD, os.fsencode(path), AT_FDCWD, os.fsencode(decoy), RENAME_EXCHANGE)


def link(path, file):
    temporary = path + ".racer"
    try:
        if os.lstat(path).st_ino != os.lstat(file).st_ino:
            os.link(file, temporary)
            os.rename(temporary, path)
    except FileExistsError:
        os.unlink(temporary)
    except OSError:
        pass


def main():
    swap = {"exchange": exchange, "link": link}[sys.argv[1]]
    pairs = list(zip(sys.argv[2::2], sys.argv[3::2]))
    print("ready", flush=True)
    while True:
        for path, other in pairs:
            swap(path, other)


if __name__ == "__main__":
    main()
