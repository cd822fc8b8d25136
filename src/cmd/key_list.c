/* sceau key list: the keys held, and who may write to whom. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/key.h"
#include "cmd/key_rows.h"
#include "cmd/out.h"
#include "flow/alone.h"

#define OPT_PEERS 1000

/* ---- our own --------------------------------------------------------- */

static const struct out_col self_cols[] = {
	{ "identity", N_("identity"), OUT_TEXT },
	{ "generation", NULL, OUT_NUMBER },
	{ "year", N_("year"), OUT_NUMBER },
	{ "from_at", N_("from"), OUT_TIME },
	{ "send_until_at", N_("to write until"), OUT_TIME },
	{ "read_until_at", N_("to read until"), OUT_TIME },
	{ "peers", N_("correspondents"), OUT_NUMBER },
	{ "state", N_("state"), OUT_TEXT },
	{ "hub", NULL, OUT_TEXT },
	{ "issuer", NULL, OUT_TEXT },
	{ "watch", NULL, OUT_TEXT },
	{ "replaced", NULL, OUT_BOOL },
	{ NULL, NULL, OUT_TEXT }
};

/* In a word for programs; people get its translation. */
static const char *
self_state(const struct gate_self *s)
{
	int64_t now = clock_now();

	if (s->replaced)
		return N_("replaced");
	if (now < s->from_at)
		return N_("later");
	if (now >= s->read_until_at)
		return N_("over");
	return now >= s->send_until_at ? N_("reading") : N_("current");
}

static void
put_self(struct out *o, const struct gate_self *s, bool json)
{
	struct identity id;

	BUG_ON(!identity_parse(s->identity, strlen(s->identity), &id));
	out_text(o, "identity", s->identity);
	out_number(o, "generation", id.gen);
	out_number(o, "year", s->year);
	out_time(o, "from_at", s->from_at);
	out_time(o, "send_until_at", s->send_until_at);
	out_time(o, "read_until_at", s->read_until_at);
	out_number(o, "peers", (int64_t)s->npeers);
	out_text(o, "state", json ? self_state(s) : _(self_state(s)));
	out_text(o, "hub", s->hub);
	out_text(o, "issuer", s->issuer);
	out_text(o, "watch", s->watch);
	out_bool(o, "replaced", s->replaced);
	out_row(o);
}

/* ---- what was learnt ---------------------------------------------------- */

/* The own identity and year that a key of a row is for, unless the key files
 * brought that key too; false: none here. */
static bool
is_new(const struct keystore *ks, const struct key_row *row,
    const struct row_grant *g, size_t *self, struct identity *who)
{
	if (!identity_at_gen(&row->name, g->gen, who))
		return false;
	for (size_t i = 0; i < ks->nselves; i++)
		if (ks->selves[i].year == g->year &&
		    strcmp(ks->selves[i].id.s, g->own) == 0) {
			*self = i;
			return ring_find(ks->ring, (uint16_t)i, who) == NULL;
		}
	return false;
}

static enum rc
count_learnt(const struct app *app, const struct keystore *ks,
    struct gate_self *s, size_t n, struct err *e)
{
	struct key_rows *r = NULL;
	struct key_row row = { .peer = NULL };
	struct identity who;
	size_t at;
	enum rc rc = key_rows_open(app, ks, &r, e);

	while (rc == RC_OK && (rc = key_rows_next(r, &row, e)) == RC_OK &&
	    row.peer != NULL)
		for (size_t i = 0; i < row.peer->ngrants; i++)
			if (is_new(ks, &row, &row.peer->grants[i], &at, &who))
				for (size_t k = 0; k < n; k++)
					s[k].npeers += s[k].year ==
					    ks->selves[at].year &&
					    strcmp(s[k].identity,
					    ks->selves[at].id.s) == 0;
	key_rows_close(&r);
	return rc;
}

static enum rc
list_selves(struct app *app, const struct keystore *ks, struct err *e)
{
	struct pass p = app_pass(app, PASS_SUBMIT);
	struct gate_self *s = NULL;
	struct out *o;
	size_t n = 0;
	enum rc rc;

	if ((rc = alone_selves(&p, &s, &n, e)) == RC_OK)
		rc = count_learnt(app, ks, s, n, e);
	if (rc == RC_OK &&
	    (o = out_new(app->json, "key", self_cols)) == NULL)
		rc = err_nomem(e);
	if (rc != RC_OK) {
		free(s);
		return rc;
	}
	for (size_t i = 0; i < n; i++)
		put_self(o, &s[i], app->json);
	free(s);
	return out_end(&o, _("no key is held"), e);
}

