#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/lang.h"
#include "mail/addr.h"

static bool
is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* RFC 5322 3.2.3 */
static bool
is_atext(uint8_t c)
{
	return is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
dot_atom(const uint8_t *p, size_t len)
{
	bool dot = true;	/* none first, none twice */

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.' ? dot : !is_atext(p[i]))
			return false;
		dot = p[i] == '.';
	}
	return !dot;
}

/* Letters, digits and inner "-" in labels of at most 63 (RFC 1035 2.3.1). */
static bool
host_name(const uint8_t *p, size_t len)
{
	size_t label = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.') {
			if (label == 0 || p[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(p[i]) && (p[i] != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0 && p[len - 1] != '-';
}

/* RFC 5321 4.1.3: [192.0.2.1] or [IPv6:2001:db8::1] */
static bool
literal(const uint8_t *p, size_t len)
{
	unsigned char raw[16];
	char s[64];

	if (len < 3 || len - 2 >= sizeof(s) || p[len - 1] != ']' ||
	    memchr(p, '\0', len) != NULL)
		return false;
	memcpy(s, p + 1, len - 2);
	s[len - 2] = '\0';
	if (strncmp(s, "IPv6:", 5) == 0)
		return inet_pton(AF_INET6, s + 5, raw) == 1;
	return inet_pton(AF_INET, s, raw) == 1;
}

enum rc
addr_parse(const void *p, size_t len, struct addr *a, struct err *e)
{
	const uint8_t *s = p, *at;
	size_t nlocal, ndomain;

	memset(a, 0, sizeof(*a));
	if (len == 0)
		return err_set(e, RC_INPUT, _("it is empty; write "
		    "name@domain"));
	if (len > ADDR_MAX_BYTES)
		return err_set(e, RC_INPUT, _("it is longer than %d octets"),
		    ADDR_MAX_BYTES);
	if ((at = memchr(s, '@', len)) == NULL)
		return err_set(e, RC_INPUT, _("it has no @; write "
		    "name@domain"));
	nlocal = (size_t)(at - s);
	ndomain = len - nlocal - 1;
	if (nlocal > ADDR_LOCAL_MAX_BYTES)
		return err_set(e, RC_INPUT, _("it has more than %d octets "
		    "before the @"), ADDR_LOCAL_MAX_BYTES);
	if (!dot_atom(s, nlocal))
		return err_set(e, RC_INPUT, _("what stands before the @ is "
		    "not made of letters, digits and single dots (no blank, "
		    "no quote)"));
	if (ndomain > 0 && at[1] == '[' ? !literal(at + 1, ndomain) :
	    !host_name(at + 1, ndomain))
		return err_set(e, RC_INPUT, _("what stands after the @ is "
		    "not the name of a domain"));
	memcpy(a->s, s, len);
	a->len = len;
	a->at = nlocal;
	return RC_OK;
}

void
addr_lower(struct addr *a)
{
	for (size_t i = 0; i < a->len; i++)
		if (a->s[i] >= 'A' && a->s[i] <= 'Z')
			a->s[i] = (char)(a->s[i] - 'A' + 'a');
}

const char *
addr_domain(const struct addr *a)
{
	return a->s + a->at + 1;
}

/* One element of a list: words, perhaps then <address>. */
struct element {
	uint8_t	text[ADDR_MAX_BYTES + 1];	/* one more shows too long */
	size_t	len;
	size_t	nwords;
	bool	quoted;
	bool	angle;	/* text is what stood between < and > */
};

struct list {
	const uint8_t	*p, *end;
	size_t		 count;	/* of elements, for the complaint */
	struct element	 el;
	enum rc		(*each)(void *arg, const struct addr *a,
			    struct err *e);
	void		*arg;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
element_add(struct element *el, uint8_t c)
{
	if (el->len < sizeof(el->text))
		el->text[el->len++] = c;
}

/* Comments nest (RFC 5322 3.2.2); counting them needs no recursion. */
static bool
skip_comment(struct list *l)
{
	size_t depth = 0;

	while (l->p < l->end) {
		uint8_t c = *l->p++;

		if (c == '\\' && l->p < l->end)
			l->p++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return true;
	}
	return false;
}

static bool
skip_quoted(struct list *l)
{
	l->p++;
	l->el.quoted = true;
	l->el.nwords++;
	while (l->p < l->end) {
		uint8_t c = *l->p++;

		if (c == '\\' && l->p < l->end)
			l->p++;
		else if (c == '"')
			return true;
	}
	return false;
}

static bool
take_angle(struct list *l)
{
	if (l->el.angle)
		return false;
	l->el.angle = true;
	l->el.len = 0;
	for (l->p++; l->p < l->end; l->p++) {
		if (*l->p == '>') {
			l->p++;
			return true;
		}
		if (!is_blank(*l->p))
			element_add(&l->el, *l->p);
	}
	return false;
}

/* A run without blank or special; an address without < > is one such run. */
static bool
take_word(struct list *l)
{
	bool literal = false;

	if (l->el.angle)
		return false;
	l->el.nwords++;
	for (; l->p < l->end && !is_blank(*l->p); l->p++) {
		if (!literal && strchr("()<>,;:\"", *l->p) != NULL &&
		    *l->p != '\0')
			break;
		literal = *l->p == '[' || (literal && *l->p != ']');
		element_add(&l->el, *l->p);
	}
	return true;
}

/* At "," or ";" or the end. */
static enum rc
element_end(struct list *l, struct err *e)
{
	struct addr a;
	struct element *el = &l->el;
	bool none = el->nwords == 0 && !el->angle;
	enum rc rc = RC_OK;

	if (!none) {
		l->count++;
		if (!el->angle && (el->nwords > 1 || el->quoted))
			rc = err_set(e, RC_INPUT, _("a name without "
			    "<name@domain>"));
		else
			rc = addr_parse(el->text, el->len, &a, e);
		if (rc != RC_OK)
			return err_ctx(e, _("address %zu"), l->count);
		rc = l->each(l->arg, &a, e);
	}
	memset(el, 0, sizeof(*el));
	return rc;
}

static enum rc
list_step(struct list *l, struct err *e)
{
	bool good = true;

	switch (*l->p) {
	case ' ': case '\t': case '\r': case '\n':
		l->p++;
		break;
	case ',': case ';':
		l->p++;
		return element_end(l, e);
	case ':':	/* a group's name ends: forget it */
		good = !l->el.angle && l->el.nwords > 0;
		memset(&l->el, 0, sizeof(l->el));
		l->p++;
		break;
	case '(':
		good = skip_comment(l);
		break;
	case '"':
		good = !l->el.angle && skip_quoted(l);
		break;
	case '<':
		good = take_angle(l);
		break;
	case ')': case '>':
		good = false;
		break;
	default:
		good = take_word(l);
		break;
	}
	if (!good)
		return err_set(e, RC_INPUT, _("address %zu: quotes, "
		    "parentheses, < > and commas do not match"),
		    l->count + 1);
	return RC_OK;
}

enum rc
addr_list(const void *value, size_t len,
    enum rc (*each)(void *arg, const struct addr *a, struct err *e),
    void *arg, struct err *e)
{
	struct list l = { .p = value, .each = each, .arg = arg };
	enum rc rc = RC_OK;

	l.end = l.p + len;
	while (rc == RC_OK && l.p < l.end)
		rc = list_step(&l, e);
	return rc == RC_OK ? element_end(&l, e) : rc;
}
