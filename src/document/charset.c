#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/utf8.h"
#include "document/charset.h"
#include "document/charset_table.h"

#define UNKNOWN 0xfffdU		/* Unicode's replacement character */
#define READ_OCTETS 1024	/* at once */
#define OCTET_MAX 3		/* octets of UTF-8 that one becomes */
#define UTF8_MAX 4
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

/* Room is there for UTF8_MAX octets. */
static size_t
put_at(uint8_t *s, uint32_t c)
{
	if (c < 0x80) {
		s[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		s[0] = (uint8_t)(0xc0 | c >> 6);
		s[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		s[0] = (uint8_t)(0xe0 | c >> 12);
		s[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		s[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	s[0] = (uint8_t)(0xf0 | c >> 18);
	s[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	s[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	s[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static bool
put_utf8(struct buf *out, uint32_t c)
{
	uint8_t s[UTF8_MAX];

	return buf_add(out, s, put_at(s, c));
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

/* A text on its way into UTF-8. */
struct reading {
	enum charset	 set;
	const uint8_t	*p;
	size_t		 len, at;
	struct buf	*out;
	size_t		 from;		/* of ${out}: what was there before */
};

/* What is the same in every set but UTF-16, with LF for whatever ends a line,
 * until ${to}; how much of ${out} it takes. */
static size_t
copy_ascii(struct reading *r, size_t to, uint8_t *out)
{
	const uint8_t *p = r->p;
	size_t at = r->at, n = 0;

	while (at < to && p[at] < 0x80) {
		uint8_t c = p[at++];

		if (c == '\r') {
			c = '\n';
			at += at < r->len && p[at] == '\n';
		}
		out[n++] = c;
	}
	r->at = at;
	return n;
}

/* The next character, with LF for whatever ends a line. */
static uint32_t
next_or_lf(struct reading *r)
{
	uint32_t c = next(r->set, r->p, r->len, &r->at);
	size_t ahead = r->at;

	if (c != '\r')
		return c;
	if (ahead < r->len && next(r->set, r->p, r->len, &ahead) == '\n')
		r->at = ahead;
	return '\n';
}

static unsigned
line_of(const struct reading *r, const uint8_t *end)
{
	unsigned n = 1;

	for (const uint8_t *p = r->out->p + r->from; p < end; p++)
		n += *p == '\n';
	return n;
}

/* What begins before ${to}; there is room for it. */
static void
read_some(struct reading *r, size_t to, struct charset_loss *loss)
{
	uint8_t *o = r->out->p + r->out->len;

	while (r->at < to) {
		uint32_t c;

		if (r->set < CHARSET_WRITTEN)
			o += copy_ascii(r, to, o);
		if (r->at >= to)
			break;
		if ((c = next_or_lf(r)) == UNKNOWN)
			note(loss, true, loss->lost > 0 ? 0 :
			    loss->above + line_of(r, o));
		o += put_at(o, c);
	}
	r->out->len = (size_t)(o - r->out->p);
}

enum rc
charset_read(const struct charset_guess *g, const uint8_t *p, size_t len,
    struct buf *out, struct charset_loss *loss, struct err *e)
{
	struct reading r = { g->set, p, len, g->bom, out, out->len };

	/* Mostly enough for all of it: growing copies and wipes. */
	bool ok = buf_reserve(out, len + len / 16);

	while (ok && r.at < len) {
		size_t n = len - r.at < READ_OCTETS ? len - r.at : READ_OCTETS;

		ok = buf_reserve(out, n * OCTET_MAX + UTF8_MAX);
		if (ok)
			read_some(&r, r.at + n, loss);
	}
	return ok ? RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
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
