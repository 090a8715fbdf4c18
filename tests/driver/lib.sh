# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Shared by the parts: counting results, and the kernels to test with.

top=$PWD
source_package=linux-source-6.1
kernel_source=$top/.cache/$source_package
passed=0 failed=0 skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

# check NAME COMMAND...: runs a test. Status 77 means skipped, with the last line of output as the
# reason.
check() {
	title=$1
	shift
	out=$("$@" 2>&1)
	case $? in
	0)
		passed=$((passed + 1))
		echo "PASS $title"
		;;
	77)
		skipped=$((skipped + 1))
		echo "SKIP $title: $(echo "$out" | tail -n 1)"
		;;
	*)
		failed=$((failed + 1))
		echo "FAIL $title"
		echo "$out" | tail -n 40 | sed 's/^/     /'
		;;
	esac
}

skip() {
	echo "$*" >&2
	exit 77
}

fail() {
	echo "$*" >&2
	exit 1
}

needs() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# Fails unless file $1 holds text $2.
expect_text() {
	grep -qF -e "$2" "$1" || {
		cat "$1"
		fail "\"$2\" is missing from this output"
	}
}

# The driver as "make modules" built it for kernel $1.
built_module() {
	module=build/modules/$1/kmem.ko
	[ -e "$module" ] || fail "$module is missing: run make modules first"
	echo "$module"
}

# The folder of kernel $1, with headers.
kernel() {
	folder=$("$top/tests/vm/fetch-kernel" "$1" | tail -n 1)
	[ -d "$folder/headers" ] || skip "failed to fetch the headers of kernel $1"
	echo "$folder"
}

# The tree that modules for kernel $1 are built against.
build_tree() {
	folder=$(kernel "$1") || exit
	realpath "$folder/lib/modules/$(cat "$folder/release")/build"
}

# Prints the folder of a copy of the driver, for a test to change.
copy_driver() {
	copy=$scratch/$1
	rm -rf "$copy"
	cp -r "$top/drivers/dax" "$copy"
	echo "$copy"
}

# Builds the driver in folder $2 for kernel $1, with make variables $3...
build_in() {
	tree=$(build_tree "$1") || exit
	folder=$2
	shift 2
	make -s -j"$(nproc)" -C "$tree" M="$folder" "$@" modules
}

# Unpacks what the tests use of the kernel's source package: scripts, and drivers/dax with what it
# includes.
unpack_source() {
	archive=/usr/src/$source_package.tar.xz
	[ -r "$archive" ] || skip "$source_package is not installed"
	parts="scripts drivers/dax drivers/nvdimm"
	made_of="$(stat -L -c '%s %Y' "$archive") $parts"
	[ "$(cat "$kernel_source/made-of" 2>/dev/null)" != "$made_of" ] || return 0
	rm -rf "$kernel_source"
	mkdir -p "$kernel_source"
	# shellcheck disable=SC2046,SC2086 # a list
	xz -dcT0 "$archive" | (cd "$kernel_source" && tar -x --strip-components=1 \
		$(printf "$source_package/%s " $parts)) || fail "failed to unpack $archive"
	echo "$made_of" >"$kernel_source/made-of"
}
