/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What images are authenticated with: the key, and the counter of generations that goes with it. */
#ifndef PMEM_PRESERVE_TRUST_H
#define PMEM_PRESERVE_TRUST_H

struct key;

struct trust {
	const char *key_file;	  /* NULL if images are not authenticated */
	const char *counter_file; /* NULL if nothing is counted, as without a key */
	struct key *key;	  /* owned; NULL until trust_read_key(), and without a key file */
};

/* Reads the key file unless that was done before. Errors as in key_read(), reported. */
int trust_read_key(struct trust *trust);

/* Goes on without a key and a counter: images are neither sealed nor authenticated. */
void trust_give_up(struct trust *trust);

#endif
