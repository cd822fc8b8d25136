/* sceau sent: each message with its states and times; whom to call. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/sent_rows.h"
#include "flow/alarm_text.h"

#define DAY_S 86400
#define DAYS 7

enum { OPT_SINCE = 1000, OPT_DAYS, OPT_TO, OPT_LATE, OPT_PRINT };

static const struct out_col sums[] = {
	{ "to", N_("practice"), OUT_TEXT },
	{ "messages", N_("messages"), OUT_NUMBER },
	{ "waiting", N_("not yet received"), OUT_NUMBER },
	{ "late", N_("late"), OUT_NUMBER },
	{ "received", N_("received"), OUT_NUMBER },
	{ "opened", N_("opened"), OUT_NUMBER },
	{ "refused", N_("refused"), OUT_NUMBER },
	{ "failed", N_("failed"), OUT_NUMBER },
	{ "oldest_waiting_at", N_("waits since"), OUT_TIME },
	{ "heard_at", N_("last news"), OUT_TIME },
	{ NULL, NULL, OUT_TEXT }
};

static const struct out_col cols[] = {
	{ "id", N_("no."), OUT_NUMBER },
	{ "to", N_("practice"), OUT_TEXT },
	{ "via_hub", NULL, OUT_BOOL },
	{ "state", N_("state"), OUT_TEXT },
	{ "late", N_("late"), OUT_BOOL },
	{ "queued_at", N_("queued"), OUT_TIME },
	{ "sent_at", N_("sent"), OUT_TIME },
	{ "relayed_at", N_("relayed"), OUT_TIME },
	{ "received_at", N_("received"), OUT_TIME },
	{ "opened_at", N_("opened"), OUT_TIME },
	{ "refused_at", N_("refused"), OUT_TIME },
	{ "damaged_at", N_("damaged"), OUT_TIME },
	{ "token", N_("token"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

/* ---- tables --------------------------------------------------------- */

static void
add_sum(const struct app *app, struct out *o, const struct sent_sum *s)
{
	char who[ALARM_WHO_BYTES];

	alarm_who(s->name, who);
	out_text(o, "to", app->json ? s->name : who);
	out_number(o, "messages", (int64_t)s->n);
	out_number(o, "waiting", (int64_t)s->waiting);
	out_number(o, "late", (int64_t)(s->late + s->unopened));
	out_number(o, "received", (int64_t)s->received);
	out_number(o, "opened", (int64_t)s->opened);
	out_number(o, "refused", (int64_t)s->refused);
	out_number(o, "failed", (int64_t)s->failed);
	out_time(o, "oldest_waiting_at", s->oldest_at);
	out_time(o, "heard_at", s->heard_at);
	out_row(o);
}

static void
add_row(const struct app *app, struct out *o, const struct sent_row *r)
{
	char who[ALARM_WHO_BYTES];

	alarm_who(r->name, who);
	out_number(o, "id", r->id);
	out_text(o, "to", app->json ? r->name : who);
	out_bool(o, "via_hub", r->hub);
	out_text(o, "state", r->word);
	out_bool(o, "late", r->late || r->unopened);
	out_time(o, "queued_at", r->queued_at);
	out_time(o, "sent_at", r->sent_at);
	out_time(o, "relayed_at", r->steps.relayed_at);
	out_time(o, "received_at", r->steps.received_at);
	out_time(o, "opened_at", r->steps.opened_at);
	out_time(o, "refused_at", r->steps.refused_at);
	out_time(o, "damaged_at", r->steps.damaged_at);
	out_text(o, "token", r->token);
	out_row(o);
}

static enum rc
show_sums(const struct app *app, struct store *st,
    const struct sent_rows *rows, struct err *e)
{
	struct out *o = out_new(app->json, "practice", sums);
	struct err ignored = ERR_INIT;
	struct sent_sum s;
	enum rc rc = o == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	for (size_t i = 0; rc == RC_OK && i < rows->n;)
		if ((rc = sent_sum(st, rows, &i, &s, e)) == RC_OK)
			add_sum(app, o, &s);
	if (rc == RC_OK)
		return out_end(&o, NULL, e);
	(void)out_end(&o, NULL, &ignored);
	return rc;
}

static enum rc
show(const struct app *app, struct store *st, const struct sent_rows *rows,
    struct err *e)
{
	struct out *o;
	enum rc rc = show_sums(app, st, rows, e);

