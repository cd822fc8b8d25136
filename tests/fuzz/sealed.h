/* Any payload in an envelope whose T and chunks are right. */
#ifndef SC_TESTS_FUZZ_SEALED_H
#define SC_TESTS_FUZZ_SEALED_H

#include "fuzz.h"
#include "vault/envelope.h"
#include "vault/payload.h"

/*
 * fuzz_seal(h, key, p, len, whole, out):
 * Seal ${p} as it is; ${whole}: with END after it and zeros to the length that
 * a payload must have.
 */
static inline void
fuzz_seal(struct env_head *h, const uint8_t *key, const uint8_t *p,
    size_t len, bool whole, struct buf *out)
{
	static const uint8_t zeros[4096];
	static struct env_sealer *s;
	uint64_t left = whole ? payload_padded(len + 1) - len : 0;
	struct err e = ERR_INIT;

	if (s == NULL)
		BUG_ON((s = env_sealer_new()) == NULL);
	buf_wipe(out);
	BUG_ON(env_seal_start(s, h, key, (struct env_sink){ fuzz_into, out },
	    &e) != RC_OK || env_seal_put(s, p, len, &e) != RC_OK);
	for (size_t n; left > 0; left -= n) {
		n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
		BUG_ON(env_seal_put(s, zeros, n, &e) != RC_OK);
	}
	BUG_ON(env_seal_end(s, &e) != RC_OK);
}

#endif
