/*
 * Following, at the end of each pass (`run`: each minute): the alarms, who is
 * told of them, the figures, the pass itself.  The starter runs the commands
 * and writes the file: the keeper may do neither.
 *
 * A command is run first and its success noted after it: when we are killed
 * between the two it is run once more, rather than never.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/secret.h"
#include "flow/alarm_text.h"
#include "flow/keeper.h"
#include "flow/metrics.h"
#include "flow/outprobe.h"
#include "flow/tell.h"

#define DAY_S 86400
#define AGAIN_S 60		/* `run` */
#define DOWN_S 3600		/* a server may fail that long */
#define REFUSED_S (7 * DAY_S)
#define AT_ONCE 100		/* alarms in one text */
#define OWN_MAX 256		/* relays, accounts, keys, clock, outboxes */
#define KEY_DAYS 60		/* 30 and 7 are told again */

/* What fails beside accounts; a name of these has no blank. */
#define FILING "filing documents"
#define OUTBOX "outbox"
#define UNSEALED "unsealed"
#define DOWN_BYTES 256

static void
down_name(const char *what, const char *name, char out[DOWN_BYTES])
{
	snprintf(out, DOWN_BYTES, "%s %s", what, name);
}

/* ---- what the keeper knows itself ----------------------------------- */

struct own {
	struct store_alarm	a[OWN_MAX];
	size_t			n;
};

static void
own_add(struct own *o, enum store_rule rule, const char *subject,
    int64_t since, int64_t level, const char *text)
{
	struct store_alarm *a;

	if (o->n == OWN_MAX)
		return;
	a = &o->a[o->n++];
	a->rule = rule;
	a->since = since;
	a->level = level;
	snprintf(a->subject, sizeof(a->subject), "%s", subject);
	snprintf(a->text, sizeof(a->text), "%s", text);
	log_plain(a->text);
}

/* One that fails for too long by now. */
static enum rc
own_down(struct keeper *k, struct own *o, enum store_rule rule,
    const char *down, const char *subject, struct err *e)
{
	char text[STORE_TEXT_BYTES];
	int64_t since;
	enum rc rc = store_down(k->st, down, &since, text, e);

	if (rc == RC_OK && since != 0 && since <= clock_now() - DOWN_S)
		own_add(o, rule, subject, since, 0, text);
	return rc;
}

static enum rc
own_servers(struct keeper *k, struct own *o, struct err *e)
{
	const struct conf *c = k->p->conf;
	int64_t before = clock_now() - DOWN_S;
	struct store_relay r;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < c->nrelays; i++) {
		rc = store_relay_get(k->st, c->relays[i].name, &r, e);
		if (rc == RC_OK && r.since != 0 && r.since <= before)
			own_add(o, STORE_RULE_RELAY, r.name, r.since, 0,
			    r.text);
	}
	for (size_t i = 0; rc == RC_OK && i < c->naccounts; i++) {
		const char *name = c->accounts[i].name;
		char down[DOWN_BYTES];

		down_name(UNSEALED, name, down);
		if ((rc = own_down(k, o, STORE_RULE_ACCOUNT, name, name,
		    e)) == RC_OK)
			rc = own_down(k, o, STORE_RULE_FILING, down, name, e);
	}
	return rc == RC_OK ? own_down(k, o, STORE_RULE_FILING, FILING, "",
	    e) : rc;
}

/* The last of the thresholds that is passed; KEY_DAYS + 1: none. */
static int64_t
key_level(int64_t left_s)
{
	static const int days[] = { 0, 7, 30, KEY_DAYS };

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		if (left_s <= (int64_t)days[i] * DAY_S)
			return days[i];
	return KEY_DAYS + 1;
}

static enum rc
own_keys(struct keeper *k, struct own *o, struct err *e)
{
	struct store_key *keys = calloc(STORE_KEYS_MAX, sizeof(*keys));
	int64_t looked_at, level;
	size_t n = 0;
	enum rc rc = keys == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : store_keys(k->st, keys, &n, &looked_at, e);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (keys[i].barred)
			own_add(o, STORE_RULE_BARRED, keys[i].name, 0, 0, "");
		level = keys[i].until == CLOCK_FOREVER ? KEY_DAYS + 1 :
		    key_level(keys[i].until - clock_now());
		if (level <= KEY_DAYS)
			own_add(o, STORE_RULE_KEY, keys[i].name,
			    keys[i].until, level, "");
	}
	free(keys);
	return rc;
}

