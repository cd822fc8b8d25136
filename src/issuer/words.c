#include "config.h"

#include <string.h>

#include "issuer/words.h"

/* Its number; n: there is none. */
static size_t
find(const struct word *w, size_t n, struct bytes name)
{
	size_t i = 0;

	while (i < n && !bytes_eqs(name, w[i].name))
		i++;
	return i;
}

struct bytes
words_find(const struct word *w, size_t n, const char *name)
{
	size_t i = find(w, n,
	    (struct bytes){ (const uint8_t *)name, strlen(name) });

	return i < n ? w[i].value : (struct bytes){ (const uint8_t *)"", 0 };
}

static const char *
entity(uint8_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

bool
words_escape(struct bytes s, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < s.len; i++) {
		const char *as = entity(s.p[i]);

		if (as == NULL)
			continue;
		if (!buf_add(out, s.p + from, i - from) || !buf_adds(out, as))
			return false;
		from = i + 1;
	}
	return buf_add(out, s.p + from, s.len - from);
}

/* The next place of ${*text}, which moves behind it; false: there is none. */
static bool
next_place(const char **text, struct bytes *before, struct bytes *name)
{
	const char *open = strchr(*text, '{'), *close;

	if (open == NULL)
		return false;
	close = strchr(open, '}');
	BUG_ON(close == NULL);
	*before = (struct bytes){ (const uint8_t *)*text,
	    (size_t)(open - *text) };
	*name = (struct bytes){ (const uint8_t *)open + 1,
	    (size_t)(close - open - 1) };
	*text = close + 1;
	return true;
}

bool
words_fill(const char *text, const struct word *w, size_t n,
    enum words_as as, struct buf *out)
{
	struct bytes before, name, value;
	size_t i;

	while (next_place(&text, &before, &name)) {
		i = find(w, n, name);
		BUG_ON(i == n);
		value = w[i].value;
		if (!buf_add(out, before.p, before.len) ||
		    !(as == WORDS_HTML ? words_escape(value, out) :
		    buf_add(out, value.p, value.len)))
			return false;
	}
	return buf_adds(out, text);
}

static bool
pass(struct bytes *s, const char *p, size_t len)
{
	if (s->len < len || memcmp(s->p, p, len) != 0)
		return false;
	s->p += len;
	s->len -= len;
	return true;
}

/* Up to the first ${end} of ${len} octets; to the end, if that is empty. */
static bool
cut(struct bytes *s, const char *end, size_t len, struct bytes *value)
{
	const uint8_t *at = len == 0 ? s->p + s->len :
	    memmem(s->p, s->len, end, len);

	if (at == NULL)
		return false;
	*value = (struct bytes){ s->p, (size_t)(at - s->p) };
	s->p = at;
	s->len -= value->len;
	return true;
}

bool
words_read(const char *text, struct word *w, size_t n, struct bytes filled)
{
	struct bytes before, name, value;
	size_t i;

	while (next_place(&text, &before, &name)) {
		i = find(w, n, name);
		BUG_ON(i == n);
		if (!pass(&filled, (const char *)before.p, before.len) ||
		    !cut(&filled, text, strcspn(text, "{"), &value))
			return false;
		w[i].value = value;
	}
	return pass(&filled, text, strlen(text)) && filled.len == 0;
}
