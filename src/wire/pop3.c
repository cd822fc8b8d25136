#include "config.h"

#include <string.h>
#include <strings.h>

#include "wire/pop3.h"

/* Where a body stands between two octets. */
enum {
	LINE_START,	/* after CRLF, or before the first octet */
	TEXT,
	CR,		/* ... CR, given already */
	DOT,		/* at the start of a line, kept back */
	DOT_CR		/* both kept back */
};

enum pop3_status
pop3_status(struct bytes line)
{
	if (line.len >= 3 && memcmp(line.p, "+OK", 3) == 0 &&
	    (line.len == 3 || line.p[3] == ' '))
		return POP3_OK;
	if (line.len >= 4 && memcmp(line.p, "-ERR", 4) == 0 &&
	    (line.len == 4 || line.p[4] == ' '))
		return POP3_ERR;
	if (line.len >= 1 && line.p[0] == '+' &&
	    (line.len == 1 || line.p[1] == ' '))
		return POP3_MORE;
	return POP3_NONSENSE;
}

bool
pop3_code(struct bytes line, const char *code)
{
	const uint8_t *at = memchr(line.p, '[', line.len);
	size_t len = strlen(code), left;

	/* Only right after the status word. */
	if (at == NULL || at - line.p > 5)
		return false;
	left = line.len - (size_t)(at + 1 - line.p);
	return left > len &&
	    strncasecmp((const char *)at + 1, code, len) == 0 &&
	    (at[1 + len] == ']' || at[1 + len] == '/');
}

/* Decimal digits into ${n}, at most ${max}; how many octets, 0: none. */
static size_t
number(struct bytes line, size_t from, uint64_t max, uint64_t *n)
{
	size_t i = from;

	*n = 0;
	for (; i < line.len && line.p[i] >= '0' && line.p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(line.p[i] - '0');

		if (*n > (max - digit) / 10)
			return 0;
		*n = *n * 10 + digit;
	}
	return i - from;
}

static bool
message_number(struct bytes line, uint32_t *n, size_t *rest)
{
	uint64_t value;
	size_t digits = number(line, 0, INT32_MAX, &value);

	if (digits == 0 || value == 0 || digits >= line.len ||
	    line.p[digits] != ' ')
		return false;
	*n = (uint32_t)value;
	*rest = digits + 1;
	return true;
}

bool
pop3_list(struct bytes line, uint32_t *n, uint64_t *size)
{
	size_t at, digits;

	if (!message_number(line, n, &at))
		return false;
	digits = number(line, at, INT64_MAX, size);
	return digits > 0 && (at + digits == line.len ||
	    line.p[at + digits] == ' ');
}

bool
pop3_uidl(struct bytes line, uint32_t *n, struct bytes *id)
{
	size_t at;

	if (!message_number(line, n, &at))
		return false;
	id->p = line.p + at;
	id->len = line.len - at;
	/* Some servers pad the line. */
	while (id->len > 0 && id->p[id->len - 1] == ' ')
		id->len--;
	for (size_t i = 0; i < id->len; i++)
		if (id->p[i] < 0x21 || id->p[i] > 0x7e)
			return false;
	return id->len >= 1 && id->len <= POP3_UIDL_BYTES;
}

static bool
word_is(struct bytes w, const char *s)
{
	return w.len == strlen(s) &&
	    strncasecmp((const char *)w.p, s, w.len) == 0;
}

/* The next word of ${line} from ${*at}; empty at the end. */
static struct bytes
next_word(struct bytes line, size_t *at)
{
	struct bytes w;

	while (*at < line.len && line.p[*at] == ' ')
		++*at;
	w.p = line.p + *at;
	while (*at < line.len && line.p[*at] != ' ')
		++*at;
	w.len = (size_t)(line.p + *at - w.p);
	return w;
}

void
pop3_capa(struct bytes line, struct pop3_capa *c)
{
	size_t at = 0;
	struct bytes w = next_word(line, &at);

	c->uidl |= word_is(w, "UIDL");
	c->stls |= word_is(w, "STLS");
	c->user |= word_is(w, "USER");
	c->pipelining |= word_is(w, "PIPELINING");
	if (!word_is(w, "SASL"))
		return;
	while ((w = next_word(line, &at)).len > 0) {
		c->sasl_plain |= word_is(w, "PLAIN");
		c->sasl_xoauth2 |= word_is(w, "XOAUTH2");
	}
}

/* Content from ${from} up to ${to} goes out. */
static bool
give(const uint8_t *p, size_t from, size_t to, pop3_sink *sink, void *arg,
    enum rc *rc, struct err *e)
{
	if (to > from)
		*rc = sink(arg, p + from, to - from, e);
	return *rc == RC_OK;
}

/* The next state after octet ${c}; *${keep}: it is content. */
static int
step(int state, uint8_t c, bool *keep)
{
	*keep = true;
	if (state == LINE_START && c == '.') {
		*keep = false;
		return DOT;
	}
	if (state == DOT && c == '\r') {
		*keep = false;
		return DOT_CR;
	}
	if (c == '\r')
		return CR;
	return state == CR && c == '\n' ? LINE_START : TEXT;
}

size_t
pop3_body_feed(struct pop3_body *b, const uint8_t *p, size_t len,
    pop3_sink *sink, void *arg, enum rc *rc, struct err *e)
{
	size_t from = 0, i = 0;

	*rc = RC_OK;
	while (i < len && !b->done) {
		const uint8_t *cr;
		bool keep;

		if (b->state == TEXT) {
			cr = memchr(p + i, '\r', len - i);
			i = cr == NULL ? len : (size_t)(cr - p);
			if (cr == NULL)
				break;
		}
		if (b->state == DOT_CR && p[i] == '\n') {
			b->done = true;
			return i + 1;
		}
		if (b->state == DOT_CR) {
			/* The CR kept back was content after all. */
			if (!give((const uint8_t *)"\r", 0, 1, sink, arg, rc,
			    e))
				return i;
			b->state = CR;
			from = i;
		}
		b->state = step(b->state, p[i], &keep);
		if (!keep) {
			if (!give(p, from, i, sink, arg, rc, e))
				return i;
			from = i + 1;
		}
		i++;
	}
	(void)give(p, from, i, sink, arg, rc, e);
	return i;
}
