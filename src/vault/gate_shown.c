/* A member by the name under which the directory shows him. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "base/utf8.h"
#include "vault/gate_priv.h"

#define SAY_BYTES 256

/* The letters from U+00C0 on without their accents; others: none. */
static const char latin[] = "AAAAAA*CEEEEIIIIDNOOOOO OUUUUY**"
    "AAAAAA*CEEEEIIIIDNOOOOO OUUUUY*Y";

/* A text read as upper case letters and digits, one blank between words. */
struct folding {
	const char	*s;
	size_t		 len, at;
	bool		 gap, begun;
	const char	*rest;		/* of what one character became */
	char		 one[2];
};

static struct folding
fold(const char *s)
{
	return (struct folding){ .s = s, .len = strlen(s), .rest = "" };
}

static const char *
plain(struct folding *f, uint32_t c)
{
	f->one[0] = '\0';
	if (c >= 'a' && c <= 'z')
		f->one[0] = (char)(c - 'a' + 'A');
	else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		f->one[0] = (char)c;
	else if (c == 0xc6 || c == 0xe6)
		return "AE";
	else if (c == 0x152 || c == 0x153)
		return "OE";
	else if (c >= 0xc0 && c <= 0xff && latin[c - 0xc0] >= 'A')
		f->one[0] = latin[c - 0xc0];
	return f->one;
}

/* The next one of it; 0 at the end. */
static char
fold_next(struct folding *f)
{
	uint32_t c;

	while (*f->rest == '\0') {
		if (f->at >= f->len || !utf8_next((const uint8_t *)f->s,
		    f->len, &f->at, &c))
			return '\0';
		/* An accent of its own stands behind its letter. */
		if (c >= 0x300 && c < 0x370)
			continue;
		f->rest = plain(f, c);
		f->gap = f->gap || *f->rest == '\0';
	}
	if (f->gap && f->begun) {
		f->gap = false;
		return ' ';
	}
	f->gap = false;
	f->begun = true;
	return *f->rest++;
}

static bool
same_name(const char *a, const char *b)
{
	struct folding x = fold(a), y = fold(b);
	char c;

	do {
		if ((c = fold_next(&x)) != fold_next(&y))
			return false;
	} while (c != '\0');
	return x.begun;
}

enum rc
gate_shown(const struct gate *g, const char *show, struct identity *out,
    struct err *e)
{
	char say[SAY_BYTES] = "";
	struct gate_entry x;
	size_t at = 0, n = 0;

	while (gate_entries(g, &at, &x)) {
		size_t len = strlen(say);
		struct identity id;

		if (!same_name(show, x.show) || !identity_parse(x.identity,
		    strlen(x.identity), &id) || !identity_parse_name(id.s,
		    id.name_len, out))
			continue;
		n++;
		snprintf(say + len, sizeof(say) - len, "%s%s",
		    len > 0 ? ", " : "", out->s);
	}
	if (n == 0)
		return err_set(e, RC_PERM, _("no member is shown as \"%s\" in "
		    "the directory"), show);
	if (n > 1)
		return err_set(e, RC_PERM, _("several members are shown as "
		    "\"%s\" in the directory: %s"), show, say);
	return RC_OK;
}
