/* Which character set a text is written in. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "document/charset.h"

/* What a character is worth where it stands; a set is the better the more
 * its characters sum up to. */
enum { GOOD = 4, FAIR = 2, POOR = -2, BAD = -4, MARGIN = 1 };

/* Of sets that read the same the first is taken. */
static const enum charset tried[] = { CHARSET_LATIN1, CHARSET_CP1252,
    CHARSET_MACROMAN, CHARSET_CP850 };

#define NTRIED (sizeof(tried) / sizeof(tried[0]))

/* What French is written with, of what is not ASCII. */
static bool
is_accented(uint32_t c)
{
	switch (c) {
	case 0xe0: case 0xe2: case 0xe7: case 0xe8: case 0xe9: case 0xea:
	case 0xeb: case 0xee: case 0xef: case 0xf4: case 0xf9: case 0xfb:
	case 0xfc: case 0x153:
		return true;
	}
	return false;
}

static bool
is_accented_upper(uint32_t c)
{
	return c == 0x152 || (c >= 0xc0 && c < 0xe0 && is_accented(c + 0x20));
}

/* Signs that stand beside words and figures, not in words. */
static bool
is_sign(uint32_t c)
{
	switch (c) {
	case 0xb0: case 0xb1: case 0xb2: case 0xb3: case 0xbd: case 0xd7:
	case 0xab: case 0xbb: case 0x2264: case 0x2265: case 0x2026:
	case 0x2013: case 0x2014: case 0x201c: case 0x201d: case 0x20ac:
	case 0x2022: case 0x2030:
		return true;
	}
	return false;
}

static bool
is_lower(uint32_t c)
{
	return c < 0x80 ? c >= 'a' && c <= 'z' : is_accented(c);
}

static bool
is_upper(uint32_t c)
{
	return c < 0x80 ? c >= 'A' && c <= 'Z' : is_accented_upper(c);
}

static bool
is_letter(uint32_t c)
{
	return is_lower(c) || is_upper(c);
}

static int
worth_lower(uint32_t before, uint32_t c, uint32_t after)
{
	/* Of one letter there are two words in French: a grave, and none. */
	if (!is_letter(before) && !is_letter(after))
		return c == 0xe0 ? GOOD : POOR;
	if (is_upper(before) && !is_lower(after) && is_letter(after))
		return BAD;
	if (is_upper(before) && is_upper(after))
		return BAD;
	return is_letter(before) ? GOOD : FAIR;
}

static int
worth_upper(uint32_t before, uint32_t c, uint32_t after)
{
	if (is_lower(before))
		return BAD;
	if (!is_letter(before) && !is_letter(after))
		return c == 0xc0 ? FAIR : POOR;
	return is_upper(before) || is_upper(after) ? GOOD : FAIR;
}

static int
worth_sign(uint32_t before, uint32_t c, uint32_t after)
{
	if (c == 0x2019)	/* l'apostrophe */
		return is_letter(before) && is_letter(after) ? GOOD : FAIR;
	if (c == 0xb5)		/* micro: before a unit only */
		return !is_letter(before) && after < 0x80 && after != 0 &&
		    strchr("glLmMkKsUIVA", (int)after) != NULL ? GOOD : POOR;
	if (c == 0xa0)
		return is_letter(before) && is_letter(after) ? POOR : FAIR;
	if (!is_sign(c))
		return -1;
	/* n-degree-5 and m-square are words with a sign at their end */
	return is_letter(before) && is_lower(after) ? BAD : FAIR;
}

static int
worth(uint32_t before, uint32_t c, uint32_t after)
{
	if (c >= 0x80 && c < 0xa0)
		return 2 * BAD;
	if (is_accented(c))
		return worth_lower(before, c, after);
	if (is_accented_upper(c))
		return worth_upper(before, c, after);
	/* Lines are drawn of the same character; no word is. */
	if (c >= 0x2500 && c < 0x25a0)
		return before == c || after == c ? FAIR : -1;
	if (c >= 0xc0 && c < 0x250 && c != 0xd7 && c != 0xf7)
		return POOR;
	return worth_sign(before, c, after);
}

/* The character at ${i}; 0: there is none (of what is before the first, too:
 * ${i} is unsigned). */
static uint32_t
char_at(enum charset set, const uint8_t *p, size_t len, size_t i)
{
	return i >= len ? 0 : p[i] < 0x80 ? p[i] : charset_decode(set, p[i]);
}

/* Adds what the octet at ${i} is worth in each of the sets. */
static void
score(const uint8_t *p, size_t len, size_t i, int64_t sums[NTRIED])
{
	for (size_t n = 0; n < NTRIED; n++)
		sums[n] += worth(char_at(tried[n], p, len, i - 1),
		    char_at(tried[n], p, len, i),
		    char_at(tried[n], p, len, i + 1));
}

static bool
reads_same(enum charset a, enum charset b, const bool seen[256])
{
	for (unsigned i = 0x80; i < 0x100; i++)
		if (seen[i] && charset_decode(a, (uint8_t)i) !=
		    charset_decode(b, (uint8_t)i))
			return false;
	return true;
}

