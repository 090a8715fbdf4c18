# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh has set it
# What the kernel's own tools find before users do: races, leaks, wrong address spaces.

# Messages of tool $1 that are ignored for file $2.
exceptions() {
	awk -v tool="$1" -v file="${2##*/}" \
		'$1 == tool && ($2 == "*" || $2 == file) { print $3 }' tests/driver/exceptions
}

sparse_is_clean() {
	needs sparse
	copy=$(copy_driver sparse)
	build_in "$1" "$copy" C=1 CHECK=sparse >"$scratch/sparse.log" 2>&1 || {
		tail "$scratch/sparse.log"
		fail "it does not build"
	}
	! grep -E "^$copy/.*(warning|error):" "$scratch/sparse.log"
}

checkpatch_is_clean() {
	unpack_source
	status=0
	for file in drivers/dax/*.[ch]; do
		ignored=$(exceptions checkpatch "$file" | paste -sd ,)
		# It leaves a file in the current directory.
		(cd "$scratch" && perl "$kernel_source/scripts/checkpatch.pl" --strict --no-tree \
			--terse --show-types --no-summary --max-line-length=100 \
			--ignore="$ignored" -f "$top/$file") ||
			status=1
	done
	return $status
}

kernel_doc_is_clean() {
	unpack_source
	perl "$kernel_source/scripts/kernel-doc" -none -Werror drivers/dax/*.[ch]
}

# The semantic patches that can report, except those in OCaml, which need its compiler.
coccinelle_is_clean() {
	needs spatch
	unpack_source
	build=$(build_tree 6.1) || exit
	headers=$(echo "${build%/*}"/linux-headers-*-common)
	export headers
	# shellcheck disable=SC2016 # of the inner shell
	find "$kernel_source/scripts/coccinelle" -name '*.cocci' | sort |
		xargs grep -l '^virtual report' | xargs grep -L 'script:ocaml' |
		xargs -n 1 -P "$(nproc)" sh -c '
			timeout 60 spatch -D report --no-show-diff --very-quiet --cocci-file "$0" \
				$(sed -n "s|^// Options:||p" "$0") --dir drivers/dax \
				-I "$headers/arch/x86/include" -I "$headers/include" \
				>"$0.log" 2>/dev/null || echo "spatch failed" >>"$0.log"'
	found=0
	for log in "$kernel_source"/scripts/coccinelle/*/*.cocci.log; do
		rule=$(basename "$log" .cocci.log)
		while IFS= read -r line; do
			[ -n "$line" ] || continue
			! exceptions coccinelle "${line%%:*}" | grep -qxF "$rule" || continue
			echo "$rule: $line"
			found=1
		done <"$log"
		rm "$log"
	done
	return $found
}

check "sparse on 6.1" sparse_is_clean 6.1
check "sparse on 6.12" sparse_is_clean 6.12
check "checkpatch" checkpatch_is_clean
check "kernel-doc" kernel_doc_is_clean
check "coccinelle" coccinelle_is_clean
