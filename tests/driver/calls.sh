# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh has set it
# The files of the driver call each other in one direction only, in the order that kmem.h lists
# them. In a circle, no file could be reviewed or changed without all the others.

# The files of the driver in folder $1, in that order.
call_order() {
	sed -n 's|^/\* \(kmem[a-z-]*\.c\): .*|\1|p' "$1/kmem.h"
}

# The symbols of each object: place and name of its file, "defined" or "used", the symbol.
list_symbols() {
	place=0
	for file in $(call_order "$1"); do
		place=$((place + 1))
		case $file in
		kmem.c) object=kmem-main.o ;; # see Kbuild
		*) object=${file%.c}.o ;;
		esac
		nm -g "$1/$object" | awk -v file="$place $file" \
			'{ print file, NF == 3 ? "defined" : "used", $NF }'
	done
}

# Prints each use of a symbol of an earlier file, in the driver that was built in folder $1.
upward_calls() {
	list_symbols "$1" | awk '
		$3 == "defined" { place[$4] = $1; owner[$4] = $2 }
		$3 == "used" { use[++uses] = $0 }
		END {
			for (i = 1; i <= uses; i++) {
				split(use[i], user, " ")
				symbol = user[4]
				if (symbol in place && place[symbol] < user[1])
					print user[2] " uses " symbol " of " owner[symbol]
			}
		}'
}

calls_go_downwards() {
	module=$(built_module "$1") || exit
	folder=${module%/*}/.kmem
	call_order "$folder" | sort >"$scratch/listed"
	(cd "$folder" && ls kmem*.c) | grep -v '\.mod\.c$' | sort | diff "$scratch/listed" - ||
		fail "kmem.h does not list the files of the driver"
	list_symbols "$folder" >"$scratch/symbols"
	grep -q ' kmem.c used kmem_add$' "$scratch/symbols" || fail "nm shows no calls"
	upward_calls "$folder" >"$scratch/upward"
	cat "$scratch/upward"
	[ ! -s "$scratch/upward" ] || fail "see the order of the files in drivers/dax/kmem.h"
}

# Without this, nobody would know whether the check can fail: each file calls the one before it.
upward_calls_are_found() {
	copy=$(copy_driver upward)
	before=
	for file in $(call_order "$copy"); do
		planted=planted_in_$(echo "${file%.c}" | tr - _)
		cat >>"$copy/$file" <<-END
		void $planted(void)
		{
			${before:+void $before(void);
			$before();}
		}
		END
		[ -z "$before" ] || echo "$file uses $before of $owner" >>"$scratch/planted"
		before=$planted owner=$file
	done
	build_in "$1" "$copy" >"$scratch/upward.log" 2>&1 || {
		tail "$scratch/upward.log"
		fail "it does not build"
	}
	[ "$(wc -l <"$scratch/planted")" -gt 1 ] || fail "nothing was planted"
	upward_calls "$copy" | diff "$scratch/planted" - || fail "not all were found"
}

check "6.1: calls go downwards" calls_go_downwards 6.1
check "6.12: calls go downwards" calls_go_downwards 6.12
check "calls upwards are found" upward_calls_are_found 6.1