static enum rc
own_clock(struct keeper *k, struct own *o, struct err *e)
{
	int64_t since;
	enum rc rc = store_clock_since(k->st, &since, e);

	if (rc == RC_OK && (k->clock == STORE_CLOCK_UNSURE ||
	    clock_now() < clock_used()))
		own_add(o, STORE_RULE_CLOCK, "", since != 0 ? since :
		    clock_now(), 0, "");
	return rc;
}

/* Told again when there are more. */
static void
own_many(struct own *o, enum store_rule rule, const char *name, size_t n,
    int64_t since, const char *folder)
{
	if (n == 0 || o->n == OWN_MAX)
		return;
	own_add(o, rule, name, since, -(int64_t)n, folder);
	o->a[o->n - 1].n = (int64_t)n;
}

static enum rc
own_held(struct keeper *k, struct own *o, struct err *e)
{
	int64_t since;
	size_t n;
	enum rc rc = store_held_since(k->st, &n, &since, e);

	if (rc == RC_OK)
		own_many(o, STORE_RULE_HELD, "", n, since, "");
	return rc;
}

/* Of a folder that is away nothing is known: what was so is so still. */
static enum rc
own_kept(struct keeper *k, struct own *o, const char *name,
    struct store_alarm *was, struct err *e)
{
	size_t n = 0;
	enum rc rc = store_alarm_list(k->st, 0, was, AT_ONCE, &n, e);

	for (size_t i = 0; rc == RC_OK && i < n && o->n < OWN_MAX; i++)
		if ((was[i].rule == STORE_RULE_NOTSENT ||
		    was[i].rule == STORE_RULE_LEFT) &&
		    strcmp(was[i].subject, name) == 0)
			o->a[o->n++] = was[i];
	return rc;
}

static enum rc
own_outbox(struct keeper *k, struct own *o, const struct conf_outbox *box,
    struct store_alarm *scratch, struct err *e)
{
	struct err away = ERR_INIT;
	char down[DOWN_BYTES];
	struct outprobe p;

	if (outprobe_count(box, &p, &away) == RC_OK) {
		own_many(o, STORE_RULE_NOTSENT, box->name, p.refused,
		    p.refused_since, box->refused);
		own_many(o, STORE_RULE_LEFT, box->name, p.left, p.left_since,
		    box->path);
	} else {
		enum rc rc = own_kept(k, o, box->name, scratch, e);

		if (rc != RC_OK)
			return rc;
	}
	down_name(OUTBOX, box->name, down);
	return own_down(k, o, STORE_RULE_OUTBOX, down, box->name, e);
}

static enum rc
own_outboxes(struct keeper *k, struct own *o, struct store_alarm *scratch,
    struct err *e)
{
	const struct conf *c = k->p->conf;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < c->noutboxes; i++)
		rc = own_outbox(k, o, &c->outboxes[i], scratch, e);
	return rc;
}

/* ---- keys: asked once a day, the first time when the vault is there -- */

static enum rc
ask_keys(struct keeper *k, struct frame *f, struct err *e)
{
	uint32_t job = ++k->job;
	enum rc rc = keeper_need_vault(k, e);

	if (rc == RC_OK)
		rc = chan_put(&k->vault.c, IPC_SELVES, job, NULL, 0, e);
	if (rc == RC_OK)
		rc = keeper_answer(k, &k->vault, IPC_SELVES, job, f, e);
	if (rc == RC_OK && f->body.len % sizeof(struct gate_self) != 0)
		rc = ipc_bad(e);
	return rc;
}

/* A key was taken in; if during this pass, the vault at work may not have it,
 * and has held what waited for it behind the back of the one who woke that. */
static enum rc
ask_new_keys(struct keeper *k, struct frame *f, struct err *e)
{
	size_t n;
	enum rc rc;

	if (!k->knew_keys)
		return ask_keys(k, f, e);
	keeper_rest(k);
	rc = ask_keys(k, f, e);
	return rc == RC_OK ? store_held_retry(k->st, 0, EC_NOKEY, &n, e) : rc;
}

