// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth/key.h"

#include "auth/secret.h"
#include "base/cleanup.h"
#include "base/report.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct key {
	size_t length;
	uint8_t bytes[KEY_FILE_MAX];
};

static const char *check_status(const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return "is owned by another user; chown it to root";
	if (status->st_mode & (S_IRWXG | S_IRWXO))
		return "can be read or written by others; chmod it to 0600, and generate a new key if they may have read it";
	if (status->st_size < KEY_FILE_MIN)
		return "is too short; a key has at least 32 random bytes (head -c 32 /dev/urandom)";
	if (status->st_size > KEY_FILE_MAX)
		return "is too long; a key has 32 to 1024 bytes";
	return NULL;
}

/* Checks the file that was opened, so that it is the one that is read. NULL, or what is wrong. */
static const char *open_checked(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	const char *fault;

	if (fd < 0 && errno == ENOENT)
		return "does not exist";
	if (fd < 0 && errno == ELOOP)
		return "is a symbolic link; give the path of the file itself";
	if (fd < 0 || fstat(fd, &status) < 0)
		return errno == EACCES ? "can be read only by root" : "cannot be opened";
	fault = check_status(&status);
	if (!fault)
		*ret_fd = take_fd(fd);
	return fault;
}

const char *key_fault(const char *path)
{
	_cleanup_close_ int fd = -1;

	return path ? open_checked(path, &fd) : NULL;
}

static int read_bytes(int fd, struct key *key)
{
	while (key->length < KEY_FILE_MAX) {
		ssize_t got = read(fd, key->bytes + key->length, KEY_FILE_MAX - key->length);

		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			key->length += (size_t)got;
	}
	return 0;
}

int key_read(const char *path, struct key **ret_key)
{
	_cleanup_close_ int fd = -1;
	const char *fault;
	struct key *key;
	int r;

	*ret_key = NULL;
	if (!path)
		return 0;
	fault = open_checked(path, &fd);
	if (fault)
		return report_error(-E_REFUSED,
				    "%s: the key file %s; --key-file=FILE names the key that the checkpoint is sealed with, --key-file= does without (pmem-preserve(8), AUTHENTIC CHECKPOINTS)",
				    path, fault);
	key = secret_new(sizeof(*key));
	if (!key)
		return report_error(-ENOMEM, "%s: cannot read the key file", path);
	r = read_bytes(fd, key);
	if (r == 0 && key->length < KEY_FILE_MIN)
		r = -EIO;
	if (r < 0) {
		key_free(key);
		return report_error(r, "%s: cannot read the key file", path);
	}
	*ret_key = key;
	return 0;
}

void key_free(struct key *key)
{
	secret_free(key, sizeof(*key));
}

int key_derive(const struct key *key, const void *salt, size_t salt_length, const char *purpose,
	       uint8_t ret_key[MAC_KEY_BYTES])
{
	return hkdf_of(key->bytes, key->length, salt, salt_length, purpose, ret_key);
}
