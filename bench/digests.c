// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a digest of a MiB costs: XXH3-128, as in plain images, and the MACs of libcrypto that could
 * replace it. One thread, in turns; medians.
 *
 *	digests [ROUNDS]
 */
#include "image/image-digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB	   (1u << 20)
#define MIBS	   256u /* larger than the caches */
#define ROUNDS_MAX 99

struct contestant {
	const char *name, *mac, *parameter, *value;
	size_t key_bytes;
	EVP_MAC_CTX *context;
	double times[ROUNDS_MAX];
};

static struct contestant contestants[] = {
	{ .name = "XXH3-128" },
	{ .name = "GMAC, AES-256",
	  .mac = "GMAC",
	  .parameter = OSSL_MAC_PARAM_CIPHER,
	  .value = "AES-256-GCM",
	  .key_bytes = 32 },
	{ .name = "Poly1305", .mac = "POLY1305", .key_bytes = 32 },
	{ .name = "HMAC-SHA-256",
	  .mac = "HMAC",
	  .parameter = OSSL_MAC_PARAM_DIGEST,
	  .value = "SHA256",
	  .key_bytes = 32 },
	{ .name = "BLAKE2b, keyed", .mac = "BLAKE2BMAC", .key_bytes = 32 },
};
#define CONTESTANTS (sizeof(contestants) / sizeof(contestants[0]))

static void prepare(struct contestant *contestant)
{
	OSSL_PARAM parameters[2] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, contestant->mac, NULL);

	if (contestant->parameter)
		parameters[0] = OSSL_PARAM_construct_utf8_string(contestant->parameter,
								 (char *)contestant->value, 0);
	contestant->context = mac ? EVP_MAC_CTX_new(mac) : NULL;
	if (!contestant->context || !EVP_MAC_CTX_set_params(contestant->context, parameters)) {
		fprintf(stderr, "digests: libcrypto has no %s\n", contestant->name);
		exit(1);
	}
	EVP_MAC_free(mac);
}

/* Each MiB has a MAC of its own. */
static void digest(struct contestant *contestant, const uint8_t *data)
{
	static const uint8_t key[32] = { 1 };
	uint8_t tag[EVP_MAX_MD_SIZE], nonce[12] = { 0 };
	OSSL_PARAM parameters[2] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
	size_t length;

	if (!contestant->mac) {
		image_digest_of(data, MIB);
		return;
	}
	if (strcmp(contestant->mac, "GMAC") == 0)
		parameters[0] =
			OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, nonce, sizeof(nonce));
	if (!EVP_MAC_init(contestant->context, key, contestant->key_bytes, parameters) ||
	    !EVP_MAC_update(contestant->context, data, MIB) ||
	    !EVP_MAC_final(contestant->context, tag, &length, sizeof(tag))) {
		fprintf(stderr, "digests: %s failed\n", contestant->name);
		exit(1);
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 9;
	uint8_t *data = malloc((size_t)MIBS * MIB);
	double plain = 0;

	if (rounds < 1 || rounds > ROUNDS_MAX || !data)
		return 1;
	for (size_t i = 0; i < (size_t)MIBS * MIB; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t c = 0; c < CONTESTANTS; c++)
		if (contestants[c].mac)
			prepare(&contestants[c]);
	for (int round = 0; round < rounds; round++) {
		for (size_t c = 0; c < CONTESTANTS; c++) {
			double start = seconds();

			for (size_t i = 0; i < MIBS; i++)
				digest(&contestants[c], data + i * MIB);
			contestants[c].times[round] = seconds() - start;
		}
	}
	for (size_t c = 0; c < CONTESTANTS; c++) {
		double *times = contestants[c].times, median;

		qsort(times, (size_t)rounds, sizeof(*times), by_size);
		median = times[rounds / 2];
		if (c == 0)
			plain = median;
		printf("%-16s %7.1f us per MiB (%.1f to %.1f)  %6.0f MiB/s  %5.2f times XXH3\n",
		       contestants[c].name, median / MIBS * 1e6, times[0] / MIBS * 1e6,
		       times[rounds - 1] / MIBS * 1e6, MIBS / median, median / plain);
		EVP_MAC_CTX_free(contestants[c].context);
	}
	free(data);
	return 0;
}
