#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that building, testing or the VMs need, and says which.
#
#	scripts/dependencies.sh build|test|fuzz|driver|driver-test|patches|deb|debian|bench|vm...
set -eu

wanted=
for part in "$@"; do
	case $part in
	build)
		wanted="$wanted gcc libc6-dev make meson ninja-build pkg-config libndctl-dev
			libdaxctl-dev libsystemd-dev libxxhash-dev libssl-dev libjson-c-dev
			libpmem-dev libblkid-dev uuid-dev libmount-dev libsmartcols-dev python3-docutils"
		;;
	test)
		wanted="$wanted git libcmocka-dev python3 erofs-utils rsync acl attr libcap2-bin
			openssl clang-format-14 cppcheck shellcheck"
		;;
	fuzz)
		wanted="$wanted clang-14 libclang-rt-14-dev llvm-14 python3"
		;;
	driver)
		wanted="$wanted gcc-12 make pahole kmod xz-utils debian-archive-keyring"
		;;
	driver-test)
		wanted="$wanted dkms sparse coccinelle linux-source-6.1 patch git perl python3"
		;;
	patches)
		wanted="$wanted gcc make flex bison bc libelf-dev sparse git perl kmod xz-utils
			debian-archive-keyring"
		;;
	deb)
		wanted="$wanted dpkg-dev debhelper dh-dkms libcmocka-dev libsystemd-dev pkgconf
			python3-docutils systemd"
		;;
	debian)
		wanted="$wanted mmdebstrap lintian e2fsprogs debian-archive-keyring dpkg-dev"
		;;
	bench)
		wanted="$wanted python3 python3-matplotlib rsync tar erofs-utils time util-linux"
		;;
	vm)
		wanted="$wanted python3 qemu-system-x86 busybox-static ndctl daxctl kexec-tools
			rsync erofs-utils acl attr libcap2-bin cpio dmsetup e2fsprogs kmod xz-utils zstd
			util-linux debian-archive-keyring"
		;;
	*)
		echo "dependencies.sh: there is no part \"$part\" (build, test, fuzz, driver," \
			"driver-test, patches, deb, debian, bench, vm)" >&2
		exit 2
		;;
	esac
done

missing=
for package in $wanted; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	"install ok installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "Installing with apt-get (if another program is installing, this waits up to 10 minutes for it):$missing"
export DEBIAN_FRONTEND=noninteractive
# Something else that installs packages, such as unattended upgrades, ends in its own time.
wait='-o DPkg::Lock::Timeout=600'
# shellcheck disable=SC2086 # two words
$sudo apt-get -qq $wait update ||
	echo "dependencies.sh: the lists of packages are not updated; going on with those that are there"
# shellcheck disable=SC2086 # a list of packages
$sudo apt-get -qq $wait install --yes --no-install-recommends $missing >/dev/null
