/* sceau status: the day at a glance, and each mail with its last news. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/sent.h"
#include "flow/alarm_text.h"
#include "store/store.h"

#define AT_ONCE 128
#define ALARMS_MAX 1000
#define DAYS 7

static const struct out_col sum_cols[] = {
	{ "queued", N_("to send"), OUT_NUMBER },
	{ "undelivered", N_("not yet received"), OUT_NUMBER },
	{ "late", N_("late"), OUT_NUMBER },
	{ "failed", N_("failed"), OUT_NUMBER },
	{ "refused", N_("refused"), OUT_NUMBER },
	{ "damaged", N_("damaged"), OUT_NUMBER },
	{ "returned", N_("returned"), OUT_NUMBER },
	{ "to_open", N_("to open"), OUT_NUMBER },
	{ "held", N_("held"), OUT_NUMBER },
	{ "acks_waiting", NULL, OUT_NUMBER },
	{ "oldest_queued_at", NULL, OUT_TIME },
	{ NULL, NULL, OUT_TEXT }
};

static const struct out_col cols[] = {
	{ "id", N_("no."), OUT_NUMBER },
	{ "to", N_("to"), OUT_TEXT },
	{ "via_hub", NULL, OUT_BOOL },
	{ "state", N_("state"), OUT_TEXT },
	{ "queued_at", N_("queued"), OUT_TIME },
	{ "sent_at", NULL, OUT_TIME },
	{ "ack_at", N_("acknowledged"), OUT_TIME },
	{ "digest", NULL, OUT_TEXT },
	{ "t", NULL, OUT_TEXT },
	{ "word", N_("by whose word"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

static const struct out_col alarm_cols[] = {
	{ "rule", NULL, OUT_TEXT },
	{ "subject", NULL, OUT_TEXT },
	{ "since", NULL, OUT_TIME },
	{ "began_at", NULL, OUT_TIME },
	{ "messages", NULL, OUT_NUMBER },
	{ "what", NULL, OUT_TEXT },
	{ "todo", NULL, OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

const char *
ack_word(uint8_t state, bool json)
{
	const char *w = "";

	switch (state) {
	case STORE_ACK_RELAYED:
		w = N_("relayed");
		break;
	case STORE_ACK_RECEIVED:
		w = N_("received");
		break;
	case STORE_ACK_OPENED:
		w = N_("opened");
		break;
	case STORE_ACK_REFUSED:
		w = N_("refused");
		break;
	case STORE_ACK_DAMAGED:
		w = N_("damaged");
		break;
	}
	return json || *w == '\0' ? w : _(w);
}

const char *
sent_word(const struct store_out *m, bool json)
{
	const char *w = "failed";

	if (m->ack_state != STORE_ACK_NONE && m->state != STORE_QUEUED &&
	    m->state != STORE_CLAIMED)
		return ack_word(m->ack_state, json);
	switch (m->state) {
	case STORE_QUEUED:
		w = N_("queued");
		break;
	case STORE_CLAIMED:
		w = N_("being sent");
		break;
	case STORE_SENT:
		w = m->bounced ? N_("returned") : N_("sent");
		break;
	case STORE_FAILED:
		w = N_("failed");
		break;
	}
	return json ? w : _(w);
}

static enum rc
summary(struct app *app, struct store *st, struct err *e)
{
	struct out *o = out_new(app->json, "summary", sum_cols);
	struct store_counts c;
	enum rc rc;

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = store_counts(st, conf_before(&app->conf, &app->conf.late,
	    clock_now()), &c, e);
	if (rc == RC_OK) {
		out_number(o, "queued", (int64_t)(c.queued + c.claimed));
		out_number(o, "undelivered", (int64_t)c.undelivered);
		out_number(o, "late", (int64_t)c.late);
		out_number(o, "failed", (int64_t)c.failed);
		out_number(o, "refused", (int64_t)c.refused);
		out_number(o, "damaged", (int64_t)c.damaged);
		out_number(o, "returned", (int64_t)c.bounced);
		out_number(o, "to_open", (int64_t)c.to_open);
		out_number(o, "held", (int64_t)c.held);
		out_number(o, "acks_waiting", (int64_t)c.acks_waiting);
		out_time(o, "oldest_queued_at", c.oldest_queued_at);
		out_row(o);
		return out_end(&o, NULL, e);
	}
	{
		struct err ignored = ERR_INIT;

		(void)out_end(&o, NULL, &ignored);
	}
	return rc;
}

static void
add_alarm(struct out *o, const struct store_alarm *a, const char *what)
{
	out_text(o, "rule", alarm_rule(a->rule));
	out_text(o, "subject", a->subject);
	out_time(o, "since", a->since);
	out_time(o, "began_at", a->began_at);
	out_number(o, "messages", a->n);
	out_text(o, "what", what);
	out_text(o, "todo", alarm_todo(a->rule));
	out_row(o);
}

static enum rc
say_alarm(struct app *app, struct out *o, const struct store_alarm *a,
    struct err *e)
{
	struct buf b = BUF_INIT;
	const char *text = NULL;

	if (app->json ? alarm_what(a, &b) : alarm_say(a, &b))
		text = buf_str(&b);
	if (text != NULL && app->json)
		add_alarm(o, a, text);
	else if (text != NULL)
		fputs(text, stdout);
	buf_free(&b);
	return text != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

/* Those that the last pass found. */
static enum rc
alarms(struct app *app, struct store *st, struct err *e)
{
	struct store_alarm *a = calloc(ALARMS_MAX, sizeof(*a));
	struct out *o = out_new(app->json, "alarm", alarm_cols);
	struct err ignored = ERR_INIT;
	size_t n = 0;
	enum rc rc = a == NULL || o == NULL ?
	    err_set(e, RC_NOMEM, _("no memory left")) :
	    store_alarm_list(st, 0, a, ALARMS_MAX, &n, e);

	if (!app->json && n > 0)
		printf("\n%s\n", _("Alarms:"));
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = say_alarm(app, o, &a[i], e);
	free(a);
	if (rc == RC_OK)
		return out_end(&o, NULL, e);
	(void)out_end(&o, NULL, &ignored);
	return rc;
}

