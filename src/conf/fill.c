#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "conf/fill.h"

static void
fill_server(struct conf_server *s, const struct written *w, bool fetch,
    uint16_t implicit, uint16_t clear)
{
	if (!w->line_of(w->arg, "auth")) {
		s->auth = CONF_AUTH_PASSWORD;
		if (w->line_of(w->arg, "token_command"))
			s->auth = CONF_AUTH_XOAUTH2;
		else if (!fetch && !w->line_of(w->arg, "user"))
			s->auth = CONF_AUTH_NONE;
	}
	if (s->port == 0)
		s->port = s->tls == CONF_TLS_IMPLICIT ? implicit : clear;
}

static enum rc
fill_deliver(struct conf_deliver *d, const struct written *w, struct err *e)
{
	size_t size;

	if (d->kind != CONF_DELIVER_FOLDER || d->path == NULL)
		return RC_OK;
	if (!w->line_of(w->arg, "opened"))
		d->opened = true;
	if (d->remarks != NULL)
		return RC_OK;
	size = strlen(d->path) + sizeof("/sceau");
	if ((d->remarks = malloc(size)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory for the "
		    "configuration"));
	snprintf(d->remarks, size, "%s/sceau", d->path);
	return RC_OK;
}

enum rc
fill_section(enum sect s, void *base, const struct written *w, struct err *e)
{
	struct conf_account *a = base;
	struct conf_relay *r = base;

	if (s == S_ACCOUNT && a->protocol == CONF_POP3)
		fill_server(&a->server, w, true, 995, 110);
	else if (s == S_ACCOUNT)
		fill_server(&a->server, w, true, 993, 143);
	else if (s == S_RELAY)
		fill_server(&r->server, w, false, 465,
		    r->server.tls == CONF_TLS_NONE ? 25 : 587);
	else if (s == S_DELIVER)
		return fill_deliver(base, w, e);
	return RC_OK;
}
