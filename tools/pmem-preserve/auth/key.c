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

static const char *judge(const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return "belongs to somebody else; chown root it";
	if (status->st_mode & (S_IRWXG | S_IRWXO))
		return "may be read or written by others; chmod 0600 it, and make a new key if it was not meant for them";
	if (status->st_size < KEY_FILE_MIN)
		return "is too short for a key: 32 random bytes are one (head -c 32 /dev/urandom)";
	if (status->st_size > KEY_FILE_MAX)
		return "is too long for a key, which has 32 to 1024 bytes";
	return NULL;
}

/* Judged once it is open: that is the file that is read. What is wrong with it, or NULL. */
static const char *open_judged(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	const char *fault;

	if (fd < 0 && errno == ENOENT)
		return "is not there";
	if (fd < 0 && errno == ELOOP)
		return "is a symbolic link; name the file itself";
	if (fd < 0 || fstat(fd, &status) < 0)
		return errno == EACCES ? "may not be read by you" : "cannot be opened";
	fault = judge(&status);
	if (!fault)
		*ret_fd = take_fd(fd);
	return fault;
}

const char *key_fault(const char *path)
{
	_cleanup_close_ int fd = -1;

	return path ? open_judged(path, &fd) : NULL;
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
	fault = open_judged(path, &fd);
	if (fault)
		return report_error(-E_REFUSED, "%s: the key file %s", path, fault);
	key = secret_new(sizeof(*key));
	if (!key)
		return report_error(-ENOMEM, "%s: the key file cannot be read", path);
	r = read_bytes(fd, key);
	if (r == 0 && key->length < KEY_FILE_MIN)
		r = -EIO;
	if (r < 0) {
		key_free(key);
		return report_error(r, "%s: the key file cannot be read", path);
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