static void
add(struct app *app, struct out *o, const struct store_out *m,
    const char *to, const char *state, int64_t ack_at, bool hub)
{
	char t[2 * STORE_T_BYTES + 1], d[2 * STORE_D_BYTES + 1],
	    who[ALARM_WHO_BYTES];

	hex_format(m->t, sizeof(m->t), t);
	hex_format(m->d, sizeof(m->d), d);
	alarm_who(to, who);
	out_number(o, "id", m->id);
	out_text(o, "to", app->json ? to : who);
	out_bool(o, "via_hub", hub);
	out_text(o, "state", state);
	out_time(o, "queued_at", m->queued_at);
	out_time(o, "sent_at", m->sent_at);
	out_time(o, "ack_at", ack_at);
	out_text(o, "digest", d);
	out_text(o, "t", t);
	out_text(o, "word", ack_at == 0 ? "" : app->json ?
	    (hub ? "gateway" : "recipient") :
	    hub ? _("the gateway's") : _("the recipient's"));
	out_row(o);
}

/* One row for each recipient: a mail through the gateway may have many. */
static enum rc
add_all(struct app *app, struct store *st, struct out *o,
    const struct store_out *m, struct err *e)
{
	struct store_routed *r;
	size_t n = 0;
	enum rc rc;

	if (m->nrouted == 0) {
		add(app, o, m, m->identity, sent_word(m, app->json),
		    m->ack_at, false);
		return RC_OK;
	}
	if ((r = calloc(STORE_ROUTES_MAX, sizeof(*r))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = store_out_routed(st, m->id, r, &n, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		add(app, o, m, r[i].name, r[i].ack_state != STORE_ACK_NONE ?
		    ack_word(r[i].ack_state, app->json) :
		    sent_word(m, app->json), r[i].ack_state !=
		    STORE_ACK_NONE ? r[i].ack_at : m->ack_at, true);
	free(r);
	return rc;
}

static enum rc
each(struct app *app, struct store *st, const struct store_filter *f,
    struct err *e)
{
	struct store_out *m = calloc(AT_ONCE, sizeof(*m));
	struct out *o = out_new(app->json, "sent", cols);
	struct err ignored = ERR_INIT;
	int64_t after = 0;
	size_t n = 0;
	enum rc rc = m == NULL || o == NULL ?
	    err_set(e, RC_NOMEM, _("no memory left")) : RC_OK;

	do {
		if (rc == RC_OK)
			rc = store_out_list(st, f, after, m, AT_ONCE, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			after = m[i].id;
			rc = add_all(app, st, o, &m[i], e);
		}
	} while (rc == RC_OK && n > 0);
	free(m);
	if (rc == RC_OK)
		return out_end(&o, _("nothing sent in the last days"), e);
	(void)out_end(&o, NULL, &ignored);
	return rc;
}

enum rc
cmd_status(struct app *app, int argc, char **argv, struct err *e)
{
	struct store_filter f = { .mail_only = true,
	    .since = clock_now() - DAYS * 86400 };
	struct store *st = NULL;
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &st, e);
	if (rc == RC_OK && (rc = summary(app, st, e)) == RC_OK &&
	    (rc = alarms(app, st, e)) == RC_OK) {
		if (!app->json)
			putchar('\n');
		rc = each(app, st, &f, e);
	}
	if (rc == RC_OK)
		rc = status_outboxes(app, e);
	store_close(&st);
	return rc;
}
