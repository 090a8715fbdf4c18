# SPDX-License-Identifier: GPL-2.0-or-later
# Reads the map of the folders from CONTRIBUTING.md (map), for layers.awk and files.awk: its first
# indented block that begins with a folder.
#
#	    DIR/           what it is
#	      NAME, NAME*    what these files are
#
# position[DIR]: the folder's place in the order; family[DIR, NAME]: the line of the map.

FILENAME == map && !done && /^    [a-z]+\/( |$)/ {
	folder = $1
	sub(/\/$/, "", folder)
	position[folder] = ++folders
	next
}

FILENAME == map && !done && folders && /^      [a-z*-]+(, [a-z*-]+)*( |$)/ {
	names = substr($0, 7)
	sub(/  .*/, "", names)
	n = split(names, list, ", ")
	for (i = 1; i <= n; i++)
		family[folder, list[i]] = FNR
	next
}

FILENAME == map && folders && !/^(    |$)/ {
	done = 1
}

# The folder of a file of the program; "" unless it lies right in one.
function folder_of(path, part)
{
	sub(/^tools\/pmem-preserve\//, "", path)
	return split(path, part, "/") == 2 ? part[1] : ""
}

END {
	if (!folders) {
		print map ": no map of the folders"
		failed = 1
	}
}
