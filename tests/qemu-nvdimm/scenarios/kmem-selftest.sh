# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's own tests. mem-on-off-test.sh writes "online" to blocks of any driver: with
# online_kernel_zones it passes; without, the driver refuses what would make a block impossible to
# remove. dax-kmem-hotplug.sh of 7.3 tests the attribute "state" of that kernel, which users of newer
# kernels know.
#
# kernel: 6.1 (6.12)
# cpus: 2
# region: memmap
# size: 512M
# module: build/modules/{kernel}/kmem.ko
# file: .cache/kernels/source-6.1/tools/testing/selftests/memory-hotplug/mem-on-off-test.sh
# file: .cache/kernels/selftests-7.3/tools/testing/selftests/dax/dax-kmem-hotplug.sh
# file: .cache/kernels/selftests-7.3/tools/testing/selftests/kselftest/ktap_helpers.sh
# file: /bin/bash

# All blocks are offline, as after a bind.
offline_all() {
	unplug
	unbind_kmem
	echo offline >"$memory_blocks/auto_online_blocks"
	rebind_kmem
	expect_state offline
}

bind_kmem
offline_all
expect_status 1 bash /usr/bin/mem-on-off-test.sh
expect_output "unexpected fail"
offline_all
echo Y >/sys/module/kmem/parameters/online_kernel_zones
expect_status 0 bash /usr/bin/mem-on-off-test.sh
# All that it onlined can be removed again here, since nothing was allocated in it.
case $(cat "$device/state") in
online_movable | online_kernel | mixed) ;;
*) fail "the state is $(cat "$device/state")" ;;
esac
unplug
echo N >/sys/module/kmem/parameters/online_kernel_zones
run_dax_kmem_hotplug
check_dmesg