static enum rc
look_at_keys(struct keeper *k, struct err *e)
{
	struct store_key *keys = calloc(STORE_KEYS_MAX, sizeof(*keys));
	struct bulletin_part part = { 0, false };
	struct gate_self self;
	int64_t looked_at = 0;
	struct frame f;
	uint16_t over = 0;
	size_t n = 0;
	enum rc rc = keys == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : store_keys(k->st, keys, &n, &looked_at, e);

	if (rc == RC_OK && !k->keys_more && clock_now() >= looked_at &&
	    clock_now() < looked_at + (k->vault.open && n == 0 ? 0 : DAY_S))
		goto out;
	if (rc == RC_OK)
		rc = n == 0 ? ask_new_keys(k, &f, e) : ask_keys(k, &f, e);
	if (rc == RC_OK)
		over = keeper_year_over(&f);
	n = 0;
	for (size_t at = 0; rc == RC_OK && at < f.body.len &&
	    n < STORE_KEYS_MAX; at += sizeof(self)) {
		memcpy(&self, f.body.p + at, sizeof(self));
		bulletin_self(&part, &self);
		if (self.replaced)
			continue;
		keys[n].barred = self.barred;
		snprintf(keys[n].name, sizeof(keys[n].name), "%s", self.name);
		keys[n++].until = self.send_until_at;
	}
	if (rc == RC_OK &&
	    (rc = store_keys_put(k->st, clock_now(), keys, n, e)) == RC_OK &&
	    (rc = bulletin_part(k, &part, e)) == RC_OK)
		rc = keeper_erase(k, over, e);
	k->keys_more = k->keys_more && rc != RC_OK;
	k->knew_keys = k->knew_keys || rc == RC_OK;
out:
	free(keys);
	return rc;
}

/* ---- telling -------------------------------------------------------- */

enum rc
keeper_tell(struct keeper *k, enum tell what, struct buf *text, bool ok,
    struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc;

	ok = ok && buf_add8(&b, (uint8_t)what) &&
	    buf_add(&b, text->p, text->len);
	buf_free(text);
	k->told = false;
	rc = ipc_put(&k->x->starter, IPC_TELL, 0, &b, ok, e);
	while (rc == RC_OK && !k->told)
		rc = keeper_turn(k, 1000, e);
	if (rc == RC_OK && k->told_err.rc != RC_OK)
		*e = k->told_err;
	return rc == RC_OK ? k->told_err.rc : rc;
}

static enum rc
news(struct keeper *k, struct store_alarm *a, struct err *e)
{
	struct buf b = BUF_INIT;
	size_t n = 0;
	bool ok;
	enum rc rc;

	if (k->p->conf->alarm_command == NULL)
		return RC_OK;
	if ((rc = store_alarm_untold(k->st, a, AT_ONCE, &n, e)) != RC_OK ||
	    n == 0)
		return rc;
	ok = alarm_news(a, n, k->p->conf->route, &b);
	if ((rc = keeper_tell(k, TELL_ALARMS, &b, ok, e)) != RC_OK) {
		keeper_event(k, "alarm.command_failed", "%s", e->text);
		return RC_OK;	/* the next pass */
	}
	FAULT("alarm.told.before");
	return store_alarm_told(k->st, clock_now(), a, n, e);
}

/* ---- the daily mail ------------------------------------------------- */

static enum rc
digest_fill(struct keeper *k, struct alarm_digest *d, int64_t last_at,
    struct store_alarm *a, struct err *e)
{
	const struct conf *c = k->p->conf;
	uint64_t by_rule[STORE_RULE_N];
	enum rc rc;

