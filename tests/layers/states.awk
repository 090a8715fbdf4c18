# SPDX-License-Identifier: GPL-2.0-or-later
# Checks the drawing of the states in Documentation/design.rst (drawing) against the sources, whose
# files come after it. Lines of the drawing, in which a line without states has those of the line
# above it:
#
#	    STATE  --- TRANSITION --->  STATE  --- TRANSITION --->  STATE
#	           <-- TRANSITION ----         <-- TRANSITION ----
#
# States in capitals are those of enum region_state, and the transitions functions of region/ that
# are called region_hot_* or region_to_*. Such a function first asks whether the region is there
# already, so the first state in its body is the one it leads to; the others are where it starts.
# States in small letters are phases of an image, and the transition is the file that sets the phase.

function complain(where, text)
{
	print where ": " text
	failed = 1
}

function draw(from, transition, to)
{
	sub(/\(\)$/, "", transition)
	edge[from, transition, to] = FILENAME ":" FNR
	if (from ~ /^[A-Z]/)
		drawn[transition]
	drawn[from]
	drawn[to]
}

FILENAME == drawing && /^    .*(--+|<-+) [a-z_-]+(\(\))? (--+>?)/ {
	n = split($0, word, /  +/)
	states = arrows = 0
	for (i = 1; i <= n; i++) {
		if (word[i] ~ /^[A-Za-z]+$/)
			state[++states] = word[i]
		else if (word[i] ~ /^<?-+ .* -+>?$/)
			arrow[++arrows] = word[i]
	}
	for (i = 1; i <= arrows; i++) {
		split(arrow[i], part, " ")
		if (arrow[i] ~ /^</)
			draw(state[i + 1], part[2], state[i])
		else
			draw(state[i], part[2], state[i + 1])
	}
	next
}

FILENAME == drawing {
	next
}

# The members of enum region_state; OTHER is what no transition knows.
/^enum region_state / {
	in_enum = 1
}

in_enum && match($0, /REGION_[A-Z]+/) {
	name = substr($0, RSTART + 7, RLENGTH - 7)
	if (name != "OTHER" && !(name in drawn))
		complain(FILENAME ":" FNR, name " is not in the drawing of " drawing)
}

/^}/ {
	in_enum = 0
	transition = ""
}

FILENAME ~ /\/region\/[^\/]*\.c$/ && /^[a-z].*[ *]region_(hot|to)_[a-z_]+\(/ && !/^static / && !/;$/ {
	match($0, /region_(hot|to)_[a-z_]+\(/)
	transition = substr($0, RSTART, RLENGTH - 1)
	place[transition] = FILENAME ":" FNR
	target = ""
}

transition != "" {
	line = $0
	while (match(line, /REGION_[A-Z]+/)) {
		name = substr(line, RSTART + 7, RLENGTH - 7)
		line = substr(line, RSTART + RLENGTH)
		if (target == "")
			target = name
		else if (name != target)
			real[name, transition, target] = place[transition]
	}
}

/(phase = |image_set_phase\(.*)IMAGE_PHASE_[A-Z]+/ {
	match($0, /IMAGE_PHASE_[A-Z]+/)
	phase = tolower(substr($0, RSTART + 12, RLENGTH - 12))
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/\.[ch]$/, "", file)
	sets[file, phase] = FILENAME ":" FNR
}

END {
	if (!length_of(edge))
		complain(drawing, "no drawing of the states")
	for (key in edge) {
		split(key, part, SUBSEP)
		if (part[1] ~ /^[A-Z]/ ? !(key in real) : !((part[2], part[3]) in sets))
			complain(edge[key], "not in the sources: " part[1] ", " part[2] ", " part[3])
		painted[part[2], part[3]]
	}
	for (key in real)
		if (!(key in edge)) {
			split(key, part, SUBSEP)
			complain(real[key], part[2] "() from " part[1] " to " part[3] " is not in the drawing of " drawing)
		}
	for (key in sets)
		if (!(key in painted)) {
			split(key, part, SUBSEP)
			complain(sets[key], "the phase " part[2] " by " part[1] " is not in the drawing of " drawing)
		}
	exit failed
}

function length_of(array, key, n)
{
	for (key in array)
		n++
	return n
}
