# SPDX-License-Identifier: GPL-2.0-or-later
"""
Whether two objects have the same structs, according to pahole on their BTF or DWARF.

    same_structs.py KERNEL MODULE STRUCT...
"""

import re
import subprocess
import sys

PLACE = r";\s*/\*\s+(?P<place>[\d: ]+)\*/"
MEMBER = re.compile(r"^\t+(?P<type>.*?)\b(?P<name>\w+)(?P<rest>(\[\d*\]|:\d+)*)\s*" + PLACE)
FUNCTION = re.compile(r"^\t+(?P<type>.*?\(\*)(?P<name>\w+)(?P<rest>\)\(.*\))\s*" + PLACE)


def members(file, struct):
    """Name to (offset and size, type) of each member, and the size of all."""
    text = subprocess.run(["pahole", "--structs", "-C", struct, file], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    # Explicit alignment is only in DWARF, and follows from the offsets.
    text = re.sub(r"__attribute__\(\(__aligned__\(\d+\)\)\)", "", text)
    found = {}
    for line in text.splitlines():
        if match := FUNCTION.match(line) or MEMBER.match(line):
            kind = " ".join((match["type"] + match["rest"]).split())
            found[match["name"]] = (" ".join(match["place"].split()), kind)
        elif match := re.match(r"\t/\* size: (\d+),", line):
            found["(size)"] = match[1]
    return found


def main():
    kernel, module, *structs = sys.argv[1:]
    failed = False
    for struct in structs:
        theirs, ours = members(kernel, struct), members(module, struct)
        if len(theirs) < 3:
            print(f"struct {struct}: {kernel} has no type information")
            failed = True
        for name in sorted(theirs.keys() | ours.keys()):
            if theirs.get(name) != ours.get(name):
                print(f"struct {struct}: {name}: kernel {theirs.get(name)}, ours {ours.get(name)}")
                failed = True
    return failed


sys.exit(main())
