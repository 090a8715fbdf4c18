// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth/trust.h"

#include "auth/key.h"

int trust_read_key(struct trust *trust)
{
	return trust->key ? 0 : key_read(trust->key_file, &trust->key);
}

void trust_give_up(struct trust *trust)
{
	key_free(trust->key);
	*trust = (struct trust){ 0 };
}
