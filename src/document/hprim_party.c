/* Line 11 or 12 of a header, and what a person calls it. */
#include "config.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "document/hprim_priv.h"

/* The next word of a text in ASCII: letters and figures. */
static struct bytes
next_word(struct bytes *s)
{
	struct bytes word;

	while (s->len > 0 && !isalnum(*s->p)) {
		s->p++;
		s->len--;
	}
	word = (struct bytes){ s->p, 0 };
	while (s->len > 0 && isalnum(*s->p)) {
		s->p++;
		s->len--;
		word.len++;
	}
	return word;
}

static bool
same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(
	    (const char *)a.p, (const char *)b.p, a.len) == 0);
}

static bool
is_title(struct bytes word)
{
	static const char *const titles[] = { "DR", "DOCTEUR", "PR",
	    "PROFESSEUR", "M", "MR", "MME", "MLLE" };

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (same(word, (struct bytes){ (const uint8_t *)titles[i],
		    strlen(titles[i]) }))
			return true;
	return false;
}

static bool
has_word(struct bytes text, struct bytes word)
{
	struct bytes w;

	while ((w = next_word(&text)).len > 0)
		if (same(w, word))
			return true;
	return false;
}

static bool
words_in(struct bytes who, struct bytes name)
{
	struct bytes word;
	bool any = false;

	while ((word = next_word(&who)).len > 0) {
		if (is_title(word))
			continue;
		if (!has_word(name, word))
			return false;
		any = true;
	}
	return any;
}

bool
hprim_party_is(const struct hprim_party *p, struct bytes who)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	bool is = false;

	who = hprim_trim(who);
	if (who.len == 0)
		return false;
	if (same(who, p->code) || same(who, p->address))
		return true;
	/* An address is nobody's name. */
	if (memchr(who.p, '@', who.len) == NULL &&
	    charset_plain(who.p, who.len, &a) &&
	    charset_plain(p->name.p, p->name.len, &b))
		is = words_in((struct bytes){ a.p, a.len },
		    (struct bytes){ b.p, b.len });
	buf_free(&a);
	buf_free(&b);
	return is;
}
