/* sceau register: what was sent, to whom, and what became of it; chained. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/register_patient.h"
#include "flow/alarm_text.h"
#include "store/store_register.h"
#include "vault/chain.h"

#define AT_ONCE 256

enum { OPT_DAYS = 1000, OPT_PATIENT };

static const struct out_col cols[] = {
	{ "id", N_("no."), OUT_NUMBER },
	{ "at", N_("when"), OUT_TIME },
	{ "way", NULL, OUT_TEXT },
	{ "event", NULL, OUT_TEXT },
	{ "what", N_("what"), OUT_TEXT },
	{ "who", N_("correspondent"), OUT_TEXT },
	{ "t", N_("message"), OUT_TEXT },
	{ "digest", NULL, OUT_TEXT },
	{ "hash", NULL, OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

/* For people. */
static const char *
event_say(const struct store_entry *x)
{
	static const struct {
		const char	*event, *out, *in;
	} words[] = {
		{ "queued", N_("sealed and queued"), "" },
		{ "sent", N_("given to the mail server"), "" },
		{ "failed", N_("not sent: given up"), "" },
		{ "returned", N_("came back unopened"), "" },
		{ "relayed", N_("relayed by the gateway"),
		    N_("relayed to its recipients") },
		{ "received", N_("received: on the recipient's disk"),
		    N_("filed here") },
		{ "opened", N_("opened: taken by the recipient's software"),
		    N_("taken by our software") },
		{ "refused", N_("refused by the recipient"),
		    N_("refused here") },
		{ "damaged", N_("arrived damaged"), N_("came damaged") },
		{ STORE_PATIENT, N_("a report of this patient is in it"), "" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].event, x->event) == 0)
			return _(x->in ? words[i].in : words[i].out);
	return x->event;
}

/* What is done with each entry of those asked for. */
struct walk {
	struct store	*st;
	uint8_t		 t[STORE_T_BYTES];
	size_t		 t_len;			/* 0: all */
	enum rc		(*each)(void *arg, const struct store_entry *x,
			    struct err *e);
	void		*arg;
};

static enum rc
walk_all(const struct walk *w, struct err *e)
{
	struct store_entry *x = calloc(AT_ONCE, sizeof(*x));
	int64_t after = 0;
	size_t n = 1;
	enum rc rc = x != NULL ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));

	while (rc == RC_OK && n > 0) {
		rc = store_register_list(w->st, after, w->t, w->t_len, x,
		    AT_ONCE, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			rc = w->each(w->arg, &x[i], e);
			after = x[i].id;
		}
	}
	free(x);
	return rc;
}

/* ---- list ------------------------------------------------------------- */

struct listing {
	struct out	*out;
	bool		 json;
	int64_t		 since;
	const char	*patient;	/* whom to look for, or NULL */
	struct buf	 who;		/* register_patient_who() */
};

static enum rc
list_one(void *arg, const struct store_entry *x, struct err *e)
{
	struct listing *l = arg;
	char t[2 * STORE_T_BYTES + 1], d[2 * STORE_D_BYTES + 1],
	    hash[STORE_HASH_HEX_BYTES] = "", who[ALARM_WHO_BYTES];

	(void)e;
	/* Who else is in the message was not asked. */
	if (x->at < l->since || (l->patient != NULL && strcmp(x->event,
	    STORE_PATIENT) == 0 && !register_patient_is(&l->who, x->who)))
		return RC_OK;
	hex_format(x->t, sizeof(x->t), t);
	hex_format(x->d, sizeof(x->d), d);
	if (x->chained)
		hex_format(x->hash, sizeof(x->hash), hash);
	out_number(l->out, "id", x->id);
	out_time(l->out, "at", x->at);
	out_text(l->out, "way", x->in ? "in" : "out");
	out_text(l->out, "event", x->event);
	out_text(l->out, "what", event_say(x));
	alarm_who(x->who, who);
	out_text(l->out, "who", l->json ? x->who : who);
	out_text(l->out, "t", t);
	out_text(l->out, "digest", d);
	out_text(l->out, "hash", hash);
	out_row(l->out);
	return RC_OK;
}

/* Of a patient everything, of others the last days. */
static enum rc
list_options(struct app *app, int argc, char **argv, struct listing *l,
    struct err *e)
{
	static const struct option longs[] = {
		{ "days", required_argument, NULL, OPT_DAYS },
		{ "patient", required_argument, NULL, OPT_PATIENT },
		{ NULL, 0, NULL, 0 }
	};
	bool days = false;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1) {
		if (opt == OPT_PATIENT)
			l->patient = optarg;
		else if ((rc = app_ago(optarg, &l->since, e)) != RC_OK)
			return rc;
		days = days || opt == OPT_DAYS;
	}
	if (rc == RC_OK && !days && l->patient == NULL)
		rc = app_ago("7", &l->since, e);
	return rc == RC_OK && optind != argc ? app_usage(app, e) : rc;
}

