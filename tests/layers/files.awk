# SPDX-License-Identifier: GPL-2.0-or-later
# Checks that the map (map.awk) names every file of tools/pmem-preserve, whose paths come on standard
# input, and no file that is not there.

FILENAME == map {
	next
}

{
	folder = folder_of($0)
	name = $0
	sub(/.*\//, "", name)
	sub(/\.[ch]$/, "", name)

	found = 0
	for (key in family) {
		split(key, part, SUBSEP)
		if (part[1] != folder)
			continue
		if (part[2] == name || (sub(/\*$/, "", part[2]) && index(name, part[2]) == 1))
			found = used[key] = 1
	}
	if (!found) {
		print $0 ": not in the map of " map
		failed = 1
	}
}

END {
	for (key in family) {
		split(key, part, SUBSEP)
		if (!(key in used)) {
			print map ":" family[key] ": no file for " part[1] "/" part[2]
			failed = 1
		}
	}
	exit failed
}
