/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The xattrs that EROFS can represent, and the numbers of their prefixes. */
#ifndef PMEM_PRESERVE_XATTR_PREFIX_H
#define PMEM_PRESERVE_XATTR_PREFIX_H

#include "image/erofs.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct xattr_prefix {
	const char *text;
	uint8_t length;
	uint8_t number; /* enum erofs_xattr_prefix */
	uint8_t whole;	/* the prefix is the whole name */
};

static const struct xattr_prefix xattr_prefixes[] = {
	{ "user.", 5, EROFS_XATTR_USER, 0 },
	{ "trusted.", 8, EROFS_XATTR_TRUSTED, 0 },
	{ "security.", 9, EROFS_XATTR_SECURITY, 0 },
	{ "system.posix_acl_access", 23, EROFS_XATTR_ACL_ACCESS, 1 },
	{ "system.posix_acl_default", 24, EROFS_XATTR_ACL_DEFAULT, 1 },
};
#define XATTR_PREFIXES (sizeof(xattr_prefixes) / sizeof(xattr_prefixes[0]))

/* NULL if EROFS has no prefix for this name. */
static inline const struct xattr_prefix *xattr_prefix_of(const char *name)
{
	for (size_t i = 0; i < XATTR_PREFIXES; i++) {
		const struct xattr_prefix *prefix = &xattr_prefixes[i];

		if (strncmp(name, prefix->text, prefix->length) == 0 &&
		    (prefix->whole ? !name[prefix->length] : name[prefix->length] != '\0'))
			return prefix;
	}
	return NULL;
}

static inline const struct xattr_prefix *xattr_prefix_by_number(uint8_t number)
{
	for (size_t i = 0; i < XATTR_PREFIXES; i++)
		if (xattr_prefixes[i].number == number)
			return &xattr_prefixes[i];
	return NULL;
}

#endif