/* One message after the other, all that became of it. */
static enum rc
list_patient(struct walk *w, const struct listing *l, struct err *e)
{
	struct buf t = BUF_INIT;
	enum rc rc = register_patient_find(w->st, &l->who, &t, e);

	w->t_len = sizeof(w->t);
	for (size_t i = 0; rc == RC_OK && i < t.len; i += sizeof(w->t)) {
		memcpy(w->t, t.p + i, sizeof(w->t));
		rc = walk_all(w, e);
	}
	buf_free(&t);
	return rc;
}

enum rc
cmd_register_list(struct app *app, int argc, char **argv, struct err *e)
{
	struct listing l = { .out = NULL, .who = BUF_INIT };
	struct walk w = { .each = list_one, .arg = &l };
	struct err ignored = ERR_INIT;
	enum rc rc = list_options(app, argc, argv, &l, e);

	l.json = app->json;
	/* The vault is forked first: it has no business with the store. */
	if (rc == RC_OK && l.patient != NULL)
		rc = register_patient_who(app, l.patient, &l.who, e);
	if (rc == RC_OK && (l.out = out_new(app->json, "register-entry",
	    cols)) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &w.st, e);
	if (rc == RC_OK)
		rc = l.patient != NULL ? list_patient(&w, &l, e) :
		    walk_all(&w, e);
	store_close(&w.st);
	buf_free(&l.who);
	if (rc == RC_OK)
		return out_end(&l.out, l.patient != NULL ?
		    _("the register holds nothing of that patient") :
		    _("the register holds nothing of these days"), e);
	(void)out_end(&l.out, NULL, &ignored);
	return rc;
}

/* ---- the chain -------------------------------------------------------- */

struct chain {
	uint8_t		hash[CHAIN_HASH_BYTES];	/* of the last entry */
	int64_t		n;			/* entries in it */
	int64_t		waiting;		/* that it does not hold yet */
	int64_t		broken;			/* the first; 0: none */
	int64_t		first_at, last_at;
};

static enum rc
chain_one(void *arg, const struct store_entry *x, struct err *e)
{
	struct chain *c = arg;
	struct buf b = BUF_INIT;
	bool ok;

	if (!x->chained) {
		c->waiting++;
		return RC_OK;
	}
	ok = store_register_text(c->hash, x, &b);
	if (ok)
		chain_hash(b.p, b.len, c->hash);
	buf_free(&b);
	if (!ok)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (c->broken == 0 && (x->id != c->n + 1 || c->waiting > 0 ||
	    memcmp(c->hash, x->hash, sizeof(c->hash)) != 0))
		c->broken = x->id;
	if (c->n++ == 0)
		c->first_at = x->at;
	c->last_at = x->at;
	return RC_OK;
}

static enum rc
chain_check(struct store *st, struct chain *c, struct err *e)
{
	const struct walk w = { .st = st, .each = chain_one, .arg = c };

	memset(c, 0, sizeof(*c));
	return walk_all(&w, e);
}

static void
chain_say(struct app *app, const struct chain *c)
{
	char hash[STORE_HASH_HEX_BYTES], first[CLOCK_SAY_BYTES],
	    last[CLOCK_SAY_BYTES];
	unsigned long n = (unsigned long)c->n,
	    waiting = (unsigned long)c->waiting;

	hex_format(c->hash, sizeof(c->hash), hash);
	clock_say(c->first_at, first);
	clock_say(c->last_at, last);
	app->exit = c->broken != 0 ? EX_DATAERR : EX_OK;
	if (app->json)
		printf("{\"schema\":1,\"type\":\"register\",\"entries\":%"
		    PRId64 ",\"waiting\":%" PRId64 ",\"broken\":%" PRId64
		    ",\"hash\":\"%s\"}\n", c->n, c->waiting, c->broken,
		    hash);
	else if (c->broken != 0)
		printf(_("The register is broken at entry %" PRId64 ": it, or "
		    "one before it, was changed or taken out after it was "
		    "written. What stands before it is whole. Keep this file "
		    "as it is, and compare with a backup.\n"), c->broken);
	else if (c->n == 0)
		printf(_("The register is empty.\n"));
	else
		printf(P_("The register is whole: %lu entry, from %s to %s.\n"
		    "Its last hash is %s;\nwhoever noted it can tell later "
		    "that nothing before it was changed.\n",
		    "The register is whole: %lu entries, from %s to %s.\n"
		    "Its last hash is %s;\nwhoever noted it can tell later "
		    "that nothing before it was changed.\n", n), n, first,
		    last, hash);
	if (!app->json && waiting > 0 && c->broken == 0)
		printf(P_("%lu more is chained by the next pass.\n",
		    "%lu more are chained by the next pass.\n", waiting),
		    waiting);
}

