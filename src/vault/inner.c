#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/inner.h"
#include "vault/mailbox.h"

enum inner_state {
	IN_START,	/* of a line */
	IN_NAME,
	IN_VALUE,
	IN_CR,		/* the end of a line of a field */
	IN_LAST_CR,	/* the empty line */
	IN_DONE,
	IN_BAD
};

/* Fields of which a reader might show another one than we judged. */
static const char *const once[] = {
	"from", "subject", "date", "message-id", "to", "cc", "reply-to"
};
#define SEEN_FROM 1u
#define OURS "x-sceau"

void
inner_init(struct inner *in)
{
	memset(in, 0, sizeof(*in));
	in->state = IN_START;
}

void
inner_wipe(struct inner *in)
{
	wipe(in, sizeof(*in));
	in->state = IN_BAD;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The name of a field is complete. */
static enum rc
end_name(struct inner *in, struct err *e)
{
	in->in_from = false;
	in->blank = false;
	in->state = IN_VALUE;
	if (in->nname >= sizeof(OURS) - 1 &&
	    memcmp(in->name, OURS, sizeof(OURS) - 1) == 0)
		return err_class(e, EC_INNER, _("the mail inside already has "
		    "a field that only sceau may write (X-Sceau)"));
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		if (in->nname != strlen(once[i]) ||
		    memcmp(in->name, once[i], in->nname) != 0)
			continue;
		if ((in->seen & 1u << i) != 0)
			return err_class(e, EC_INNER, _("the mail inside has "
			    "two fields %s"), once[i]);
		in->seen |= 1u << i;
		in->in_from = 1u << i == SEEN_FROM;
	}
	return RC_OK;
}

static enum rc
in_name(struct inner *in, char c, struct err *e)
{
	if (c == ':' && in->nname > 0)
		return end_name(in, e);
	/* RFC 5322 3.6.8; no blank before the colon. */
	if (c <= ' ' || c > '~' || c == ':' || in->nname == UINT8_MAX)
		return err_class(e, EC_INNER,
		    _("a line in the header of the mail inside is no field"));
	if (in->nname < INNER_NAME_MAX)
		in->name[in->nname] = lower(c);
	in->nname++;
	return RC_OK;
}

static enum rc
in_value(struct inner *in, char c, struct err *e)
{
	if (c == '\r') {
		in->state = IN_CR;
		return RC_OK;
	}
	if (c == '\n' || c == '\0')
		return err_class(e, EC_INNER, _("the header of the mail "
		    "inside holds a NUL, or a line that ends without CR"));
	if (c != ' ' && c != '\t')
		in->blank = false;
	if (!in->in_from)
		return RC_OK;
	if (in->nfrom == sizeof(in->from))
		return err_class(e, EC_INNER,
		    _("the From of the mail inside is too long"));
	in->from[in->nfrom++] = c;
	return RC_OK;
}

static enum rc
in_start(struct inner *in, char c, struct err *e)
{
	if (c == '\r') {
		in->state = IN_LAST_CR;
		return RC_OK;
	}
	if (is_wsp(c) && in->nname > 0) {
		in->state = IN_VALUE;
		in->blank = true;
		return in_value(in, c, e);
	}
	in->nname = 0;
	in->state = IN_NAME;
	return in_name(in, c, e);
}

/* The empty line is there. */
static enum rc
end_header(struct inner *in, struct err *e)
{
	in->state = IN_DONE;
	if ((in->seen & SEEN_FROM) == 0)
		return err_class(e, EC_INNER,
		    _("the mail inside has no From"));
	if (!mailbox_address(in->from, in->nfrom, in->addr))
		return err_class(e, EC_INNER, _("the From of the mail inside "
		    "is not one plain address, or a name that holds no other "
		    "and one address in <>"));
	return RC_OK;
}

static enum rc
in_octet(struct inner *in, char c, struct err *e)
{
	switch ((enum inner_state)in->state) {
	case IN_START:
		return in_start(in, c, e);
	case IN_NAME:
		return in_name(in, c, e);
	case IN_VALUE:
		return in_value(in, c, e);
	case IN_CR:
	case IN_LAST_CR:
		/* A folded line of blanks only looks like the empty line. */
		if (c != '\n' || in->blank)
			return err_class(e, EC_INNER, _("the header of the "
			    "mail inside holds a bare CR or a blank line"));
		if (in->state == IN_LAST_CR)
			return end_header(in, e);
		in->state = IN_START;
		return RC_OK;
	case IN_DONE:
		return RC_OK;
	case IN_BAD:
		break;
	}
	return err_class(e, EC_INNER, _("the mail inside was refused before"));
}

enum rc
inner_feed(struct inner *in, const void *p, size_t len, struct err *e)
{
	const char *s = p;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < len && in->state != IN_DONE; i++) {
		if (in->total++ == INNER_HEAD_MAX)
			rc = err_class(e, EC_INNER, _("the header of the mail "
			    "inside is larger than 64 KiB"));
		else
			rc = in_octet(in, s[i], e);
		if (rc == RC_OK)
			continue;
		in->state = IN_BAD;
		memset(in->addr, 0, sizeof(in->addr));
		return rc;
	}
	return RC_OK;
}

enum rc
inner_end(struct inner *in, struct err *e)
{
	if (in->state == IN_DONE)
		return RC_OK;
	return err_class(e, EC_INNER,
	    _("the mail inside has no header that ends in an empty line"));
}

bool
inner_done(const struct inner *in)
{
	return in->state == IN_DONE;
}

bool
inner_is(const struct inner *in, const struct identity *id)
{
	return in->state == IN_DONE &&
	    bytes_eqs(identity_address(id), in->addr);
}
