# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh and its user have set it
# The source tree that a series is applied to: a copy of the pristine one, which keeps its objects. Its
# git repository has only what the series changes, since all of a kernel would take minutes.

config=$top/tests/patches/config
parts="drivers/dax drivers/base mm include/linux tools/testing/selftests MAINTAINERS Documentation/ABI"

# Sets $tree to the one for $version.
open_tree() {
	tree=$top/.cache/patches/$version
}

git_here() {
	git -C "$tree" -c user.name=check -c user.email=check@example.org "$@"
}

export GIT_COMMITTER_NAME=check GIT_COMMITTER_EMAIL=check@example.org
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

# The patches of the series in folder $1, without the cover letter, which git am does not take.
patches_of() {
	find "$1" -name '0*.patch' ! -name '0000-*' | sort
}

apply_all() {
	patches_of "$1" | xargs git -C "$tree" am -q
}

# What is left of an earlier run goes; objects stay.
back_to_pristine() {
	git -C "$tree" am --abort 2>/dev/null
	git -C "$tree" reset -q --hard pristine &&
		git -C "$tree" clean -qfd -- Documentation/ABI tools/testing/selftests
}

prepare_tree() {
	for tool in flex bison bc sparse; do
		needs $tool
	done
	source=$("$top/tests/vm/fetch-kernel" "source-${version#v}" | tail -n 1)
	[ -e "$source/release" ] || skip "failed to fetch the sources of $version"
	open_tree
	if [ "$(cat "$tree/made-of" 2>/dev/null)" != "$(cat "$source/release")" ]; then
		rm -rf "$tree"
		mkdir -p "${tree%/*}"
		# git and make replace files, they do not write to them.
		cp -al "$source" "$tree"
		git -C "$tree" init -q
		# shellcheck disable=SC2086 # a list
		git_here add -f $parts && git_here commit -q -m pristine && git_here tag pristine || exit 1
		cat "$source/release" >"$tree/made-of"
	fi
	back_to_pristine
	configure
	make -s -C "$tree" -j"$(nproc)" modules_prepare 2>"$scratch/prepare.log" || {
		cat "$scratch/prepare.log"
		exit 1
	}
}

# The debug kernel's machine and guest without its checks, with error injection for the selftest.
configure() {
	sed -n '/^# Memory hot-plug/,$p' tests/vm/debug-kernel.config >"$scratch/config"
	sed -i 's/-debug/-patched/' "$scratch/config"
	cat "$config" >>"$scratch/config"
	make -s -C "$tree" KCONFIG_ALLCONFIG="$scratch/config" allnoconfig >/dev/null
}

set_options() {
	(cd "$tree" && scripts/config "$@") || exit 1
	make -s -C "$tree" olddefconfig >/dev/null
}

# Compiles what the series touches and has changed, with all warnings as errors; so is what sparse says,
# except of headers of the architecture.
compile() {
	make -s -C "$tree" -j"$(nproc)" W=1 C=1 KCFLAGS=-Werror mm/memory_hotplug.o \
		drivers/base/memory.o drivers/dax/kmem.o >"$scratch/compile.log" 2>&1 || {
		tail -n 20 "$scratch/compile.log"
		fail "$1: it does not build"
	}
	! grep -E '^(mm|drivers|include/linux/memory).*(warning|error):' "$scratch/compile.log" ||
		fail "$1: see above"
}
