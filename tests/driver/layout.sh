# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh has set it
# check-layout. If it were wrong, a module with another struct dev_dax than the kernel's would
# corrupt memory, or a machine would have no driver for no reason.

# Building driver $2 for kernel $1 must fail with message $3, before anything is compiled.
expect_refusal() {
	release=$1 copy=$2 text=$3
	shift 3
	if build_in "$release" "$copy" "$@" >"$scratch/refusal.log" 2>&1; then
		cat "$scratch/refusal.log"
		fail "it was built"
	fi
	expect_text "$scratch/refusal.log" "$text"
	expect_text "$scratch/refusal.log" "dax-kmem: nothing was built"
	! find "$copy" -name 'kmem*.o' -o -name '*.ko' | grep . || fail "something was built"
}

# swap_members FILE MEMBER OTHER: exchanges the two members.
swap_members() {
	python3 - "$@" <<-'END'
	import re, sys
	path, first, second = sys.argv[1:]
	text = open(path).read()
	spoilt = text.replace(first, "@").replace(second, first).replace("@", second)
	assert text.count(first) == text.count(second) == 1, (first, second)
	open(path, "w").write(spoilt)
	END
}

# The CRCs are those of the kernel's own build, and kmem.ko has them for load time.
crcs_are_the_kernels() {
	module=$(built_module "$1") || exit
	tree=$(build_tree "$1") || exit
	symvers=$tree/Module.symvers
	"$tree/scripts/genksyms/genksyms" <"${module%/*}/.kmem/layout.i" >"$scratch/ours"
	for function in __dax_driver_register static_dev_dax; do
		crc=$(awk -v name=$function '$2 == name { print $1 }' "$symvers")
		[ -n "$crc" ] || fail "$function is not in $symvers"
		expect_text "$scratch/ours" "#SYMVER $function $crc"
	done
	modprobe --dump-modversions "$module" | tr '\t' ' ' >"$scratch/imported"
	crc=$(awk '$2 == "__dax_driver_register" { print $1 }' "$symvers")
	expect_text "$scratch/imported" "$crc __dax_driver_register"
}

# Independently of CRCs: offset, size and type of each member, in kmem.ko and in the kernel.
offsets_are_the_kernels() {
	needs pahole
	module=$(built_module "$1") || exit
	folder=$(kernel "$1") || exit
	vmlinux=$(build_tree "$1")/vmlinux
	[ -e "$vmlinux" ] || {
		unpack_source
		vmlinux=$scratch/vmlinux-$1
		sh "$kernel_source/scripts/extract-vmlinux" "$folder/vmlinuz" >"$vmlinux" ||
			fail "$folder/vmlinuz cannot be unpacked"
	}
	python3 tests/driver/same_structs.py "$vmlinux" "$module" \
		dev_dax dax_region dax_mapping dev_dax_range dax_device_driver
}

other_dev_dax_is_refused() {
	copy=$(copy_driver swapped)
	swap_members "$copy/dax-private.h" "	bool dyn_id;" "	struct dax_device *dax_dev;"
	expect_refusal "$1" "$copy" "struct dev_dax of this kernel differs from dax-private.h"
}

other_driver_is_refused() {
	copy=$(copy_driver swapped)
	swap_members "$copy/dax-private.h" "	int (*probe)(struct dev_dax *dev);" \
		"	void (*remove)(struct dev_dax *dev);"
	expect_refusal "$1" "$copy" "struct dax_device_driver of this kernel differs"
}

# A kernel without CRCs is compared by its types.
types_are_accepted() {
	needs pahole
	copy=$(copy_driver types)
	build_in "$1" "$copy" CONFIG_MODVERSIONS=
	[ -e "$copy/kmem.ko" ] || fail "it was not built"
}

other_types_are_refused() {
	needs pahole
	copy=$(copy_driver swapped)
	swap_members "$copy/dax-private.h" "	int nr_range;" "	bool memmap_on_memory;"
	expect_refusal "$1" "$copy" "struct dev_dax of this kernel differs" \
		CONFIG_MODVERSIONS=
}

# Without either, the structs cannot be verified.
unknown_is_refused() {
	expect_refusal "$1" "$(copy_driver unknown)" \
		"neither symbol CRCs nor a vmlinux with types" CONFIG_MODVERSIONS=
}

# 7.3 and later: the driver would replace one of the kernel that does the same.
own_state_is_refused() {
	tree=$(build_tree 6.1) || exit
	cp "$tree/Module.symvers" "$scratch/"
	printf '0x12345678\toffline_and_remove_memory_ranges\tvmlinux\tEXPORT_SYMBOL_GPL\t\n' \
		>>"$scratch/Module.symvers"
	if drivers/dax/check-layout 7.3.4 "$scratch/Module.symvers" layout.i \
		"$tree/scripts/genksyms/genksyms" >"$scratch/refusal.log" 2>&1; then
		fail "it was accepted"
	fi
	expect_text "$scratch/refusal.log" "kernel 7.3.4: its own kmem removes memory"
}

built_in_is_refused() {
	copy=$(copy_driver built-in)
	! build_in 6.1 "$copy" CONFIG_DEV_DAX_KMEM=y >"$scratch/refusal.log" 2>&1 ||
		fail "it was built"
	expect_text "$scratch/refusal.log" "has kmem built in"
}

for name in 6.1 6.12; do
	check "$name: CRCs are the kernel's" crcs_are_the_kernels $name
	check "$name: offsets are the kernel's" offsets_are_the_kernels $name
	check "$name: another struct dev_dax is refused" other_dev_dax_is_refused $name
done
check "another struct dax_device_driver is refused" other_driver_is_refused 6.1
check "a kernel without CRCs is compared by its types" types_are_accepted 6.12
check "other types are refused" other_types_are_refused 6.12
check "a kernel without CRCs and types is refused" unknown_is_refused 6.1
check "a kernel with a state of its own is refused" own_state_is_refused
check "a kernel with kmem built in is refused" built_in_is_refused
