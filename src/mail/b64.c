#include "config.h"

#include <string.h>

#include "base/err.h"
#include "base/lang.h"
#include "base/secret.h"
#include "mail/b64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a character is: a symbol and its value, a blank, or nothing of ours. */
enum { SYM = 0x40, VALUE = 0x3f, BLANK = 0x80 };

static const uint8_t kinds[256] = {
	['\t'] = BLANK, ['\n'] = BLANK, ['\r'] = BLANK, [' '] = BLANK,
	['A'] = SYM + 0, ['B'] = SYM + 1, ['C'] = SYM + 2, ['D'] = SYM + 3,
	['E'] = SYM + 4, ['F'] = SYM + 5, ['G'] = SYM + 6, ['H'] = SYM + 7,
	['I'] = SYM + 8, ['J'] = SYM + 9, ['K'] = SYM + 10, ['L'] = SYM + 11,
	['M'] = SYM + 12, ['N'] = SYM + 13, ['O'] = SYM + 14,
	['P'] = SYM + 15, ['Q'] = SYM + 16, ['R'] = SYM + 17,
	['S'] = SYM + 18, ['T'] = SYM + 19, ['U'] = SYM + 20,
	['V'] = SYM + 21, ['W'] = SYM + 22, ['X'] = SYM + 23,
	['Y'] = SYM + 24, ['Z'] = SYM + 25, ['a'] = SYM + 26,
	['b'] = SYM + 27, ['c'] = SYM + 28, ['d'] = SYM + 29,
	['e'] = SYM + 30, ['f'] = SYM + 31, ['g'] = SYM + 32,
	['h'] = SYM + 33, ['i'] = SYM + 34, ['j'] = SYM + 35,
	['k'] = SYM + 36, ['l'] = SYM + 37, ['m'] = SYM + 38,
	['n'] = SYM + 39, ['o'] = SYM + 40, ['p'] = SYM + 41,
	['q'] = SYM + 42, ['r'] = SYM + 43, ['s'] = SYM + 44,
	['t'] = SYM + 45, ['u'] = SYM + 46, ['v'] = SYM + 47,
	['w'] = SYM + 48, ['x'] = SYM + 49, ['y'] = SYM + 50,
	['z'] = SYM + 51, ['0'] = SYM + 52, ['1'] = SYM + 53,
	['2'] = SYM + 54, ['3'] = SYM + 55, ['4'] = SYM + 56,
	['5'] = SYM + 57, ['6'] = SYM + 58, ['7'] = SYM + 59,
	['8'] = SYM + 60, ['9'] = SYM + 61, ['+'] = SYM + 62,
	['/'] = SYM + 63,
};

/* Three octets a group; the last group of a text may have one or two. */
static size_t
enc_line(const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t *o = out;
	size_t i = 0;

	for (; i + 3 <= len; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 |
		    (uint32_t)in[i + 1] << 8 | in[i + 2];

		*o++ = (uint8_t)alphabet[v >> 18];
		*o++ = (uint8_t)alphabet[v >> 12 & 0x3f];
		*o++ = (uint8_t)alphabet[v >> 6 & 0x3f];
		*o++ = (uint8_t)alphabet[v & 0x3f];
	}
	if (i < len) {
		uint32_t v = (uint32_t)in[i] << 16 |
		    (i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0);

		*o++ = (uint8_t)alphabet[v >> 18];
		*o++ = (uint8_t)alphabet[v >> 12 & 0x3f];
		*o++ = i + 1 < len ? (uint8_t)alphabet[v >> 6 & 0x3f] : '=';
		*o++ = '=';
	}
	*o++ = '\r';
	*o++ = '\n';
	return (size_t)(o - out);
}

void
b64_enc_init(struct b64_enc *e)
{
	e->n = 0;
}

size_t
b64_enc_add(struct b64_enc *e, const uint8_t *in, size_t len, uint8_t *out)
{
	size_t n = 0;

	while (len > 0) {
		size_t take = B64_LINE_OCTETS - e->n;

		if (e->n == 0 && len >= B64_LINE_OCTETS) {
			n += enc_line(in, B64_LINE_OCTETS, out + n);
			in += B64_LINE_OCTETS;
			len -= B64_LINE_OCTETS;
			continue;
		}
		if (take > len)
			take = len;
		memcpy(e->line + e->n, in, take);
		e->n += take;
		in += take;
		len -= take;
		if (e->n == B64_LINE_OCTETS) {
			n += enc_line(e->line, B64_LINE_OCTETS, out + n);
			e->n = 0;
		}
	}
	return n;
}

