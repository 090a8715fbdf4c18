// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake-kernel.h"

#include "fake-tree.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void fake_kernel(const char *path, const char *release)
{
	/* One setup sector behind the first one, and 32 units of 16 bytes. */
	uint8_t file[2 * 512 + 32 * 16] = { [0x1f1] = 1,    [0x1f4] = 32,   [0x1fe] = 0x55,
					    [0x1ff] = 0xaa, [0x20e] = 0x80, [0x20f] = 0 };

	memcpy(file + 0x202, "HdrS", 4);
	snprintf((char *)file + 0x280, 128, "%s (user@host) #1 SMP", release);
	fake_write(path, "%s", "");
	fake_write_bytes(path, file, sizeof(file), 0);
}

void fake_modules(const char *release, const char *folder)
{
	char path[256];

	snprintf(path, sizeof(path), "lib/modules/%s/modules.dep", release);
	fake_write(path,
		   "kernel/drivers/nvdimm/nd_pmem.ko.xz: kernel/drivers/nvdimm/libnvdimm.ko.xz\n"
		   "kernel/drivers/nvdimm/nd_e820.ko.xz:\nkernel/drivers/dax/dax_pmem.ko.xz:\n"
		   "%s/kmem.ko.xz:\n",
		   folder);
	snprintf(path, sizeof(path), "lib/modules/%s/modules.builtin", release);
	fake_write(path, "kernel/drivers/dax/dax.ko\nkernel/drivers/dax/device-dax.ko\n");
}

void fake_installed(const char *release)
{
	char path[256];

	snprintf(path, sizeof(path), "boot/vmlinuz-%s", release);
	fake_kernel(path, release);
	snprintf(path, sizeof(path), "boot/initrd.img-%s", release);
	fake_write(path, "initrd");
	fake_modules(release, "kernel/drivers/dax");
}
