# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The state of a machine that is about to reboot lies in the very memory that is to be removed, since
# the kernel allocates there first. It must be migrated, once, and not a byte of it may change.
#
# kernel: (6.1) 6.12
# cpus: 2
# region: memmap
# size: 2G
# memory: 2816M
# state-size: 1900M
# module: build/modules/{kernel}/kmem.ko

megabytes=1536

# Each MiB begins with its number, so that none can be taken for another.
write_large() {
	perl -e '
		open(R, "/usr/lib/qemu-nvdimm/random") and read(R, $mb, 1 << 20) or die $!;
		open(F, ">", $ARGV[0]) or die $!;
		for (1 .. $ARGV[1]) {
			substr($mb, 0, 8) = pack("Q", $_);
			syswrite(F, $mb) == 1 << 20 or die $!;
		}' /var/state/file "$megabytes"
}

compare_large() {
	perl -e '
		open(R, "/usr/lib/qemu-nvdimm/random") and read(R, $mb, 1 << 20) or die $!;
		open(F, $ARGV[0]) or die $!;
		for (1 .. $ARGV[1]) {
			substr($mb, 0, 8) = pack("Q", $_);
			sysread(F, $there, 1 << 20) == 1 << 20 && $there eq $mb or
				die "MiB $_ has changed";
		}
		sysread(F, $there, 1) == 0 or die "it has grown"' /var/state/file "$megabytes" ||
		fail "the file is not what it was"
}

migrated() {
	sed -n 's/^pgmigrate_success //p' /proc/vmstat
}

bind_kmem
take_pictures
write_large
used=$(movable_used)
[ "$used" -gt $((megabytes * 1000)) ] || fail "only $used kB of the range are in use"
before=$(migrated)
echo 120000 >"$device/unplug_timeout_ms"
take_time unplug
moved=$((($(migrated) - before) * 4))
note "$used kB were in use, $moved kB moved in $took ms"
[ $moved -lt $((used + used / 8)) ] || fail "$moved kB were moved for $used kB"
expect_picture /tmp/unplugged
compare_large
check_dmesg