size_t
b64_enc_end(struct b64_enc *e, uint8_t *out)
{
	size_t n = e->n > 0 ? enc_line(e->line, e->n, out) : 0;

	wipe(e, sizeof(*e));
	return n;
}

uint64_t
b64_enc_length(uint64_t len)
{
	uint64_t symbols = len / 3 * 4 + (len % 3 != 0 ? 4 : 0);
	uint64_t lines = symbols / B64_COLUMNS +
	    (symbols % B64_COLUMNS != 0 ? 1 : 0);

	return symbols + 2 * lines;
}

void
b64_dec_init(struct b64_dec *d)
{
	*d = (struct b64_dec){ 0, 0, 0, B64_GOOD };
}

/* One character at a time: at the edges of cuts, blanks and padding. */
static uint8_t *
dec_one(struct b64_dec *d, uint8_t c, uint8_t *o)
{
	uint8_t k = kinds[c];

	if (k == BLANK)
		return o;
	if (c == '=') {
		if (d->n < 2 || d->npad == 4 - d->n)
			d->bad = B64_PADDING;
		d->npad++;
		return o;
	}
	if ((k & SYM) == 0) {
		d->bad = B64_FOREIGN;
		return o;
	}
	if (d->npad > 0) {
		d->bad = B64_PADDING;
		return o;
	}
	d->bits = d->bits << 6 | (k & VALUE);
	if (++d->n == 4) {
		*o++ = (uint8_t)(d->bits >> 16);
		*o++ = (uint8_t)(d->bits >> 8);
		*o++ = (uint8_t)d->bits;
		d->n = 0;
		d->bits = 0;
	}
	return o;
}

bool
b64_dec_add(struct b64_dec *d, const uint8_t *in, size_t len, uint8_t *out,
    size_t *outlen)
{
	const uint8_t *end = in + len;
	uint8_t *o = out;

	while (in < end && d->bad == B64_GOOD) {
		while (d->n == 0 && d->npad == 0 && end - in >= 4) {
			uint8_t a = kinds[in[0]], b = kinds[in[1]];
			uint8_t c = kinds[in[2]], e = kinds[in[3]];
			uint32_t v;

			if ((a & b & c & e & SYM) == 0)
				break;
			v = (uint32_t)(a & VALUE) << 18 |
			    (uint32_t)(b & VALUE) << 12 |
			    (uint32_t)(c & VALUE) << 6 | (e & VALUE);
			*o++ = (uint8_t)(v >> 16);
			*o++ = (uint8_t)(v >> 8);
			*o++ = (uint8_t)v;
			in += 4;
		}
		if (in < end)
			o = dec_one(d, *in++, o);
	}
	*outlen = (size_t)(o - out);
	return d->bad == B64_GOOD;
}

bool
b64_dec_end(struct b64_dec *d, uint8_t *out, size_t *outlen)
{
	*outlen = 0;
	if (d->bad != B64_GOOD || d->n == 0)
		return d->bad == B64_GOOD;
	if (d->n == 1) {
		d->bad = B64_CUT;
		return false;
	}
	if ((d->bits & (d->n == 2 ? 0x0fU : 0x03U)) != 0) {
		d->bad = B64_BITS;
		return false;
	}
	d->bits <<= d->n == 2 ? 12 : 6;
	out[0] = (uint8_t)(d->bits >> 16);
	out[1] = (uint8_t)(d->bits >> 8);
	*outlen = d->n - 1;
	d->n = 0;
	return true;
}

const char *
b64_bad_say(enum b64_bad bad)
{
	switch (bad) {
	case B64_GOOD:
		return "";
	case B64_FOREIGN:
		return _("a character that is not base64");
	case B64_PADDING:
		return _("something after the end of the base64 text");
	case B64_BITS:
		return _("non-zero bits after the last octet");
	case B64_CUT:
		return _("base64 text cut in the middle of an octet");
	}
	return "";
}