static void
guess_single(const uint8_t *p, size_t len, struct charset_guess *g)
{
	bool seen[256] = { false };
	int64_t sums[NTRIED] = { 0 };
	size_t best = 0;

	for (size_t i = utf8_ascii(p, len); i < len;) {
		seen[p[i]] = true;
		score(p, len, i, sums);
		i++;
		i += utf8_ascii(p + i, len - i);
	}
	for (size_t i = 0; i < NTRIED; i++)
		if (sums[i] > sums[best])
			best = i;
	g->set = tried[best];
	g->sure = sums[best] > 0;
	for (size_t i = 0; i < NTRIED; i++)
		if (sums[i] + MARGIN >= sums[best] &&
		    !reads_same(tried[i], g->set, seen))
			g->sure = false;
}

static bool
is_utf8(const uint8_t *p, size_t len)
{
	size_t at = utf8_ascii(p, len);
	uint32_t c;

	while (at < len) {
		if (!utf8_next(p, len, &at, &c))
			return false;
		at += utf8_ascii(p + at, len - at);
	}
	return true;
}

static bool
byte_order_mark(const uint8_t *p, size_t len, struct charset_guess *g)
{
	static const struct { char octets[4]; size_t len; enum charset set; }
	    marks[] = {
		{ "\xef\xbb\xbf", 3, CHARSET_UTF8 },
		{ "\xff\xfe", 2, CHARSET_UTF16LE },
		{ "\xfe\xff", 2, CHARSET_UTF16BE }
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (len >= marks[i].len &&
		    memcmp(p, marks[i].octets, marks[i].len) == 0) {
			g->set = marks[i].set;
			/* Some programs add one to what has one. */
			do
				g->bom += marks[i].len;
			while (len - g->bom >= marks[i].len && memcmp(p +
			    g->bom, marks[i].octets, marks[i].len) == 0);
			return true;
		}
	return false;
}

/* How many ${c} there are that have a ${d} at the same place of ${q}: in
 * blocks, of which the compiler compares many octets at once. */
static size_t
count(const uint8_t *p, const uint8_t *q, size_t len, uint8_t c, uint8_t d)
{
	size_t n = 0;

	for (; len >= 128; len -= 128, p += 128, q += 128) {
		uint8_t some = 0;

		for (int i = 0; i < 128; i++)
			some = (uint8_t)(some + ((p[i] == c) & (q[i] == d)));
		n += some;
	}
	for (size_t i = 0; i < len; i++)
		n += p[i] == c && q[i] == d;
	return n;
}

/* In UTF-16 every other octet is NUL here: they are passed over. */
static size_t
count_crlf(const uint8_t *p, size_t len, bool wide)
{
	size_t n = 0;
	bool cr = false;

	if (!wide)
		return len == 0 ? 0 : count(p, p + 1, len - 1, '\r', '\n');
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\0')
			continue;
		n += cr && p[i] == '\n';
		cr = p[i] == '\r';
	}
	return n;
}

static void
guess_eol(const uint8_t *p, size_t len, struct charset_guess *g)
{
	size_t n[3], total = 0;

	p += g->bom;
	len -= g->bom;
	n[EOL_LF] = count(p, p, len, '\n', '\n');
	n[EOL_CR] = count(p, p, len, '\r', '\r');
	n[EOL_CRLF] = count_crlf(p, len, g->set >= CHARSET_WRITTEN);
	n[EOL_LF] -= n[EOL_CRLF];
	n[EOL_CR] -= n[EOL_CRLF];
	for (int i = EOL_LF; i <= EOL_CR; i++) {
		total += n[i];
		if (n[i] > n[g->eol])
			g->eol = (enum eol)i;
	}
	g->mixed = n[g->eol] != total;
}

void
charset_guess(const uint8_t *p, size_t len, struct charset_guess *g)
{
	memset(g, 0, sizeof(*g));
	g->sure = true;
	if (!byte_order_mark(p, len, g)) {
		g->set = CHARSET_UTF8;
		g->ascii = utf8_ascii(p, len) == len;
		if (!g->ascii && !is_utf8(p, len))
			guess_single(p, len, g);
	}
	guess_eol(p, len, g);
}

void
charset_declared(const char *name, const uint8_t *p, size_t len,
    struct charset_guess *g)
{
	enum charset set;

	charset_guess(p, len, g);
	if (g->bom > 0 || g->set == CHARSET_UTF8 || name == NULL ||
	    !charset_find(name, &set) || set == CHARSET_UTF8)
		return;
	/* Windows' own signs under the name of Latin-1: WHATWG reads it so. */
	for (size_t i = 0; set == CHARSET_LATIN1 && i < len; i++)
		if (p[i] >= 0x80 && p[i] < 0xa0)
			set = CHARSET_CP1252;
	for (size_t i = 0; i < len; i++)
		if (charset_decode(set, p[i]) == 0xfffd)
			return;
	g->set = set;
	g->sure = true;
}
