# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh has set it

# Otherwise users have no driver on this kernel, or one that the compiler warns about.
builds() {
	folder=$(kernel "$1") || exit
	scripts/build-modules "$1" || exit 1
	module=$(built_module "$1") || exit
	[ "$(modinfo -F name "$module")" = kmem ] || fail "$module is not named kmem"
	case $(modinfo -F vermagic "$module") in
	"$(cat "$folder/release") "*) ;;
	*) fail "$module is for $(modinfo -F vermagic "$module")" ;;
	esac
}

# Otherwise devices do not find the driver, or it cannot use exports for GPL modules.
describes_itself() {
	module=$(built_module "$1") || exit
	modinfo "$module" >"$scratch/modinfo" || exit 1
	sed -i 's/: */: /' "$scratch/modinfo"
	expect_text "$scratch/modinfo" "alias: dax:t0*"
	grep -qE '^license: (GPL|GPL v2)$' "$scratch/modinfo" || fail "it is not under the GPL"
	for parameter in unplug_timeout_ms online_kernel_zones; do
		expect_text "$scratch/modinfo" "parm: $parameter:"
	done
}

# Otherwise nobody knows which driver a machine runs.
one_version() {
	version=$(sed -n 's/^PACKAGE_VERSION=//p' drivers/dax/dkms.conf)
	program=$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build)
	[ "$version" = "$program" ] || fail "dkms.conf has version $version, meson.build $program"
	module=$(built_module 6.1) || exit
	built=$(modinfo -F version "$module")
	[ "$built" = "$version" ] || fail "$module has version \"$built\", dkms.conf $version"
}

# Otherwise build products get into commits and packages.
leaves_sources_alone() {
	! find drivers/dax tests/qemu-nvdimm/modules -name '*.o' -o -name '*.ko' -o -name '*.cmd' \
		-o -name '*.mod*' -o -name layout.checked 2>/dev/null | grep .
}

check "builds on 6.1" builds 6.1
check "builds on 6.12" builds 6.12
check "6.1: describes itself" describes_itself 6.1
check "6.12: describes itself" describes_itself 6.12
check "one version" one_version
check "leaves the sources alone" leaves_sources_alone
