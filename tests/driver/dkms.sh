# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # lib.sh has set it
# The driver as dkms builds it, in private trees: dkms of this machine is not touched.

version=$(sed -n 's/^PACKAGE_VERSION=//p' drivers/dax/dkms.conf)
package=dax-kmem/$version
dkms_root=$scratch/dkms

# In a user namespace if not root, since dkms requires that.
private_dkms() {
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root="unshare --map-root-user"
	action=$1
	shift
	# Otherwise dkms creates a key in /var.
	mok_signing_key=$dkms_root/key mok_certificate=$dkms_root/certificate \
		$as_root dkms "$action" "$package" --dkmstree "$dkms_root/tree" \
		--sourcetree "$dkms_root/source" --installtree "$dkms_root/lib/modules" "$@"
}

add_package() {
	needs dkms
	if [ "$(id -u)" -ne 0 ] && ! unshare --map-root-user true 2>/dev/null; then
		skip "dkms needs root or a user namespace"
	fi
	rm -rf "$dkms_root"
	mkdir -p "$dkms_root/tree" "$dkms_root/source" "$dkms_root/lib/modules"
	cp -r drivers/dax "$dkms_root/source/dax-kmem-$version"
	private_dkms add || fail "dkms add failed"
}

# Otherwise users do not get the driver with a new kernel, or modprobe loads the stock one.
dkms_installs() {
	folder=$(kernel "$1") || exit
	release=$(cat "$folder/release")
	add_package
	build=$(build_tree "$1") || exit
	private_dkms build -k "$release" --kernelsourcedir "$build" || {
		cat "$dkms_root"/tree/dax-kmem/*/build/make.log
		fail "dkms build failed"
	}
	modules=$dkms_root/lib/modules/$release
	mkdir -p "$modules/kernel/drivers/dax"
	cp "$folder/lib/modules/$release/kernel/drivers/dax"/kmem.ko* "$modules/kernel/drivers/dax/"
	private_dkms install -k "$release" --kernelsourcedir "$build" --no-depmod ||
		fail "dkms install failed"
	depmod -b "$dkms_root" "$release"
	expect_text "$modules/modules.dep" "updates/dkms/kmem.ko"
	private_dkms remove --all --no-depmod || fail "dkms remove failed"
	depmod -b "$dkms_root" "$release"
	expect_text "$modules/modules.dep" "kernel/drivers/dax/kmem.ko"
}

# Otherwise an upgrade to a kernel that the driver does not support fails half way.
dkms_leaves_alone() {
	build=$(build_tree 6.1) || exit
	add_package
	for release in 5.10.0-30-amd64 6.13.0-1-amd64 7.3.4+deb13-amd64; do
		private_dkms build -k $release --kernelsourcedir "$build" >"$scratch/dkms.log" 2>&1
		status=$?
		[ $status -eq 77 ] || {
			cat "$scratch/dkms.log"
			fail "$release: status $status"
		}
	done
}

check "dkms installs on 6.1" dkms_installs 6.1
check "dkms installs on 6.12" dkms_installs 6.12
check "dkms leaves other kernels alone" dkms_leaves_alone
