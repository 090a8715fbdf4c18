# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh has set it
# The driver in a kernel source tree, for kernels whose headers do not suffice to build it.

# A source tree after "make modules_prepare": Debian's headers, to which only the drivers are added.
# A copy, since the tests change it.
make_tree() {
	unpack_source
	build=$(build_tree 6.1) || exit
	common=$(echo "${build%/*}"/linux-headers-*-common)
	tree=$scratch/linux
	rm -rf "$tree"
	cp -rL "$build" "$tree"
	cp "$common/Makefile" "$tree/"
	cp -r "$common/include" "$tree/"
	cp -r "$common/arch/x86" "$tree/arch/"
	cp -r "$kernel_source/drivers" "$tree/"
}

builds_in_tree() {
	make_tree
	scripts/kmem-in-tree --build "$tree" || exit 1
	module=$tree/drivers/dax/kmem.ko
	[ -e "$module" ] || fail "$module was not built"
	modinfo -F parm "$module" >"$scratch/parameters"
	expect_text "$scratch/parameters" unplug_timeout_ms
}

is_undone() {
	unpack_source
	rm -rf "$scratch/undo"
	mkdir -p "$scratch/undo/drivers"
	cp -r "$kernel_source/drivers/dax" "$scratch/undo/drivers/"
	scripts/kmem-in-tree "$scratch/undo" && scripts/kmem-in-tree "$scratch/undo" || exit 1
	cmp drivers/dax/kmem.c "$scratch/undo/drivers/dax/kmem.c" || exit 1
	scripts/kmem-in-tree --undo "$scratch/undo" || exit 1
	diff -r "$kernel_source/drivers/dax" "$scratch/undo/drivers/dax"
}

own_state_is_kept() {
	unpack_source
	mkdir -p "$scratch/newer/drivers"
	cp -r "$kernel_source/drivers/dax" "$scratch/newer/drivers/"
	echo "static DEVICE_ATTR_RW(state);" >>"$scratch/newer/drivers/dax/kmem.c"
	! scripts/kmem-in-tree "$scratch/newer" 2>"$scratch/refusal.log" || fail "it was replaced"
	expect_text "$scratch/refusal.log" 'has its own "state" attribute'
}

check "builds in a kernel tree" builds_in_tree
check "is removed again" is_undone
check "a kmem with its own state attribute is kept" own_state_is_kept