	d->now = clock_now();
	d->to = c->digest_to;
	d->from = c->route != NULL ? c->route : c->digest_to;
	d->alarms = a;
	d->ended = a + AT_ONCE;
	random_bytes(d->random, sizeof(d->random));
	if ((rc = store_alarm_list(k->st, 0, a, AT_ONCE, &d->n, e)) !=
	    RC_OK ||
	    (rc = store_alarm_list(k->st, last_at != 0 ? last_at :
	    d->now - DAY_S, a + AT_ONCE, AT_ONCE, &d->nended, e)) != RC_OK ||
	    (rc = store_alarm_counts(k->st, by_rule, e)) != RC_OK)
		return rc;
	for (int i = 0; i < STORE_RULE_N; i++)
		d->all += by_rule[i];
	return store_counts(k->st, conf_before(c, &c->late, d->now),
	    &d->counts, e);
}

/* A day is done when its mail was given away, or when there was nothing to
 * say at its hour. */
static enum rc
digest(struct keeper *k, struct store_alarm *a, struct err *e)
{
	const struct conf *c = k->p->conf;
	int64_t wall = clock_local(clock_now()), day = wall / DAY_S, last, at;
	struct alarm_digest d = { .n = 0 };
	struct buf b = BUF_INIT;
	bool ok;
	enum rc rc;

	if (c->digest_to == NULL || wall % DAY_S < c->digest_at * 3600)
		return RC_OK;
	if ((rc = store_digest(k->st, &last, &at, e)) != RC_OK ||
	    last == day || (rc = digest_fill(k, &d, at, a, e)) != RC_OK)
		return rc;
	if (d.n + d.nended > 0 || c->digest_empty) {
		ok = alarm_mail(&d, &b);
		if ((rc = keeper_tell(k, TELL_DIGEST, &b, ok, e)) != RC_OK) {
			keeper_event(k, "digest.command_failed", "%s", e->text);
			return RC_OK;
		}
		keeper_event(k, "digest.sent", "to=%s alarms=%llu",
		    c->digest_to, (unsigned long long)d.all);
	}
	FAULT("digest.done.before");
	return store_digest_done(k->st, day, clock_now(), e);
}

/* ---- a pass --------------------------------------------------------- */

