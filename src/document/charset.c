#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/utf8.h"
#include "document/charset.h"
#include "document/charset_table.h"

#define UNKNOWN 0xfffdU		/* Unicode's replacement character */
/* A sign may stand for a sign (U+03BC, then "u"), and no deeper. */
#define STANDS_MAX 3

static const char *const names[][4] = {
	[CHARSET_UTF8] = { "UTF-8", "utf8", "unicode" },
	[CHARSET_LATIN1] = { "ISO-8859-1", "latin1", "iso8859-1" },
	[CHARSET_CP1252] = { "windows-1252", "cp1252", "ansi" },
	[CHARSET_CP850] = { "IBM850", "cp850", "dos" },
	[CHARSET_MACROMAN] = { "macintosh", "macroman", "mac" },
	[CHARSET_UTF16LE] = { "UTF-16LE" },
	[CHARSET_UTF16BE] = { "UTF-16BE" }
};

const char *
charset_name(enum charset set)
{
	return names[set][0];
}

const char *
eol_name(enum eol eol)
{
	return eol == EOL_CRLF ? "CRLF" : eol == EOL_CR ? "CR" : "LF";
}

bool
charset_find(const char *name, enum charset *set)
{
	for (unsigned s = 0; s < CHARSET_WRITTEN; s++)
		for (size_t i = 0; i < 4 && names[s][i] != NULL; i++)
			if (strcasecmp(name, names[s][i]) == 0) {
				*set = (enum charset)s;
				return true;
			}
	return false;
}

uint32_t
charset_decode(enum charset set, uint8_t octet)
{
	if (octet < 0x80)
		return octet;
	if (set == CHARSET_CP850)
		return charset_cp850[octet - 0x80];
	if (set == CHARSET_MACROMAN)
		return charset_macroman[octet - 0x80];
	return set == CHARSET_CP1252 && octet < 0xa0 ?
	    charset_cp1252[octet - 0x80] : octet;
}