enum rc
cmd_register_verify(struct app *app, int argc, char **argv, struct err *e)
{
	struct store *st = NULL;
	struct chain c;
	enum rc rc;
	int opt;

	if ((rc = app_getopt(app, argc, argv, "", NULL, &opt, e)) != RC_OK)
		return rc;
	if (optind != argc)
		return app_usage(app, e);
	rc = store_open(app->conf.state, STORE_READ, &st, e);
	if (rc == RC_OK)
		rc = chain_check(st, &c, e);
	store_close(&st);
	if (rc == RC_OK)
		chain_say(app, &c);
	return rc;
}

/* ---- prove ------------------------------------------------------------ */

struct proof {
	struct store	*st;
	uint8_t		 t[STORE_T_BYTES];	/* of the first that fits */
	int64_t		 n;
	bool		 several;
	unsigned long	 patients;
};

static enum rc
prove_one(void *arg, const struct store_entry *x, struct err *e)
{
	struct proof *p = arg;
	char hash[STORE_HASH_HEX_BYTES] = "";
	struct store_entry before;
	struct buf b = BUF_INIT;
	size_t n = 0;
	enum rc rc;

	if (p->n++ == 0)
		memcpy(p->t, x->t, sizeof(p->t));
	p->patients += strcmp(x->event, STORE_PATIENT) == 0;
	p->several = p->several || memcmp(p->t, x->t, sizeof(p->t)) != 0;
	memset(&before, 0, sizeof(before));
	rc = x->id == 1 ? RC_OK : store_register_list(p->st, x->id - 2, NULL,
	    0, &before, 1, &n, e);
	if (rc != RC_OK)
		return rc;
	if (x->chained)
		hex_format(x->hash, sizeof(x->hash), hash);
	if (!store_register_text(before.hash, x, &b) || buf_str(&b) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else
		printf("%s\n%s%s\n\n", event_say(x), buf_str(&b), hash);
	buf_free(&b);
	return rc;
}

/* For the association, which alone can tell. */
static enum rc
witness_say(const struct proof *p, struct err *e)
{
	char at[CLOCK_3339_BYTES], d[2 * STORE_D_BYTES + 1],
	    proof[2 * STORE_PROOF_BYTES + 1];
	struct store_witness w;
	enum rc rc = store_witness(p->st, p->t, &w, e);

	if (rc != RC_OK || !w.there || p->several)
		return rc;
	clock_3339(w.at, at);
	hex_format(w.d, sizeof(w.d), d);
	hex_format(w.proof, sizeof(w.proof), proof);
	printf(_("Witness left by the author. With it and the mail itself the "
	    "association can tell whether he wrote it; nobody else can make "
	    "it:\n"));
	printf("%s %s %u %s %s %s\n\n", w.author, w.recipient,
	    (unsigned)w.year, at, d, proof);
	return RC_OK;
}

static enum rc
prove(struct app *app, const struct walk *all, struct err *e)
{
	struct proof p = { .st = all->st };
	struct walk w = *all;
	struct chain c;
	enum rc rc = chain_check(all->st, &c, e);

	w.each = prove_one;
	w.arg = &p;
	if (rc == RC_OK)
		rc = walk_all(&w, e);
	if (rc != RC_OK)
		return rc;
	if (p.n == 0)
		return err_set(e, RC_CONF, _("the register knows no message "
		    "of that number"));
	if ((rc = witness_say(&p, e)) != RC_OK)
		return rc;
	printf(_("Of each entry: what it says; the hash of the entry before; "
	    "the entry (number, UTC, way, event, message, digest of the mail, "
	    "correspondent); its hash. The hash is that of the two lines "
	    "above it:\n  printf '%%s\\n' 'LINE 1' 'LINE 2' | b2sum -l 256\n"));
	if (p.patients > 0)
		printf(P_("%lu entry says, by a keyed digest, whose report is "
		    "in it.\n", "%lu entries say, by keyed digests, whose "
		    "reports are in it.\n", p.patients), p.patients);
	chain_say(app, &c);
	if (p.several)
		fprintf(stderr, _("sceau: these are several messages; write "
		    "more digits for one alone\n"));
	return RC_OK;
}

enum rc
cmd_register_prove(struct app *app, int argc, char **argv, struct err *e)
{
	struct walk w = { .st = NULL };
	enum rc rc;
	int opt;

	if ((rc = app_getopt(app, argc, argv, "", NULL, &opt, e)) != RC_OK)
		return rc;
	if (optind + 1 != argc)
		return app_usage(app, e);
	if ((rc = app_t(argv[optind], w.t, &w.t_len, e)) == RC_OK &&
	    (rc = store_open(app->conf.state, STORE_READ, &w.st, e)) == RC_OK)
		rc = prove(app, &w, e);
	store_close(&w.st);
	return rc;
}
