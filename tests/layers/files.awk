# SPDX-License-Identifier: GPL-2.0-or-later
# Checks that the map (map.awk) names every file of tools/pmem-preserve, whose paths come on standard
# input, and that the files exist which it and Documentation/design.rst (design) name.

FILENAME == map {
	next
}

FILENAME == design {
	line = $0
	while (match(line, /``[a-z]+\/[a-z*-]+/)) {
		key = substr(line, RSTART + 2, RLENGTH - 2)
		line = substr(line, RSTART + RLENGTH)
		split(key, part, "/")
		if (part[1] in position && !((part[1], part[2]) in named))
			named[part[1], part[2]] = FNR
	}
	next
}

function stands_for(pattern, name)
{
	return sub(/\*$/, "", pattern) ? index(name, pattern) == 1 : pattern == name
}

{
	folder = folder_of($0)
	name = $0
	sub(/.*\//, "", name)
	sub(/\.[ch]$/, "", name)

	found = 0
	for (key in family) {
		split(key, part, SUBSEP)
		if (part[1] == folder && stands_for(part[2], name))
			found = used[key] = 1
	}
	if (!found) {
		print $0 ": not in the map of " map
		failed = 1
	}
	for (key in named) {
		split(key, part, SUBSEP)
		if (part[1] == folder && stands_for(part[2], name))
			used[key] = 1
	}
}

function complain(file, list, key, part)
{
	for (key in list) {
		split(key, part, SUBSEP)
		if (!(key in used)) {
			print file ":" list[key] ": no file for " part[1] "/" part[2]
			failed = 1
		}
	}
}

END {
	complain(map, family)
	complain(design, named)
	exit failed
}
