# SPDX-License-Identifier: GPL-2.0-or-later
# Checks the #include lines of tools/pmem-preserve against the order of the folders (map.awk).

FILENAME == map {
	next
}

function violation(text)
{
	printf "%s:%d: %s\n", FILENAME, FNR, text
	failed = 1
}

FNR == 1 {
	own = folder_of(FILENAME)
	if (own == "")
		violation("source files belong into a folder of the map of " map)
	else if (!(own in position))
		violation(own "/ is not in the map of " map)
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	quoted = /include[ \t]*"/
	path = $0
	sub(/^[^<"]*[<"]/, "", path)
	sub(/[>"].*/, "", path)
	other = path
	if (!sub(/\/.*/, "", other))
		other = ""

	if (!quoted && (other == "ndctl" || other == "daxctl") && own != "region")
		violation("only region/ includes <" path ">")
	else if (!quoted && other in position)
		violation("include \"" path "\" with quotes, not with <>")
	if (!quoted || !(own in position))
		next

	if (other == "")
		violation("include \"DIR/" path "\": the folder is missing")
	else if (!(other in position) || path ~ /\/\.\.?\//)
		violation("\"" path "\" is not in a folder of the map of " map)
	else if (position[other] > position[own])
		violation(own "/ must not include \"" path "\": " other "/ comes after " own "/ in the map of " map)
	else if (own == "image" && (other == "region" || other == "reboot"))
		violation("image/ must not include \"" path "\": image/ uses neither region/ nor reboot/")
}

END {
	exit failed
}