static bool
put_utf8(struct buf *out, uint32_t c)
{
	uint8_t s[4];

	if (c < 0x80)
		return buf_add8(out, (uint8_t)c);
	if (c < 0x800) {
		s[0] = (uint8_t)(0xc0 | c >> 6);
		s[1] = (uint8_t)(0x80 | (c & 0x3f));
		return buf_add(out, s, 2);
	}
	if (c < 0x10000) {
		s[0] = (uint8_t)(0xe0 | c >> 12);
		s[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		s[2] = (uint8_t)(0x80 | (c & 0x3f));
		return buf_add(out, s, 3);
	}
	s[0] = (uint8_t)(0xf0 | c >> 18);
	s[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	s[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	s[3] = (uint8_t)(0x80 | (c & 0x3f));
	return buf_add(out, s, 4);
}

static void
note(struct charset_loss *loss, bool lost, unsigned line)
{
	size_t *n = lost ? &loss->lost : &loss->stood;

	if ((*n)++ == 0)
		*(lost ? &loss->lost_line : &loss->stood_line) = line;
}

/* One unit of UTF-16 (RFC 2781), or UNKNOWN when the text ends in it. */
static uint32_t
unit16(enum charset set, const uint8_t *p, size_t len, size_t at)
{
	if (len - at < 2)
		return UNKNOWN;
	return set == CHARSET_UTF16LE ? (uint32_t)(p[at] | p[at + 1] << 8) :
	    get_be16(p + at);
}

static uint32_t
next_utf16(enum charset set, const uint8_t *p, size_t len, size_t *at)
{
	uint32_t c = unit16(set, p, len, *at), low;

	*at += len - *at < 2 ? 1 : 2;
	if (c < 0xd800 || c > 0xdfff)
		return c == 0 ? UNKNOWN : c;	/* no text holds a NUL */
	if (c > 0xdbff || *at >= len)
		return UNKNOWN;
	low = unit16(set, p, len, *at);
	if (low < 0xdc00 || low > 0xdfff)
		return UNKNOWN;
	*at += 2;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* The character at ${*at}, UNKNOWN for octets that are none. */
static uint32_t
next(enum charset set, const uint8_t *p, size_t len, size_t *at)
{
	size_t was = *at;
	uint32_t c;

	if (set == CHARSET_UTF16LE || set == CHARSET_UTF16BE)
		return next_utf16(set, p, len, at);
	if (set != CHARSET_UTF8)
		return charset_decode(set, p[(*at)++]);
	if (utf8_next(p, len, at, &c))
		return c;
	*at = was + 1;	/* what follows may be good again */
	return UNKNOWN;
}

/* How many octets from ${at} on are the same in every set but UTF-16, and end
 * no line. */
static size_t
run_of_ascii(enum charset set, const uint8_t *p, size_t len, size_t at)
{
	size_t n = 0;

	if (set == CHARSET_UTF16LE || set == CHARSET_UTF16BE)
		return 0;
	while (at + n < len && p[at + n] < 0x80 && p[at + n] != '\r' &&
	    p[at + n] != '\n')
		n++;
	return n;
}

enum rc
charset_read(const struct charset_guess *g, const uint8_t *p, size_t len,
    struct buf *out, struct charset_loss *loss, struct err *e)
{
	size_t at = g->bom;
	unsigned line = loss->above + 1;
	bool cr = false;

	while (at < len) {
		size_t n = run_of_ascii(g->set, p, len, at);
		uint32_t c;
		bool second;

		if (!buf_add(out, p + at, n))
			return err_set(e, RC_NOMEM, _("no memory left"));
		at += n;
		cr = cr && n == 0;
		if (at == len)
			break;
		c = next(g->set, p, len, &at);
		second = cr && c == '\n';
		cr = c == '\r';
		if (second)
			continue;
		if (c == UNKNOWN)
			note(loss, true, line);
		if (cr || c == '\n')
			line++;
		if (!put_utf8(out, cr ? '\n' : c))
			return err_set(e, RC_NOMEM, _("no memory left"));
	}
	return RC_OK;
}

/* ${c} in a single-octet set. */
static bool
encode(enum charset set, uint32_t c, uint8_t *octet)
{
	for (unsigned i = 0x80; c >= 0x80 && set != CHARSET_ASCII &&
	    i < 0x100; i++)
		if (charset_decode(set, (uint8_t)i) == c) {
			*octet = (uint8_t)i;
			return true;
		}
	*octet = (uint8_t)c;
	return c < 0x80;
}

/* ${base} with ${mark} behind it (as a Mac writes names) in one; or 0. */
static uint32_t
compose(uint32_t base, uint32_t mark)
{
	const struct charset_letter *l = charset_letters;

	while (l->c != 0 && ((uint32_t)l->base != base || l->mark != mark))
		l++;
	return l->c;
}

/* Something else that means ${c}: false when there is nothing. */
static bool
stand_for(enum charset set, uint32_t c, int depth, struct buf *out,
    bool *nomem)
{
	const struct charset_stand *s = charset_stands;
	const uint8_t *p;
	size_t at = 0, len;
	uint8_t octet;

	for (const struct charset_letter *l = charset_letters; l->c != 0; l++)
		if (l->c == c) {
			*nomem = !buf_add8(out, (uint8_t)l->base);
			return true;
		}
	while (s->text != NULL && s->c != c)
		s++;
	if (s->text == NULL || depth == STANDS_MAX)
		return false;
	p = (const uint8_t *)s->text;
	for (len = strlen(s->text); at < len && !*nomem;) {
		if (!utf8_next(p, len, &at, &c))
			return false;
		if (encode(set, c, &octet))
			*nomem = !buf_add8(out, octet);
		else if (!stand_for(set, c, depth + 1, out, nomem))
			return false;
	}
	return true;
}

/* One character that is no end of a line. */
static bool
put_single(enum charset set, uint32_t c, unsigned line, struct buf *out,
    struct charset_loss *loss)
{
	bool nomem = false;
	uint8_t octet;

	if (encode(set, c, &octet))
		return buf_add8(out, octet);
	if (c != UNKNOWN && stand_for(set, c, 0, out, &nomem)) {
		note(loss, false, line);
		return !nomem;
	}
	note(loss, true, line);
	return buf_add8(out, '?');
}

/* The mark behind ${*c}, where both are one letter, is taken with it. */
static void
take_mark(const uint8_t *p, size_t len, size_t *at, uint32_t *c)
{
	size_t ahead = *at;
	uint32_t mark, one;

	if (*c >= 0x80 || ahead >= len || p[ahead] < 0xcc ||
	    !utf8_next(p, len, &ahead, &mark) ||
	    (one = compose(*c, mark)) == 0)
		return;
	*c = one;
	*at = ahead;
}

enum rc
charset_write(enum charset set, enum eol eol, const uint8_t *p, size_t len,
    struct buf *out, struct charset_loss *loss, struct err *e)
{
	size_t at = 0;
	unsigned line = loss->above + 1;
	bool ok = true;

	BUG_ON(set >= CHARSET_WRITTEN);
	while (ok && at < len) {
		uint32_t c = next(CHARSET_UTF8, p, len, &at);

		if (c == '\n') {
			line++;
			ok = buf_adds(out, eol == EOL_CRLF ? "\r\n" :
			    eol == EOL_CR ? "\r" : "\n");
		} else if (set == CHARSET_UTF8) {
			ok = put_utf8(out, c);
		} else {
			take_mark(p, len, &at, &c);
			ok = put_single(set, c, line, out, loss);
		}
	}
	return ok ? RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
}

bool
charset_plain(const uint8_t *p, size_t len, struct buf *out)
{
	struct charset_loss loss = { .lost = 0 };
	size_t at = 0;
	bool ok = true;

	while (ok && at < len) {
		uint32_t c = next(CHARSET_UTF8, p, len, &at);

		take_mark(p, len, &at, &c);
		ok = put_single(CHARSET_ASCII, c, 1, out, &loss);
	}
	return ok;
}

bool
charset_words(const uint8_t *p, size_t len, struct buf *out)
{
	struct buf plain = BUF_INIT;
	bool ok = charset_plain(p, len, &plain), gap = false;
	size_t from = out->len;

	for (size_t i = 0; ok && i < plain.len; i++) {
		uint8_t c = plain.p[i];

		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
			gap = out->len > from;
			continue;
		}
		ok = (!gap || buf_add8(out, ' ')) && buf_add8(out, c);
		gap = false;
	}
	buf_free(&plain);
	return ok;
}
