// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kernel-file.h"

#include "base/cleanup.h"
#include "base/sysfs.h"
#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 0x250 /* as far as the setup header is looked at */

static uint64_t get(const uint8_t *header, size_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, header + offset, bytes);
	return le64toh(value);
}

/* An fd of a file with content. */
static int open_whole(const char *path, uint64_t *ret_bytes, struct file_fault *fault)
{
	_cleanup_close_ int fd = sysfs_open_file(-1, path);
	struct stat status;
	int r = fd < 0 ? fd : fstat(fd, &status) < 0 ? -errno : 0;

	if (r < 0)
		snprintf(fault->text, sizeof(fault->text), "it cannot be read: %s", strerror(-r));
	else if (!S_ISREG(status.st_mode))
		snprintf(fault->text, sizeof(fault->text), "it is not a regular file");
	else if (status.st_size == 0)
		snprintf(fault->text, sizeof(fault->text), "it is empty");
	if (*fault->text)
		return -1;
	*ret_bytes = (uint64_t)status.st_size;
	return take_fd(fd);
}

static bool is_bzimage(const uint8_t *header)
{
	return get(header, 0x1fe, 2) == 0xaa55 && memcmp(header + 0x202, "HdrS", 4) == 0;
}

/* The text begins with the release: "6.1.0-56-amd64 (user@host) #1 SMP...". */
static void read_release(int fd, const uint8_t *header, char *release, size_t size)
{
	char text[128] = "";
	uint64_t offset = get(header, 0x20e, 2);
	size_t length;

	*release = '\0';
	if (offset && pread(fd, text, sizeof(text) - 1, (off_t)offset + 0x200) > 0) {
		length = strcspn(text, " \n");
		if (length < size)
			snprintf(release, size, "%.*s", (int)length, text);
	}
}

/* The setup sectors and what they unpack: an interrupted installation leaves less. */
static uint64_t bzimage_bytes(const uint8_t *header)
{
	uint64_t sectors = header[0x1f1] ? header[0x1f1] : 4;

	return (sectors + 1) * 512 + get(header, 0x1f4, 4) * 16;
}

/* Formats of processors other than x86. They do not name the release. */
static bool is_other_format(const uint8_t *header)
{
#ifdef __x86_64__
	return false;
#else
	return memcmp(header + 56, "ARM\x64", 4) == 0 || memcmp(header + 4, "zimg", 4) == 0 ||
	       (header[0] == 0x1f && header[1] == 0x8b);
#endif
}

struct file_fault kernel_file_fault(const char *path, char *release, size_t size)
{
	uint8_t header[HEADER_BYTES] = { 0 };
	struct file_fault fault = { "" };
	uint64_t bytes = 0;
	_cleanup_close_ int fd = open_whole(path, &bytes, &fault);

	if (fd < 0)
		return fault;
	if (pread(fd, header, sizeof(header), 0) < 0)
		snprintf(fault.text, sizeof(fault.text), "it cannot be read: %s", strerror(errno));
	else if (is_other_format(header))
		*release = '\0';
	else if (!is_bzimage(header) && memcmp(header, "MZ", 2) == 0)
		snprintf(fault.text, sizeof(fault.text),
			 "it is an EFI program, maybe a unified kernel image, which kexec cannot load; name the kernel in it with --kernel, and its initrd with --initrd");
	else if (!is_bzimage(header))
		snprintf(fault.text, sizeof(fault.text), "it is not a kernel that kexec can load");
	else if (bytes < bzimage_bytes(header))
		snprintf(fault.text, sizeof(fault.text), "it is cut off: it has %s of %s",
			 size_text(bytes).text, size_text(bzimage_bytes(header)).text);
	else
		read_release(fd, header, release, size);
	return fault;
}

struct file_fault initrd_file_fault(const char *path)
{
	struct file_fault fault = { "" };
	uint64_t bytes;
	_cleanup_close_ int fd = open_whole(path, &bytes, &fault);

	return fault;
}
