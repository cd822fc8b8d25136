/* sceau queue: what waits to be relayed, and what became of it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/sent.h"
#include "store/store_out.h"

#define AT_ONCE 128

static const struct out_col cols[] = {
	{ "id", N_("no."), OUT_NUMBER },
	{ "to", N_("to"), OUT_TEXT },
	{ "kind", NULL, OUT_TEXT },
	{ "state", N_("state"), OUT_TEXT },
	{ "queued_at", N_("queued"), OUT_TIME },
	{ "next_at", N_("next try"), OUT_TIME },
	{ "tries", N_("tries"), OUT_NUMBER },
	{ "size", N_("octets"), OUT_NUMBER },
	{ "why", N_("last answer"), OUT_TEXT },
	{ "t", NULL, OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

static const char *
kind_word(enum store_kind k)
{
	return k == STORE_MAIL ? "mail" : k == STORE_CONTROL ? "control" :
	    "notice";
}

static void
add(struct out *o, const struct store_out *m, bool json)
{
	char t[2 * STORE_T_BYTES + 1];

	hex_format(m->t, sizeof(m->t), t);
	out_number(o, "id", m->id);
	out_text(o, "to", m->identity);
	out_text(o, "kind", kind_word(m->kind));
	out_text(o, "state", sent_word(m, json));
	out_time(o, "queued_at", m->queued_at);
	out_time(o, "next_at", m->state == STORE_QUEUED ? m->next_at : 0);
	out_number(o, "tries", m->tries);
	out_number(o, "size", (int64_t)m->size);
	out_text(o, "why", m->text);
	out_text(o, "t", t);
	out_row(o);
}

enum rc
cmd_queue_list(struct app *app, int argc, char **argv, struct err *e)
{
	const struct store_filter f = { .ask = STORE_ASK_WAITING };
	struct store_out *m = calloc(AT_ONCE, sizeof(*m));
	struct out *o = NULL;
	struct store *st = NULL;
	int64_t after = 0;
	size_t n = 0;
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	/* --json may stand after the words: only now it is known. */
	if (rc == RC_OK && (m == NULL ||
	    (o = out_new(app->json, "queued", cols)) == NULL))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &st, e);
	do {
		if (rc == RC_OK)
			rc = store_out_list(st, &f, after, m, AT_ONCE, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			add(o, &m[i], app->json);
			after = m[i].id;
		}
	} while (rc == RC_OK && n > 0);
	store_close(&st);
	free(m);
	if (rc != RC_OK) {
		struct err ignored = ERR_INIT;

		(void)out_end(&o, NULL, &ignored);
		return rc;
	}
	return out_end(&o, _("nothing waits to be sent"), e);
}

enum rc
cmd_queue_show(struct app *app, int argc, char **argv, struct err *e)
{
	struct out *o = NULL;
	struct store *st = NULL;
	struct store_out m;
	int64_t id;
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	if (rc == RC_OK && (rc = app_number(argv[argc - 1], &id, e)) == RC_OK &&
	    (rc = store_open(app->conf.state, STORE_READ, &st, e)) == RC_OK)
		rc = store_out_get(st, id, &m, e);
	store_close(&st);
	if (rc == RC_OK && m.id == 0)
		rc = err_set(e, RC_INPUT, _("no %s is not in the queue"),
		    argv[argc - 1]);
	if (rc != RC_OK)
		return rc;
	if ((o = out_new(app->json, "queued", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	add(o, &m, app->json);
	return out_end(&o, NULL, e);
}

static enum rc
change(struct app *app, int argc, char **argv, bool retry, struct err *e)
{
	enum store_result result = STORE_NOT;
	struct store *st = NULL;
	int64_t id;
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	if (rc != RC_OK || (rc = app_number(argv[argc - 1], &id, e)) != RC_OK)
		return rc;
	if (app->dry_run)
		return RC_OK;
	if ((rc = store_open(app->conf.state, STORE_WRITE, &st, e)) == RC_OK)
		rc = retry ? store_out_retry(st, id, clock_now(), &result,
		    e) : store_out_drop(st, id, &result, e);
	/* Now is now: relays that are waited for are tried, too. */
	for (size_t i = 0; rc == RC_OK && retry && i < app->conf.nrelays; i++)
		rc = store_relay_ok(st, app->conf.relays[i].name, e);
	store_close(&st);
	if (rc == RC_OK && result != STORE_OK)
		rc = err_set(e, RC_INPUT, _("no %s cannot be changed: it is "
		    "not there, is being sent, or its octets are gone"),
		    argv[argc - 1]);
	return rc;
}

enum rc
cmd_queue_retry(struct app *app, int argc, char **argv, struct err *e)
{
	return change(app, argc, argv, true, e);
}

enum rc
cmd_queue_drop(struct app *app, int argc, char **argv, struct err *e)
{
	return change(app, argc, argv, false, e);
}
