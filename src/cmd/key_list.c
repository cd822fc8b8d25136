/* sceau key list: the keys held, and who may write to whom. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/key.h"
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

static enum rc
list_selves(struct app *app, struct err *e)
{
	struct pass p = app_pass(app, PASS_SUBMIT);
	struct gate_self *s = NULL;
	struct out *o;
	size_t n = 0;
	enum rc rc;

	if ((rc = alone_selves(&p, &s, &n, e)) != RC_OK)
		return rc;
	if ((o = out_new(app->json, "key", self_cols)) == NULL) {
		free(s);
		return err_nomem(e);
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

static void
put_peer(struct out *o, const struct keystore *ks, size_t i, const char *word,
    bool json)
{
	struct ring_entry x = { .show = "" };
	const uint8_t *key;
	struct identity id;
	const char *who, *state = N_("usable");
	uint16_t self;

	who = ring_at(ks->ring, i, &self, &key);
	BUG_ON(!identity_parse(who, strlen(who), &id));
	if (!ring_entry(ks->ring, &id, &x))
		x.show = "";
	if (strstr(who, word) == NULL && strstr(x.show, word) == NULL)
		return;
	if (ring_barred(ks->ring, &id) > id.gen)
		state = N_("barred");
	out_text(o, "identity", who);
	out_text(o, "name", x.show);
	out_number(o, "year", ks->selves[self].year);
	out_text(o, "own", ks->selves[self].id.s);
	out_text(o, "state", json ? state : _(state));
	out_row(o);
}

static enum rc
list_peers(struct app *app, const struct keystore *ks, const char *word,
    struct err *e)
{
	struct out *o = out_new(app->json, "peer", peer_cols);

	if (o == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < ring_total(ks->ring); i++)
		put_peer(o, ks, i, word, app->json);
	return out_end(&o, _("no key for anybody of that name; the "
	    "association's gateway may reach him all the same"), e);
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
	if (rc == RC_OK && word == NULL)
		rc = list_selves(app, e);
	if (rc == RC_OK && (rc = keystore_load(&at, &ks, e)) == RC_OK) {
		if (word != NULL)
			rc = list_peers(app, ks, word, e);
		if (rc == RC_OK)
			rc = check_twins(ks, e);
	}
	keystore_free(&ks);
	return rc;
}
