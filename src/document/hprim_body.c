/* Under the header: the text, the coded lines, the tags; and characters. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "document/hprim_priv.h"

/* RES|label|code|type|value|unit|low|high|flag|status|4 of a second unit */
enum { RES_TYPE = 3, RES_VALUE, RES_UNIT, RES_LOW, RES_HIGH, RES_FLAG,
    RES_STATUS, RES_FIELDS = 14 };

static bool
is_one(struct bytes s, const char *const *words)
{
	while (*words != NULL && !bytes_eqs(s, *words))
		words++;
	return *words != NULL;
}

/* "4,5", "-1.25": what strtod() would take in one locale or another. */
static bool
read_number(struct bytes s, double *v)
{
	double unit = 1, sign = 1;
	size_t i = 0, digits = 0;
	bool point = false;

	*v = 0;
	if (s.len > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		sign = s.p[i++] == '-' ? -1 : 1;
	for (; i < s.len; i++) {
		if ((s.p[i] == ',' || s.p[i] == '.') && !point) {
			point = true;
			continue;
		}
		if (s.p[i] == ' ' && digits > 0)	/* 250 000 */
			continue;
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		digits++;
		*v = 10 * *v + (s.p[i] - '0');
		unit *= point ? 10 : 1;
	}
	*v = sign * *v / unit;
	return digits > 0;
}

/* A value may lie outside of what was measured: "< 0,5". */
static bool
is_value(struct bytes s)
{
	double v;

	while (s.len > 0 && strchr("<>= ", s.p[0]) != NULL && s.p[0] != 0) {
		s.p++;
		s.len--;
	}
	return read_number(s, &v);
}

static bool
are_bounds(struct bytes low, struct bytes high)
{
	double a = 0, b = 0;

	if ((low.len > 0 && !read_number(low, &a)) ||
	    (high.len > 0 && !read_number(high, &b)))
		return false;
	return low.len == 0 || high.len == 0 || a <= b;
}

/* Fields without blanks around them; how many, without empty ones at the
 * end.  One more than there may be is enough to know. */
static size_t
split(struct bytes line, struct bytes f[RES_FIELDS + 1])
{
	size_t n = 0, used = 0;

	memset(f, 0, (RES_FIELDS + 1) * sizeof(*f));
	while (n <= RES_FIELDS) {
		const uint8_t *bar = line.len == 0 ? NULL :
		    memchr(line.p, '|', line.len);
		size_t len = bar == NULL ? line.len : (size_t)(bar - line.p);

		f[n] = hprim_trim((struct bytes){ line.p, len });
		if (f[n++].len > 0)
			used = n;
		if (bar == NULL)
			break;
		line = (struct bytes){ bar + 1, line.len - len - 1 };
	}
	return used;
}

static void
check_result(struct hprim_reading *r, struct bytes line, unsigned no)
{
	static const char *const types[] = { "N", "A", "C", NULL };
	static const char *const flags[] = { "", "L", "H", "LL", "HH", "N",
	    NULL };
	static const char *const states[] = { "", "F", "R", "C", NULL };
	struct bytes f[RES_FIELDS + 1];
	size_t n = split(line, f);
	bool numeric;

	r->patient->nresults++;
	if (n <= RES_VALUE) {
		hprim_note(r, HPRIM_RES_SHORT, no);
		return;
	}
	numeric = bytes_eqs(f[RES_TYPE], "N");
	if (n > RES_FIELDS)
		hprim_note(r, HPRIM_RES_LONG, no);
	if (!is_one(f[RES_TYPE], types))
		hprim_note(r, HPRIM_RES_TYPE, no);
	if (numeric && !is_value(f[RES_VALUE]))
		hprim_note(r, HPRIM_RES_NUMBER, no);
	if (numeric && !are_bounds(f[RES_LOW], f[RES_HIGH]))
		hprim_note(r, HPRIM_RES_BOUNDS, no);
	if (!is_one(f[RES_FLAG], flags))
		hprim_note(r, HPRIM_RES_FLAG, no);
	if (!is_one(f[RES_STATUS], states))
		hprim_note(r, HPRIM_RES_STATUS, no);
}

static bool
begins(struct bytes s, const char *with)
{
	size_t len = strlen(with);

	return s.len >= len && memcmp(s.p, with, len) == 0;
}

static void
check_line(struct hprim_reading *r, struct bytes line, bool coded)
{
	struct bytes s = hprim_trim(line);
	bool result = begins(s, "RES|");
	unsigned no = r->lines.no - 1;

	if (coded && result)
		check_result(r, s, no);
	else if (coded && s.len > 0 && !begins(s, "TEX|"))
		hprim_note(r, HPRIM_CODED_LINE, no);
	else if (!coded && (result || begins(s, "TEX|")))
		hprim_note(r, HPRIM_CODED_OUTSIDE, no);
}

static void
check_tag(struct hprim_reading *r, enum hprim_tag tag, bool exact, bool coded)
{
	unsigned no = r->lines.no - 1;

	if (tag == HPRIM_TAG_OTHER)
		hprim_note(r, HPRIM_TAG_UNKNOWN, no);
	else if (!exact)
		hprim_note(r, HPRIM_TAG_FORM, no);
	if (tag == HPRIM_TAG_LAB && coded)
		hprim_note(r, HPRIM_TAG_TWICE, no);
}

enum hprim_tag
hprim_body(struct hprim_reading *r)
{
	struct hprim_patient *p = r->patient;
	enum hprim_tag tag = HPRIM_TAG_NONE;
	struct bytes line, *part = &p->text;
	bool exact = true;

	p->text = (struct bytes){ r->lines.p, 0 };
	while (hprim_line(&r->lines, &line)) {
		tag = hprim_tag(line, &exact);
		if (tag == HPRIM_TAG_NONE)
			check_line(r, line, part == &p->coded);
		else
			check_tag(r, tag, exact, part == &p->coded);
		if (tag == HPRIM_TAG_FIN || tag == HPRIM_TAG_FINFICHIER)
			return tag;
		if (tag == HPRIM_TAG_LAB && part == &p->text) {
			part = &p->coded;
			part->p = r->lines.p;
		} else {
			part->len = (size_t)(r->lines.p - part->p);
		}
	}
	return HPRIM_TAG_NONE;
}

/* "A-tilde, copyright": two octets of UTF-8 that were taken for two
 * characters of Windows-1252 and encoded again. */
static bool
is_twice(uint32_t a, uint32_t b)
{
	if (a == 0xc3)
		return (b >= 0xa0 && b < 0xc0) || (b >= 0x80 && b < 0xa0) ||
		    b == 0x2030 || b == 0x20ac;
	return a == 0xc2 && (b == 0xb0 || b == 0xb2 || b == 0xb3 ||
	    b == 0xb5 || b == 0xab || b == 0xbb || b == 0xa0);
}

/* "&eacute;" or "&#233;" */
static bool
is_entity(const uint8_t *p, size_t len)
{
	size_t i = 1;

	if (len > 2 && p[1] == '#')
		i = 2;
	for (; i < len && i < 10; i++) {
		bool digit = p[i] >= '0' && p[i] <= '9';
		bool letter = (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z';

		if (p[i] == ';')
			return i > 2;
		if (!digit && (p[1] == '#' || !letter))
			return false;
	}
	return false;
}

/* What is wrong at ${at}, where ${c} stands; WHAT_N: nothing. */
static enum hprim_what
look(const struct buf *b, size_t at, uint32_t before, uint32_t c)
{
	if (is_twice(before, c))
		return HPRIM_TWICE_UTF8;
	if (c == '&' && is_entity(b->p + at, b->len - at))
		return HPRIM_ENTITY;
	if (utf8_control(c) && c != '\t' && c != '\f' &&
	    c != 0x1a)
		return HPRIM_CONTROL;
	return HPRIM_WHAT_N;
}

static unsigned
line_of(const struct buf *b, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at; i++)
		line += b->p[i] == '\n';
	return line;
}

static bool
is_plain(uint8_t c)
{
	return c == '\n' || (c >= ' ' && c < 0x7f && c != '&');
}

/* How many such there are: in blocks, of which the compiler looks at many
 * octets at once. */
static size_t
plain_run(const uint8_t *p, size_t len)
{
	size_t n = 0;

	for (; len - n >= 16; n += 16) {
		uint8_t odd = 0;

		for (size_t i = 0; i < 16; i++)
			odd = (uint8_t)(odd | !is_plain(p[n + i]));
		if (odd != 0)
			break;
	}
	while (n < len && is_plain(p[n]))
		n++;
	return n;
}

void
hprim_octets(struct hprim_reading *r)
{
	const struct charset_guess *g = &r->h->guess;
	const struct buf *b = &r->h->utf8;
	bool said[HPRIM_WHAT_N + 1] = { [HPRIM_WHAT_N] = true };
	uint32_t before = 0, c;

	if (!g->sure)
		hprim_note(r, HPRIM_CHARSET_UNSURE, 0);
	if (g->set >= CHARSET_WRITTEN)
		hprim_note(r, HPRIM_UTF16, 0);
	else if (g->bom > 0)
		hprim_note(r, HPRIM_MARK, 0);
	if (g->mixed)
		hprim_note(r, HPRIM_EOL_MIXED, 0);
	for (size_t at = 0, was; at < b->len; before = c) {
		enum hprim_what what;

		/* Nothing is ever wrong with most of them. */
		was = at;
		at += plain_run(b->p + at, b->len - at);
		if (at > was) {
			c = b->p[at - 1];
			continue;
		}
		if (!utf8_next(b->p, b->len, &at, &c))
			c = 0xfffd;	/* half a pair of UTF-16 */
		what = look(b, was, before, c);
		if (!said[what])
			hprim_note(r, what, line_of(b, was));
		said[what] = true;
	}
}
