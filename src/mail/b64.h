/* Base64 of mail bodies: a strict table, in a stream, both ways. */
#ifndef SC_MAIL_B64_H
#define SC_MAIL_B64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 2045 6.8: lines of at most 76 symbols. */
#define B64_COLUMNS 76
#define B64_LINE_OCTETS (B64_COLUMNS / 4 * 3)
#define B64_LINE_BYTES (B64_COLUMNS + 2)	/* with CRLF */

/* The most that b64_enc_add(e, in, n, out) may write. */
#define B64_ENC_BYTES(n) (((n) / B64_LINE_OCTETS + 1) * B64_LINE_BYTES)
/* The most that b64_dec_add(d, in, n, out, outlen) may write. */
#define B64_DEC_BYTES(n) ((n) / 4 * 3 + 3)

struct b64_enc {
	uint8_t	line[B64_LINE_OCTETS];	/* octets of the line begun */
	size_t	n;
};

void b64_enc_init(struct b64_enc *e);
/*
 * b64_enc_add(e, in, len, out):
 * Encode ${len} more octets; write the lines that became whole, each ended by
 * CRLF, to ${out} of B64_ENC_BYTES(len) and return how many octets that is.
 * Source: RFC 2045 6.8, RFC 4648 4.
 */
size_t b64_enc_add(struct b64_enc *e, const uint8_t *in, size_t len,
    uint8_t *out);
/* b64_enc_end(e, out): the last, shorter line if there is one, padded, with
 * CRLF: at most B64_LINE_BYTES; ${e} is wiped. */
size_t b64_enc_end(struct b64_enc *e, uint8_t *out);
/* b64_enc_length(len): what ${len} octets become, with every CRLF. */
uint64_t b64_enc_length(uint64_t len);

/* What was wrong with a text. */
enum b64_bad {
	B64_GOOD,
	B64_FOREIGN,	/* a character of no alphabet of ours */
	B64_PADDING,	/* something after "=", or one "=" too many */
	B64_BITS,	/* the unused last bits are not zero */
	B64_CUT		/* one symbol alone at the end */
};

struct b64_dec {
	uint32_t	bits;
	unsigned	n;	/* symbols of the group begun, 0..3 */
	unsigned	npad;	/* "=" seen */
	enum b64_bad	bad;	/* stays */
};

void b64_dec_init(struct b64_dec *d);
/*
 * b64_dec_add(d, in, len, out, outlen):
 * Decode ${len} more characters into ${out} of B64_DEC_BYTES(len).  CR, LF,
 * SP and TAB are ignored wherever they stand.  False: damaged, ${d->bad} says
 * how, ${outlen} counts what stood before the damage, and nothing more is
 * taken.  Whatever the cuts, the octets and the verdict are the same.
 * Source: RFC 4648 3.5 and 4; PROTOCOL 2.19.19.
 */
bool b64_dec_add(struct b64_dec *d, const uint8_t *in, size_t len,
    uint8_t *out, size_t *outlen);
/* b64_dec_end(d, out, outlen): the octets (at most 2) of a last group that is
 * not whole; its padding may be missing, wholly or in part. */
bool b64_dec_end(struct b64_dec *d, uint8_t *out, size_t *outlen);
/* b64_bad_say(bad): why, in a few words, translated. */
const char *b64_bad_say(enum b64_bad bad);

#endif
