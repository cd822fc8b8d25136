#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "conf/place.h"
#include "conf/value.h"

static const char starttls[] = "/starttls";

/* The ports where TLS is asked for in clear (RFC 3501, 1939, 6409). */
static bool
begins_in_clear(int port)
{
	return port == 143 || port == 110 || port == 587 || port == 25;
}

static enum rc
port_parse(const char *s, struct place *out, struct err *e)
{
	size_t len = strcspn(s, "/");
	char digits[8];
	int port;

	if (s[len] != '\0' && strcmp(s + len, starttls) != 0)
		return err_set(e, RC_CONF, _("%s: write the port and nothing "
		    "else, or the port and /starttls"), s);
	snprintf(digits, sizeof(digits), "%.*s", (int)len, s);
	if (value_int(digits, 1, 65535, &port, e) != RC_OK)
		return e->rc;
	out->port = (uint16_t)port;
	out->tls = s[len] != '\0' || begins_in_clear(port) ?
	    CONF_TLS_STARTTLS : CONF_TLS_IMPLICIT;
	if (port == 25 && s[len] == '\0' && value_loopback(out->host))
		out->tls = CONF_TLS_NONE;
	return RC_OK;
}

enum rc
place_parse(const char *s, enum place_kind kind, struct place *out,
    struct err *e)
{
	static const uint16_t usual[] = { 993, 995, 465 };
	const char *colon = strchr(s, ':');
	size_t len = colon != NULL ? (size_t)(colon - s) : strlen(s);
	char *host = NULL;

	*out = (struct place){ .port = usual[kind] };
	if (len >= sizeof(out->host))
		return err_set(e, RC_CONF, _("the name is too long"));
	memcpy(out->host, s, len);
	if (value_host(out->host, &host, e) != RC_OK)
		return e->rc;
	free(host);
	return colon == NULL ? RC_OK : port_parse(colon + 1, out, e);
}

void
place_format(const struct place *p, char out[PLACE_BYTES])
{
	bool said = p->tls == CONF_TLS_STARTTLS && !begins_in_clear(p->port);

	snprintf(out, PLACE_BYTES, "%s:%u%s", p->host, (unsigned)p->port,
	    said ? starttls : "");
}

enum place_kind
place_kind_of(const char *host)
{
	return strncasecmp(host, "pop", 3) == 0 ? PLACE_POP3 : PLACE_IMAP;
}

bool
place_of_account(const struct conf_account *a, struct buf *out)
{
	const struct conf_server *s = &a->server;

	if (a->protocol != CONF_IMAP && a->protocol != CONF_POP3)
		return buf_addf(out, "%s", a->path != NULL ? a->path : "") &&
		    buf_add8(out, 0);
	return buf_addf(out, "%s %s@%s:%u%s%s",
	    a->protocol == CONF_IMAP ? "imap" : "pop3",
	    s->user != NULL ? s->user : "", s->host, (unsigned)s->port,
	    a->mailbox != NULL ? "/" : "",
	    a->mailbox != NULL ? a->mailbox : "") && buf_add8(out, 0);
}