	if (rc != RC_OK)
		return rc;
	if (!app->json && rows->n > 0)
		putchar('\n');
	if ((o = out_new(app->json, "document", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < rows->n; i++)
		add_row(app, o, &rows->r[i]);
	return out_end(&o, _("no such message"), e);
}

/* ---- the list to call ----------------------------------------------- */

static void
print_practice(const struct sent_sum *s, size_t no)
{
	char who[ALARM_WHO_BYTES], when[CLOCK_SAY_BYTES];
	unsigned long n = (unsigned long)s->late;

	alarm_who(s->name, who);
	printf("\n%zu. %s\n", no, who);
	clock_say(s->oldest_at, when);
	if (n > 0)
		printf(P_("   %lu message waits, since %s.\n",
		    "   %lu messages wait, the oldest since %s.\n", n), n,
		    when);
	n = (unsigned long)s->unopened;
	clock_say(s->unopened_at, when);
	if (n > 0)
		printf(P_("   %lu message received and not opened, since "
		    "%s.\n", "   %lu messages received and not opened, the "
		    "oldest since %s.\n", n), n, when);
	clock_say(s->heard_at, when);
	printf(_("   Last news of this practice: %s.\n"), when);
	printf("   %s\n", _("Call the practice."));
}

static void
print_message(const struct sent_row *r)
{
	char when[CLOCK_SAY_BYTES];

	clock_say(r->queued_at, when);
	/* The gateway seals anew: the practice's names bear another token. */
	printf(r->hub ? _("   [ ] no. %lld, sent %s, %s\n       by the "
	    "gateway, token %s\n") : _("   [ ] no. %lld, sent %s, %s\n"
	    "       file ...%s\n"), (long long)r->id, when, r->word,
	    r->token);
}

/* For a printer: 80 columns, room to write down what was said. */
static enum rc
print_list(struct store *st, const struct sent_rows *rows, struct err *e)
{
	char now[CLOCK_SAY_BYTES];
	struct sent_sum s;
	size_t from, to = 0, no = 0;
	enum rc rc = RC_OK;

	clock_say(clock_now(), now);
	printf(_("Practices to call, %s\n"), now);
	if (rows->n == 0)
		printf("\n%s\n", _("Nobody: all was received in time."));
	while (rc == RC_OK && to < rows->n) {
		from = to;
		if ((rc = sent_sum(st, rows, &to, &s, e)) != RC_OK)
			break;
		print_practice(&s, ++no);
		for (; from < to; from++)
			print_message(&rows->r[from]);
		printf("   %s\n", _("Called on ____________ at ______; "
		    "answer: _____________________________"));
	}
	return rc;
}

/* ---- the command ---------------------------------------------------- */

struct wish {
	struct sent_ask	 ask;
	bool		 print;
};

static enum rc
option(struct wish *w, int opt, struct err *e)
{
	switch (opt) {
	case OPT_SINCE:
		return app_date(optarg, &w->ask.since, e);
	case OPT_DAYS:
		return app_ago(optarg, &w->ask.since, e);
	case OPT_TO:
		w->ask.who = optarg;
		break;
	case OPT_PRINT:
		w->print = true;
		w->ask.late = true;
		break;
	default:
		w->ask.late = true;
	}
	return RC_OK;
}

static enum rc
read_and_show(struct app *app, struct wish *w, struct err *e)
{
	const struct conf *c = &app->conf;
	struct sent_rows rows = { NULL, 0, 0 };
	struct store *st = NULL;
	enum rc rc = store_open(c->state, STORE_READ, &st, e);

	w->ask.late_before = conf_before(c, &c->late, clock_now());
	w->ask.unopened_before = conf_before(c, &c->unopened, clock_now());
	/* What is late is so however old it is. */
	if (w->ask.since < 0)
		w->ask.since = w->ask.late ? 0 : clock_now() - DAYS * DAY_S;
	if (rc == RC_OK)
		rc = sent_rows_read(app, st, &w->ask, &rows, e);
	if (rc == RC_OK)
		rc = w->print && !app->json ? print_list(st, &rows, e) :
		    show(app, st, &rows, e);
	sent_rows_free(&rows);
	store_close(&st);
	return rc;
}

enum rc
cmd_sent(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "since", required_argument, NULL, OPT_SINCE },
		{ "days", required_argument, NULL, OPT_DAYS },
		{ "to", required_argument, NULL, OPT_TO },
		{ "late", no_argument, NULL, OPT_LATE },
		{ "print", no_argument, NULL, OPT_PRINT },
		{ NULL, 0, NULL, 0 }
	};
	struct wish w = { .ask = { .since = -1 } };
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = option(&w, opt, e)) != RC_OK)
			return rc;
	if (rc != RC_OK)
		return rc;
	return optind == argc ? read_and_show(app, &w, e) :
	    app_usage(app, e);
}
