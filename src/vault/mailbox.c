#include "config.h"

#include <sodium.h>
#include <string.h>

#include "vault/mailbox.h"
#include "base/utf8.h"

#define WORD_MAX 76	/* RFC 2047 2: an encoded word has at most 75 */

struct text {
	const char	*p;
	size_t		 len;
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct text
trim(struct text t)
{
	while (t.len > 0 && is_wsp(t.p[0])) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 && is_wsp(t.p[t.len - 1]))
		t.len--;
	return t;
}

/* The grammar of identities decides what an address is. */
static bool
take_address(struct text t, char out[IDENTITY_MAX_BYTES + 1])
{
	char name[IDENTITY_MAX_BYTES] = "a/";
	struct identity id;

	if (t.len > sizeof(name) - 2)
		return false;
	for (size_t i = 0; i < t.len; i++)
		name[2 + i] = lower(t.p[i]);
	if (!identity_parse_name(name, t.len + 2, &id))
		return false;
	memcpy(out, name + 2, t.len);
	out[t.len] = '\0';
	return true;
}

/* What a reader would show as the name. */

/* Could this character pass for a piece of an address, or hide one? */
static bool
is_deceptive(uint32_t c)
{
	return utf8_control(c) || c == '@' || c == '<' || c == '>' ||
	    c == 0xfe6b || c == 0xff20 ||	/* other "@" */
	    c == 0xad || c == 0x61c || c == 0xfeff ||	/* invisible */
	    (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) ||	/* turns the line round */
	    (c >= 0x2060 && c <= 0x206f);
}

static bool
utf8_honest(const uint8_t *p, size_t len)
{
	uint32_t c;

	for (size_t i = 0; i < len;)
		if (!utf8_next(p, len, &i, &c) || is_deceptive(c))
			return false;
	return true;
}

/* Character sets of one octet, of which none hides an ASCII one. */
static bool
latin_honest(const uint8_t *p, size_t len, bool windows)
{
	for (size_t i = 0; i < len; i++)
		if (is_deceptive(p[i]) &&
		    !(windows && p[i] >= 0x80 && p[i] < 0xa0))
			return false;
	return true;
}

static bool
text_is(struct text t, const char *s)
{
	if (t.len != strlen(s))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (lower(t.p[i]) != s[i])
			return false;
	return true;
}

static bool
charset_honest(struct text charset, const uint8_t *p, size_t len)
{
	if (text_is(charset, "utf-8") || text_is(charset, "us-ascii"))
		return utf8_honest(p, len);
	if (text_is(charset, "iso-8859-1") || text_is(charset, "iso-8859-15"))
		return latin_honest(p, len, false);
	return text_is(charset, "windows-1252") &&
	    latin_honest(p, len, true);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
decode_q(struct text t, uint8_t *out, size_t *n)
{
	int hi, lo;

	*n = 0;
	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] != '=') {
			out[(*n)++] = t.p[i] == '_' ? ' ' : (uint8_t)t.p[i];
			continue;
		}
		if (t.len - i < 3)
			return false;
		hi = hex_value(t.p[i + 1]);
		lo = hex_value(t.p[i + 2]);
		if (hi < 0 || lo < 0)
			return false;
		out[(*n)++] = (uint8_t)(hi * 16 + lo);
		i += 2;
	}
	return true;
}

static bool
decode_b(struct text t, uint8_t *out, size_t *n)
{
	return sodium_base642bin(out, WORD_MAX, t.p, t.len, NULL, n, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == 0;
}

/* Up to the next "?", which is passed. */
static bool
take_field(struct text *t, struct text *field)
{
	const char *end = memchr(t->p, '?', t->len);

	if (end == NULL)
		return false;
	field->p = t->p;
	field->len = (size_t)(end - t->p);
	t->p = end + 1;
	t->len -= field->len + 1;
	return true;
}

/* "=?charset?Q?text?=", the whole of ${t}. */
static bool
encoded_honest(struct text t)
{
	uint8_t raw[WORD_MAX];
	struct text charset, how, word;
	size_t n;
	bool ok;

	if (t.len >= WORD_MAX)
		return false;
	t.p += 2;
	t.len -= 2;
	if (!take_field(&t, &charset) || !take_field(&t, &how) ||
	    !take_field(&t, &word) || t.len != 1 || t.p[0] != '=')
		return false;
	ok = text_is(how, "q") ? decode_q(word, raw, &n) :
	    text_is(how, "b") && decode_b(word, raw, &n);
	return ok && charset_honest(charset, raw, n);
}

static bool
is_special(char c)
{
	return c != '\0' && strchr("()<>[]:;@\\,\"", c) != NULL;
}

/* Nothing that some readers would decode though it is out of place. */
static bool
plain_honest(struct text t)
{
	for (size_t i = 0; i + 1 < t.len; i++)
		if (t.p[i] == '=' && t.p[i + 1] == '?')
			return false;
	return utf8_honest((const uint8_t *)t.p, t.len);
}

/*
 * How far what stands between quotes goes; t.p[0] is the first of them.  Only
 * quote and backslash may be escaped, so that nothing new can come out.
 */
static bool
quoted_span(struct text t, size_t *len)
{
	for (size_t i = 1; i < t.len; i++) {
		if (t.p[i] == '"') {
			*len = i - 1;
			return true;
		}
		if (t.p[i] == '\\' && (++i == t.len ||
		    (t.p[i] != '"' && t.p[i] != '\\')))
			return false;
	}
	return false;
}

/* The first word of ${*t} is passed; quoted, encoded or plain. */
static bool
take_word(struct text *t)
{
	struct text w = { t->p, 0 };
	bool quoted = t->p[0] == '"';

	if (quoted) {
		if (!quoted_span(*t, &w.len))
			return false;
		w.p++;
	} else {
		while (w.len < t->len && !is_wsp(w.p[w.len]) &&
		    !is_special(w.p[w.len]))
			w.len++;
	}
	t->p = w.p + w.len + quoted;
	t->len -= w.len + 2u * quoted;
	/* Words are set apart by blanks; what is special ends in nothing. */
	if (t->len > 0 && !is_wsp(t->p[0]))
		return false;
	if (!quoted && w.len >= 2 && memcmp(w.p, "=?", 2) == 0)
		return encoded_honest(w);
	return (quoted || w.len > 0) && plain_honest(w);
}

/* Some programs give the address itself as its name, in quotes or not. */
static bool
name_repeats(struct text name, const char *addr)
{
	name = trim(name);
	if (name.len > 2 && name.p[0] == '"' &&
	    name.p[name.len - 1] == '"') {
		name.p++;
		name.len -= 2;
	}
	return text_is(name, addr);
}

static bool
name_honest(struct text t)
{
	for (t = trim(t); t.len > 0; t = trim(t))
		if (!take_word(&t))
			return false;
	return true;
}

bool
mailbox_address(const char *s, size_t len, char out[IDENTITY_MAX_BYTES + 1])
{
	struct text all = trim((struct text){ s, len }), name = all, addr;
	const char *open;

	memset(out, 0, IDENTITY_MAX_BYTES + 1);
	if (all.len == 0)
		return false;
	open = memchr(all.p, '<', all.len);
	if (open == NULL)
		return take_address(all, out);
	if (all.p[all.len - 1] != '>')
		return false;
	name.len = (size_t)(open - all.p);
	addr.p = open + 1;
	addr.len = all.len - name.len - 2;
	if (take_address(addr, out) &&
	    (name_honest(name) || name_repeats(name, out)))
		return true;
	memset(out, 0, IDENTITY_MAX_BYTES + 1);
	return false;
}
