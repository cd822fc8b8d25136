#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/log.h"
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

/* A folder that nobody named, in another. */
static enum rc
fill_below(char **field, const char *path, const char *name, struct err *e)
{
	size_t size = strlen(path) + strlen(name) + 1;

	if (*field != NULL)
		return RC_OK;
	if ((*field = malloc(size)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory for the "
		    "configuration"));
	snprintf(*field, size, "%s%s", path, name);
	return RC_OK;
}

/* cron mails what stands on the standard error. */
static void
fill_top(struct conf *c, const struct written *w)
{
	if (!w->line_of(w->arg, "log_level"))
		c->log_level = c->syslog ? LOG_L_INFO : LOG_L_WARN;
}

static enum rc
fill_deliver(struct conf_deliver *d, const struct written *w, struct err *e)
{
	if (d->kind != CONF_DELIVER_FOLDER || d->path == NULL)
		return RC_OK;
	if (!w->line_of(w->arg, "opened"))
		d->opened = true;
	return fill_below(&d->remarks, d->path, "/sceau", e);
}

static enum rc
fill_outbox(struct conf_outbox *o, struct err *e)
{
	enum rc rc = RC_OK;

	if (o->path == NULL)
		return RC_OK;
	if (o->after == CONF_OUTBOX_MOVE)
		rc = fill_below(&o->sent, o->path, "/sent", e);
	return rc != RC_OK ? rc : fill_below(&o->refused, o->path, "/refused",
	    e);
}

enum rc
fill_section(enum sect s, void *base, const struct written *w, struct err *e)
{
	struct conf_account *a = base;
	struct conf_relay *r = base;

	if (s == S_TOP)
		fill_top(base, w);
	else if (s == S_ACCOUNT && a->protocol == CONF_POP3)
		fill_server(&a->server, w, true, 995, 110);
	else if (s == S_ACCOUNT)
		fill_server(&a->server, w, true, 993, 143);
	else if (s == S_RELAY)
		fill_server(&r->server, w, false, 465,
		    r->server.tls == CONF_TLS_NONE ? 25 : 587);
	else if (s == S_DELIVER)
		return fill_deliver(base, w, e);
	else if (s == S_OUTBOX)
		return fill_outbox(base, e);
	return RC_OK;
}

enum rc
fill_deliveries(struct conf *c, struct err *e)
{
	size_t n = c->ndelivers, at = 0;
	struct conf_deliver *to = calloc(n + 1, sizeof(*to));

	if (to == NULL)
		return err_set(e, RC_NOMEM, _("no memory for the "
		    "configuration"));
	for (int unsealed = 0; unsealed <= 1; unsealed++)
		for (size_t i = 0; i < n; i++)
			if (c->delivers[i].unsealed == (unsealed == 1))
				to[at++] = c->delivers[i];
	free(c->delivers);
	c->delivers = to;
	while (c->ndelivers > 0 && to[c->ndelivers - 1].unsealed) {
		c->ndelivers--;
		c->nunsealed++;
	}
	return RC_OK;
}
