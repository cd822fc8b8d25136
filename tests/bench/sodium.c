/*
 * How fast libsodium itself is here: what sceau seals with, on octets that
 * lie in memory.  Usage: sodium OCTETS ROUNDS; prints the processor's seconds
 * of one round of BLAKE2b and of one of ChaCha20-Poly1305 in chunks of 64 KiB.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHUNK 65536

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	unsigned char *data, *out, hash[32], nonce[12] = { 0 }, key[32] = { 0 };
	size_t n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, at, len;
	long rounds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	double begun, hashed = 0, sealed = 0;

	if (n == 0 || rounds < 1 || sodium_init() < 0 ||
	    (data = malloc(n)) == NULL || (out = malloc(CHUNK + 16)) == NULL)
		return 1;
	randombytes_buf(data, n);
	for (long i = 0; i < rounds; i++) {
		begun = now();
		crypto_generichash(hash, sizeof(hash), data, n, key, 32);
		hashed += now() - begun;
		begun = now();
		for (at = 0; at < n; at += len) {
			len = n - at < CHUNK ? n - at : CHUNK;
			crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL,
			    data + at, len, NULL, 0, NULL, nonce, key);
		}
		sealed += now() - begun;
	}
	printf("%.9f %.9f\n", hashed / (double)rounds,
	    sealed / (double)rounds);
	free(out);
	free(data);
	return 0;
}
