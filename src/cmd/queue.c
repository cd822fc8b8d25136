/* sceau queue: what waits to be relayed, and what became of it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/key.h"
#include "cmd/key_rows.h"
#include "cmd/out.h"
#include "cmd/sent.h"
#include "store/store_out.h"
#include "wire/relay.h"

#define AT_ONCE 128
#define OPT_TO 1000

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
	out_text(o, "why", json ? m->text : relay_words(m->text));
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

/* Now is now: relays that are waited for are tried, too. */
static enum rc
try_relays(struct app *app, struct store *st, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < app->conf.nrelays; i++)
		rc = store_relay_ok(st, app->conf.relays[i].name, e);
	return rc;
}

/* ---- again -------------------------------------------------------------- */

/* The key store is read once a mail asks for it: what was made elsewhere and
 * is only relayed here needs none. */
struct again {
	struct app	*app;
	struct store	*st;
	struct keystore	*ks;
	struct key_rows	*rows;
};

static void
again_free(struct again *a)
{
	key_rows_close(&a->rows);
	keystore_free(&a->ks);
}

static enum rc
open_keys(struct again *a, struct err *e)
{
	const struct keystore_at at = key_at(a->app);
	enum rc rc = RC_OK;

	if (a->rows != NULL)
		return RC_OK;
	if (a->ks == NULL)
		rc = keystore_load(&at, &a->ks, e);
	return rc == RC_OK ? key_rows_open(a->app, a->ks, &a->rows, e) : rc;
}

/* The mailbox of him whom it is sealed for, as a mail sealed now would name
 * it; "" when nothing is known of him any more. */
static enum rc
route_today(struct again *a, const struct store_out *m,
    char route[STORE_ROUTE_BYTES], struct err *e)
{
	struct identity id;
	struct ring_entry x;
	struct key_row row;
	struct bytes address;
	enum rc rc;

	route[0] = '\0';
	if (m->kind != STORE_MAIL ||
	    !identity_parse(m->identity, strlen(m->identity), &id))
		return RC_OK;
	if ((rc = open_keys(a, e)) != RC_OK ||
	    (rc = key_rows_find(a->rows, &id, &row, e)) != RC_OK)
		return rc;
	if (!row_entry(row.peer, a->ks->ring, &id, &x))
		return RC_OK;
	address = identity_address(&id);
	if (x.route[0] != '\0')
		snprintf(route, STORE_ROUTE_BYTES, "%s", x.route);
	else
		snprintf(route, STORE_ROUTE_BYTES, "%.*s", (int)address.len,
		    (const char *)address.p);
	return RC_OK;
}

/* The same envelope wherever it goes: who has it already drops it by its T. */
static enum rc
retry_one(struct again *a, const struct store_out *m,
    enum store_result *result, struct err *e)
{
	char route[STORE_ROUTE_BYTES];
	bool moved;
	enum rc rc = route_today(a, m, route, e);

	if (rc != RC_OK)
		return rc;
	moved = route[0] != '\0' && strcmp(route, m->to_route) != 0;
	rc = store_out_retry(a->st, m->id, moved ? route : NULL, clock_now(),
	    result, e);
	if (rc == RC_OK && *result == STORE_OK && moved)
		printf(_("No. %lld goes to %s, the mailbox of %s today; before "
		    "it went to %s.\n"), (long long)m->id, route, m->identity,
		    m->to_route);
	return rc;
}

static enum rc
retry_no(struct app *app, struct store *st, int64_t id,
    enum store_result *result, struct err *e)
{
	struct again a = { .app = app, .st = st };
	struct store_out m;
	enum rc rc = store_out_get(st, id, &m, e);

	if (rc == RC_OK && m.id != 0)
		rc = retry_one(&a, &m, result, e);
	again_free(&a);
	return rc;
}

static enum rc
change(struct app *app, const char *no, bool retry, struct err *e)
{
	enum store_result result = STORE_NOT;
	struct store *st = NULL;
	int64_t id;
	enum rc rc = app_number(no, &id, e);

	if (rc != RC_OK)
		return rc;
	if (app->dry_run)
		return RC_OK;
	if ((rc = store_open(app->conf.state, STORE_WRITE, &st, e)) == RC_OK)
		rc = retry ? retry_no(app, st, id, &result, e) :
		    store_out_drop(st, id, &result, e);
	if (rc == RC_OK && retry)
		rc = try_relays(app, st, e);
	store_close(&st);
	if (rc == RC_OK && result != STORE_OK)
		rc = err_set(e, RC_INPUT, _("no %s cannot be changed: it is "
		    "not there, is being sent, or its octets are gone"),
		    no);
	return rc;
}

/* Every mail for ${who} that has not been received and is still there. */
static enum rc
retry_of(struct again *a, const char *who, size_t *done, struct err *e)
{
	static const enum store_ask asks[] = { STORE_ASK_WAITING,
	    STORE_ASK_UNDELIVERED, STORE_ASK_TROUBLE };
	struct store_out *m = calloc(AT_ONCE, sizeof(*m));
	enum store_result result;
	int64_t after = 0;
	size_t n = 0, i = 0;
	enum rc rc = m == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	while (rc == RC_OK && i < sizeof(asks) / sizeof(asks[0])) {
		const struct store_filter f = { .ask = asks[i],
		    .mail_only = true };

		rc = sent_list(a->st, &f, who, &after, m, AT_ONCE, &n, e);
		for (size_t j = 0; rc == RC_OK && j < n; j++) {
			if (m[j].body == 0 || a->app->dry_run ||
			    (asks[i] == STORE_ASK_TROUBLE &&
			    m[j].state != STORE_FAILED))
				continue;
			rc = retry_one(a, &m[j], &result, e);
			*done += rc == RC_OK && result == STORE_OK;
		}
		if (n == 0) {
			after = 0;
			i++;
		}
	}
	free(m);
	return rc;
}

static enum rc
retry_to(struct app *app, const char *who, struct err *e)
{
	struct again a = { .app = app };
	size_t n = 0;
	enum rc rc = store_open(app->conf.state, app->dry_run ? STORE_READ :
	    STORE_WRITE, &a.st, e);

	if (rc == RC_OK)
		rc = retry_of(&a, who, &n, e);
	if (rc == RC_OK && n > 0)
		rc = try_relays(app, a.st, e);
	again_free(&a);
	store_close(&a.st);
	if (rc == RC_OK && !app->dry_run)
		printf(P_("%zu message is tried at the next poll, the very "
		    "same envelope.\n", "%zu messages are tried at the next "
		    "poll, the very same envelopes.\n", n), n);
	if (rc == RC_OK && !app->dry_run && n > 0)
		printf("%s", _("Whoever has another key since, after a theft, "
		    "cannot open them: for him, send the document anew.\n"));
	return rc;
}

enum rc
cmd_queue_retry(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, OPT_TO },
		{ NULL, 0, NULL, 0 }
	};
	const char *who = NULL;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		who = optarg;
	if (rc != RC_OK)
		return rc;
	if (who != NULL && optind == argc)
		return retry_to(app, who, e);
	return who == NULL && optind == argc - 1 ?
	    change(app, argv[optind], true, e) : app_usage(app, e);
}

enum rc
cmd_queue_drop(struct app *app, int argc, char **argv, struct err *e)
{
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	return rc == RC_OK ? change(app, argv[argc - 1], false, e) : rc;
}