static enum rc
metrics(struct keeper *k, struct err *e)
{
	const struct conf *c = k->p->conf;
	struct metrics *m = calloc(1, sizeof(*m));
	struct buf b = BUF_INIT;
	int64_t looked_at;
	bool ok;
	enum rc rc = RC_OK;

	if (m == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	m->pass = k->pass;
	if ((rc = store_counts(k->st, conf_before(c, &c->late, clock_now()),
	    &m->counts, e)) == RC_OK &&
	    (rc = store_alarm_counts(k->st, m->alarms, e)) == RC_OK &&
	    (rc = store_keys(k->st, m->keys, &m->nkeys, &looked_at, e)) ==
	    RC_OK) {
		ok = metrics_say(m, &b);
		if ((rc = keeper_tell(k, TELL_METRICS, &b, ok, e)) != RC_OK)
			keeper_event(k, "metrics.failed", "%s", e->text);
		rc = RC_OK;
	}
	free(m);
	return rc;
}

/* One pass by a clock that has just leapt would raise alarms for all: only
 * the next one believes it, and says that it leapt. */
static enum rc
alarms(struct keeper *k, struct err *e)
{
	const struct conf *c = k->p->conf;
	int64_t now = clock_now();
	const struct store_alarm_at at = {
	    .late_before = conf_before(c, &c->late, now),
	    .unopened_before = conf_before(c, &c->unopened, now),
	    .silent_before = conf_before(c, &c->silent, now),
	    .refused_since = now - REFUSED_S };
	struct own *own = calloc(1, sizeof(*own));
	struct store_alarm *a = calloc(2 * AT_ONCE, sizeof(*a));
	enum rc rc = own == NULL || a == NULL ?
	    err_set(e, RC_NOMEM, _("no memory left")) : RC_OK;

	if (rc == RC_OK && k->clock != STORE_CLOCK_LEAPT &&
	    (rc = own_servers(k, own, e)) == RC_OK &&
	    (rc = own_keys(k, own, e)) == RC_OK &&
	    (rc = own_clock(k, own, e)) == RC_OK &&
	    (rc = own_held(k, own, e)) == RC_OK &&
	    (rc = office_alarms(k, own->a, &own->n, OWN_MAX, e)) ==
	    RC_OK &&
	    (rc = own_outboxes(k, own, a, e)) == RC_OK &&
	    (rc = store_alarm_update(k->st, now, &at, own->a, own->n, e)) ==
	    RC_OK && !k->stop && (rc = news(k, a, e)) == RC_OK)
		rc = digest(k, a, e);
	free(own);
	free(a);
	return rc;
}

static enum rc
follow_down(struct keeper *k, const char *name, const char *event,
    enum wire_why way, const struct err *why, struct err *e)
{
	bool known = false;
	enum rc rc = RC_OK;

	if (k->following)
		rc = store_down_set(k->st, name, clock_now(), why->text,
		    &known, e);
	(known ? keeper_fault_known : keeper_fault)(k, event, why->rc, way,
	    why);
	return rc;
}

static enum rc
follow_up(struct keeper *k, const char *name, struct err *e)
{
	return k->following ? store_down_up(k->st, name, e) : RC_OK;
}

enum rc
follow_account(struct keeper *k, const struct account *a, struct err *e)
{
	const struct line *l = &a->line;

	return l->rc == RC_OK ? follow_up(k, a->conf->name, e) :
	    follow_down(k, a->conf->name, "in.failed", l->why, &l->err, e);
}

enum rc
follow_unfiled(struct keeper *k, const struct err *why, struct err *e)
{
	k->unfiled = true;
	return follow_down(k, FILING, "deliver.failed", WHY_LOCAL, why, e);
}

enum rc
follow_filed(struct keeper *k, struct err *e)
{
	bool unfiled = k->unfiled;

	k->unfiled = false;
	return unfiled ? RC_OK : follow_up(k, FILING, e);
}

enum rc
follow_unsealed(struct keeper *k, const char *account, const struct err *why,
    struct err *e)
{
	char down[DOWN_BYTES];

	down_name(UNSEALED, account, down);
	return why->rc == RC_OK ? follow_up(k, down, e) :
	    follow_down(k, down, "deliver.failed", WHY_LOCAL, why, e);
}

enum rc
follow_outbox(struct keeper *k, const char *name, const struct err *why,
    struct err *e)
{
	char down[DOWN_BYTES];

	down_name(OUTBOX, name, down);
	return why->rc == RC_OK ? follow_up(k, down, e) :
	    follow_down(k, down, "outbox.trouble", WHY_LOCAL, why, e);
}

void
follow_begin(struct keeper *k)
{
	struct err ignored = ERR_INIT;

	k->pass.began_at = k->pass.seen_at = k->began_at;
	k->following = k->p->kind == PASS_POLL && !k->p->dry_run;
	if (!k->following)
		return;
	/* One that cannot be noted goes on all the same. */
	(void)store_pass_begin(k->st, &k->pass, &ignored);
	(void)store_keys_known(k->st, &k->knew_keys, &ignored);
}

/* What fails here is a fault of the pass; the rest is done all the same.  A
 * store that is damaged (${sound} false) is not asked for alarms. */
static void
follow(struct keeper *k, bool ends, bool sound)
{
	struct err e = ERR_INIT, ignored = ERR_INIT;
	enum rc rc = RC_OK;

	/* No key at all, or one that cannot be read, has been told. */
	if (sound && !k->stop && look_at_keys(k, &ignored) != RC_OK)
		keeper_rest(k);
	if (sound && (rc = alarms(k, &e)) != RC_OK)
		keeper_fault(k, "alarm.failed", rc, WHY_LOCAL, &e);
	k->pass.seen_at = clock_now();
	k->pass.ended_at = ends ? k->pass.seen_at : 0;
	k->pass.code = k->exit;
	if (sound && k->p->conf->metrics_file != NULL &&
	    metrics(k, &e) != RC_OK)
		keeper_event(k, "metrics.failed", "%s", e.text);
	(void)store_pass_seen(k->st, &k->pass, &ignored);
}

void
follow_end(struct keeper *k, enum rc rc)
{
	if (k->following)
		follow(k, true, rc == RC_OK || rc == RC_TEMP);
}

void
follow_turn(struct keeper *k)
{
	if (!k->following || clock_ms() < k->followed_ms + AGAIN_S * 1000)
		return;
	k->followed_ms = clock_ms();
	follow(k, false, true);
}