/* ---- correspondents --------------------------------------------------- */

static const struct out_col peer_cols[] = {
	{ "identity", N_("correspondent"), OUT_TEXT },
	{ "name", N_("name"), OUT_TEXT },
	{ "year", N_("year"), OUT_NUMBER },
	{ "own", NULL, OUT_TEXT },
	{ "state", N_("state"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

struct peers {
	const struct keystore *ks;
	struct key_rows	*rows;
	struct out	*o;
	const char	*word;
	bool		 json;
};

static void
put_peer(struct peers *l, const struct identity *id, size_t self,
    const struct key_row *row)
{
	const struct keystore *ks = l->ks;
	const char *state = N_("usable");
	struct ring_entry x;

	(void)row_entry(row->peer, ks->ring, id, &x);
	if (strstr(id->s, l->word) == NULL && strstr(x.show, l->word) == NULL)
		return;
	if (ring_barred(ks->ring, id) > id->gen || row->min > id->gen)
		state = N_("barred");
	out_text(l->o, "identity", id->s);
	out_text(l->o, "name", x.show);
	out_number(l->o, "year", ks->selves[self].year);
	out_text(l->o, "own", ks->selves[self].id.s);
	out_text(l->o, "state", l->json ? state : _(state));
	out_row(l->o);
}

static enum rc
put_all(struct peers *l, struct err *e)
{
	const struct ring *ring = l->ks->ring;
	struct key_row row = { .peer = NULL };
	const uint8_t *key;
	struct identity id;
	const char *who;
	uint16_t self;
	size_t at;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ring_total(ring) && rc == RC_OK; i++) {
		who = ring_at(ring, i, &self, &key);
		BUG_ON(!identity_parse(who, strlen(who), &id));
		rc = key_rows_find(l->rows, &id, &row, e);
		if (rc == RC_OK)
			put_peer(l, &id, self, &row);
	}
	while (rc == RC_OK && (rc = key_rows_next(l->rows, &row, e)) ==
	    RC_OK && row.peer != NULL)
		for (size_t i = 0; i < row.peer->ngrants; i++)
			if (is_new(l->ks, &row, &row.peer->grants[i], &at,
			    &id))
				put_peer(l, &id, at, &row);
	return rc;
}

static enum rc
list_peers(struct app *app, const struct keystore *ks, const char *word,
    struct err *e)
{
	struct peers l = { .ks = ks, .word = word, .json = app->json };
	struct err ignored = ERR_INIT;
	enum rc rc = key_rows_open(app, ks, &l.rows, e);

	if (rc == RC_OK && (l.o = out_new(app->json, "peer", peer_cols)) ==
	    NULL)
		rc = err_nomem(e);
	if (rc == RC_OK)
		rc = put_all(&l, e);
	key_rows_close(&l.rows);
	if (l.o != NULL && rc != RC_OK)
		(void)out_end(&l.o, NULL, &ignored);
	return rc != RC_OK ? rc : out_end(&l.o, _("no key for anybody of that "
	    "name; the association's gateway may reach him all the same"), e);
}

/* By construction there are none; so one is a fault of the association, or
 * somebody's hand in its files. */
static enum rc
check_twins(const struct keystore *ks, struct err *e)
{
	const char *one, *other;
	enum rc rc = keystore_twins(ks, &one, &other, e);

	if (rc != RC_OK || one == NULL)
		return rc;
	return err_class(e, EC_AUTHORITY, _("one and the same key is held for "
	    "%s and for %s: what is sealed for the one can be read by the "
	    "other. Write to neither, and call the association"), one, other);
}

enum rc
cmd_key_list(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "peers", no_argument, NULL, OPT_PEERS },
		{ NULL, 0, NULL, 0 }
	};
	const struct keystore_at at = key_at(app);
	struct keystore *ks = NULL;
	const char *word = NULL;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		word = "";
	if (rc == RC_OK && argc - optind > 1)
		return app_usage(app, e);
	if (rc == RC_OK && optind < argc)
		word = argv[optind];
	if (rc == RC_OK && (rc = keystore_load(&at, &ks, e)) == RC_OK)
		rc = word != NULL ? list_peers(app, ks, word, e) :
		    list_selves(app, ks, e);
	if (rc == RC_OK)
		rc = check_twins(ks, e);
	keystore_free(&ks);
	return rc;
}
