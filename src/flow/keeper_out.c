/*
 * The keeper's side of relaying: claims, envelopes on their way, verdicts.
 *
 * A relay has one session, and helpers up to `sessions` once the first has
 * shown that the relay takes mail and more waits than it has claimed.  The
 * first speaks for the relay: when it fails the route waits.  What ends a
 * helper (most often "too many connections") is no more than its end: what it
 * had is given back, and the first takes it, or fails by itself.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/secret.h"
#include "flow/keeper.h"
#include "store/store_out.h"
#include "wire/relay.h"

#define CLAIM_AT_ONCE 16
#define AHEAD 3		/* with a session: one that has no answer yet, one of
			 * which the relay hears already, and the next */
#define HELPERS_MAX 32	/* of all relays: each is a process */
#define HELP_AGAIN_S 300
#define LEASE_S 3600
#define DIED_MAX 8
#define DIED_AGAIN_S 60

/* Taken by a relay, and to be committed. */
struct sent {
	int64_t	id;
	char	event[STORE_EVENT_MAX_BYTES];
};

/* A session. */
struct route {
	const struct conf_relay	*conf;
	unsigned		 index;		/* see RELAY_OF() */
	bool			 helps;
	struct line		 line;
	struct store_out	 claim[CLAIM_AT_ONCE];
	size_t			 nclaim;
	uint32_t		 first;		/* the job of claim[0] */
	size_t			 given;		/* whose octets went out */
	size_t			 judged;	/* whose verdict came */
	struct sent		 sent[AHEAD];
	size_t			 nsent;
	struct feed		 feed;
	bool			 leaving;
	bool			 more;		/* than was claimed waits */
	bool			 sound;		/* it took or refused one */
	bool			 tired;		/* of a helper: it ends */
	bool			 unsaid;	/* one has no answer */
	unsigned		 seen;		/* k->queued */
	unsigned		 died;		/* processes, in this pass */
	int64_t			 killer;	/* what the last died of */
	int64_t			 again_at;	/* behind a death, a failure */
};

/* The first sessions of all relays, then the second ones, and so on. */
struct relays {
	struct store_out_end	*end;	/* room for all that can be sent */
	size_t			 n;
	struct route		 r[];
};

enum rc
relays_new(struct keeper *k, struct err *e)
{
	const struct conf *c = k->p->conf;
	size_t most = 1, n;

	for (size_t i = 0; i < c->nrelays; i++)
		if ((size_t)c->relays[i].sessions > most)
			most = (size_t)c->relays[i].sessions;
	n = most * c->nrelays;
	k->relays = calloc(1, sizeof(*k->relays) +
	    n * sizeof(k->relays->r[0]));
	if (k->relays != NULL)
		k->relays->end = calloc(n * AHEAD + 1,
		    sizeof(*k->relays->end));
	if (k->relays == NULL || k->relays->end == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < n; i++) {
		struct route *r = &k->relays->r[k->relays->n++];

		r->conf = &c->relays[RELAY_OF(c, i)];
		r->index = (unsigned)i;
		r->helps = i >= c->nrelays;
		r->line.c.fd = r->line.c.got_fd = -1;
	}
	return RC_OK;
}

void
relays_free(struct keeper *k)
{
	for (size_t i = 0; k->relays != NULL && i < k->relays->n; i++)
		chan_close(&k->relays->r[i].line.c);
	if (k->relays != NULL)
		free(k->relays->end);
	free(k->relays);
	k->relays = NULL;
}

size_t
relays_count(const struct keeper *k)
{
	return k->relays == NULL ? 0 : k->relays->n;
}

struct line *
relays_line(struct keeper *k, size_t i)
{
	return &k->relays->r[i].line;
}

/* ---- claims --------------------------------------------------------- */

/* Behind those that have no verdict yet. */
static enum rc
claim(struct keeper *k, struct route *r, struct err *e)
{
	size_t kept = r->nclaim - r->judged, n = 0;
	enum rc rc;

	memmove(r->claim, r->claim + r->judged, kept * sizeof(r->claim[0]));
	r->first += (uint32_t)r->judged;
	r->given -= r->judged;
	r->judged = 0;
	rc = store_out_claim(k->st, r->conf->name, clock_now(),
	    clock_now() + LEASE_S, r->claim + kept, CLAIM_AT_ONCE - kept, &n,
	    e);
	r->nclaim = kept + n;
	r->seen = k->queued;
	r->more = r->nclaim == CLAIM_AT_ONCE;
	/* For helpers. */
	k->out_more = k->out_more || r->more;
	return rc;
}

/* Asked for each time: sceau queue retry beside us lets it go. */
static enum rc
suspended(struct keeper *k, const struct route *r, bool *is, struct err *e)
{
	struct store_relay s;
	enum rc rc = store_relay_get(k->st, r->conf->name, &s, e);

	*is = rc == RC_OK && s.since != 0 && clock_now() < s.until;
	return rc;
}

/* Is it for this one to begin, if there is something for it? */
static bool
is_wanted(const struct keeper *k, size_t i)
{
	const struct route *r = &k->relays->r[i];
	const struct route *first =
	    &k->relays->r[RELAY_OF(k->p->conf, i)];
	size_t helpers = 0;

	if (r->line.asked || clock_now() < r->again_at)
		return false;
	if (!r->helps)
		return true;
	if (i / k->p->conf->nrelays >= (size_t)r->conf->sessions ||
	    !first->line.open || !first->sound || !first->more)
		return false;
	for (size_t n = 0; n < k->relays->n; n++)
		helpers += k->relays->r[n].helps && k->relays->r[n].line.asked;
	return helpers < HELPERS_MAX;
}

/* A relay process is started when there is something for it, not before. */
enum rc
relays_start(struct keeper *k, struct err *e)
{
	enum rc rc = RC_OK;
	bool is;

	if (k->p->kind == PASS_SUBMIT || k->p->dry_run || k->stop ||
	    !k->out_more)
		return RC_OK;
	k->out_more = false;
	for (size_t i = 0; rc == RC_OK && i < k->relays->n; i++) {
		struct route *r = &k->relays->r[i];

		if (!is_wanted(k, i))
			continue;
		if ((rc = suspended(k, r, &is, e)) != RC_OK || is)
			continue;
		if ((rc = claim(k, r, e)) == RC_OK && r->nclaim > 0) {
			r->leaving = r->sound = r->tired = false;
			r->line.asked = true;
			rc = keeper_start(k, PART_RELAY, r->index, e);
		}
	}
	return rc;
}

/* ---- sending -------------------------------------------------------- */

static enum rc
give(struct keeper *k, struct route *r, struct err *e)
{
	const struct store_out *o = &r->claim[r->given];
	struct buf b = BUF_INIT;
	bool ok = buf_add64(&b, (uint64_t)o->queued_at) &&
	    buf_add64(&b, o->size) && pack_str(&b, o->from_route) &&
	    pack_str(&b, k->p->conf->route) && pack_str(&b, o->to_route) &&
	    pack_str(&b, o->message_id) && pack_str(&b, o->boundary);

	r->feed = (struct feed){ &r->line, IPC_OUT, IPC_OUT_END,
	    r->first + (uint32_t)r->given, o->body, 0, 0, NULL, NULL };
	r->given++;
	return ipc_put(&r->line.c, IPC_SEND, r->feed.job, &b, ok, e);
}

/* What was claimed may have arrived by an earlier try, as its recipient says
 * meanwhile: its octets are gone, and nobody needs them. */
static enum rc
skip_arrived(struct keeper *k, struct route *r, struct err *e)
{
	bool ours = false;
	enum rc rc = RC_OK;

	while (rc == RC_OK && !ours && r->given < r->nclaim) {
		struct store_out *o = &r->claim[r->given];

		rc = store_out_claimed(k->st, o->id, &ours, e);
		if (rc == RC_OK && !ours) {
			r->nclaim--;
			memmove(o, o + 1, (r->nclaim - r->given) *
			    sizeof(*o));
		}
	}
	return rc;
}

/* The same of one whose octets are on their way: the session is cut, and the
 * server forgets what it has of them. */
static enum rc
pump_feed(struct keeper *k, struct route *r, struct err *e)
{
	int64_t id = r->claim[r->feed.job - r->first].id;
	struct err why = ERR_INIT;
	enum rc rc = feed_pump(k, &r->feed, &why);
	bool ours = true;

	if (rc == RC_OK || (rc == RC_TEMP && store_out_claimed(k->st, id,
	    &ours, e) != RC_OK))
		return rc;
	if (ours)
		return err_set(e, rc, "%s", why.text);
	chan_close(&r->line.c);
	r->line.open = false;
	r->line.done = true;
	return relay_gone(k, r->index, e);
}

/* The next lies with the relay process when the last is judged: the session
 * does not wait for our commit. */
static enum rc
route_pump(struct keeper *k, struct route *r, struct err *e)
{
	bool idle, over = k->stop || r->tired;
	/* More is being sealed for it: it need not connect again. */
	bool stay = (k->hub_busy || clock_ms() < k->stay_ms) && !over;
	enum rc rc = RC_OK;

	if (!r->line.open || r->line.done)
		return RC_OK;
	if (r->feed.to != NULL)
		return pump_feed(k, r, e);
	if (r->given - r->judged == AHEAD)
		return RC_OK;
	idle = r->judged == r->given;
	if (!over)
		rc = skip_arrived(k, r, e);
	if (rc == RC_OK && idle && stay && r->given == r->nclaim &&
	    r->seen == k->queued)
		return RC_OK;
	/* While others wait for their answers only if there were more. */
	if (rc == RC_OK && (idle || (r->more && !over)) &&
	    r->given == r->nclaim && !r->leaving && !r->tired)
		rc = claim(k, r, e);
	if (rc == RC_OK && r->given < r->nclaim && !over)
		return give(k, r, e);
	if (rc == RC_OK && idle && !stay && !r->leaving) {
		r->leaving = true;
		rc = chan_put(&r->line.c, IPC_FINISH, 0, NULL, 0, e);
	}
	return rc;
}

enum rc
relays_pump(struct keeper *k, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < k->relays->n; i++)
		rc = route_pump(k, &k->relays->r[i], e);
	return rc;
}

static const char *
verdict_event(enum relay_verdict v)
{
	switch (v) {
	case RELAY_SENT:	return "out.sent";
	case RELAY_DEFERRED:	return "out.deferred";
	case RELAY_REFUSED:	return "out.refused";
	case RELAY_UNCERTAIN:	return "out.uncertain";
	}
	return "out.deferred";
}

static void
verdict_words(char event[STORE_EVENT_MAX_BYTES], const struct route *r,
    const struct store_out *o, const char *text)
{
	keeper_words(event, "id=%lld to=%s relay=%s said=\"%.200s\"",
	    (long long)o->id, o->identity, r->conf->name, text);
}

/* The first of its session, and no sign of a session that ended: the relay is
 * well, and helpers may come. */
static enum rc
sound(struct keeper *k, struct route *r, struct err *e)
{
	if (r->sound)
		return RC_OK;
	r->sound = true;
	k->out_more = k->out_more || r->more;
	return store_relay_ok(k->st, r->conf->name, e);
}

static enum rc
say_sent(struct keeper *k, struct route *r, struct err *e)
{
	for (size_t i = 0; i < r->nsent; i++)
		keeper_say("out.sent", r->sent[i].event);
	r->nsent = 0;
	k->bulletin_more = k->bulletin_more || k->bulletin_waits;
	return sound(k, r, e);
}

enum rc
relays_settle(struct keeper *k, struct err *e)
{
	struct relays *x = k->relays;
	size_t n = 0;
	enum rc rc;

	for (size_t i = 0; x != NULL && i < x->n; i++)
		for (size_t m = 0; m < x->r[i].nsent; m++)
			x->end[n++] = (struct store_out_end){
			    .id = x->r[i].sent[m].id, .event = "out.sent",
			    .event_text = x->r[i].sent[m].event };
	if (n == 0)
		return RC_OK;
	FAULT("keeper.sent.before");
	rc = store_out_sent(k->st, x->end, n, clock_now(), e);
	FAULT("keeper.sent.after");
	for (size_t i = 0; rc == RC_OK && i < x->n; i++)
		if (x->r[i].nsent > 0)
			rc = say_sent(k, &x->r[i], e);
	return rc;
}

/* A clock that is not to be believed makes nothing too old. */
static enum rc
put_off(struct keeper *k, struct store_out_end *end, struct err *e)
{
	enum rc rc;

	random_bytes(&end->jitter, sizeof(end->jitter));
	rc = store_out_defer(k->st, end, 1, clock_now(),
	    k->clock == STORE_CLOCK_STEADY ? k->p->conf->give_up_s :
	    CLOCK_FOREVER, e);
	if (rc == RC_OK && end->failed)
		keeper_given_up(k, 1);
	return rc;
}

/* A helper's end, or a server that closes: no try was this one's. */
static bool
is_helpers_end(const struct route *r, enum relay_verdict v, int code)
{
	return r->helps && v == RELAY_DEFERRED && (code == 0 || code == 421);
}

static enum rc
judge(struct keeper *k, struct route *r, enum relay_verdict v, int code,
    const char *text, struct err *e)
{
	const struct store_out *o = &r->claim[r->judged];
	struct store_out_end end = { .id = o->id, .text = text };
	char event[STORE_EVENT_MAX_BYTES];
	enum rc rc;

	if (is_helpers_end(r, v, code)) {
		r->tired = true;
		return store_out_unclaim(k->st, &o->id, 1, e);
	}
	verdict_words(event, r, o, text);
	end.event = verdict_event(v);
	end.event_text = event;
	FAULT("keeper.sent.before");
	if (v == RELAY_REFUSED) {
		rc = store_out_fail(k->st, &end, 1, clock_now(), e);
		k->notice_more = true;
		keeper_worse(k, RC_PERM, WHY_NONE);
	} else {
		rc = put_off(k, &end, e);
		/* Else the end of the session says why (a wrong password). */
		if (code != 0)
			keeper_worse(k, RC_TEMP, WHY_NONE);
		r->unsaid = r->unsaid || code == 0;
	}
	FAULT("keeper.sent.after");
	k->bulletin_more = k->bulletin_more || k->bulletin_waits;
	if (rc == RC_OK)
		keeper_say(end.event, event);
	return rc == RC_OK && v == RELAY_REFUSED && code != 0 ?
	    sound(k, r, e) : rc;
}

/* Taken: committed with what others have taken, at the end of this turn. */
static void
note_sent(struct route *r, const char *text)
{
	const struct store_out *o = &r->claim[r->judged];
	struct sent *s = &r->sent[r->nsent++];

	s->id = o->id;
	verdict_words(s->event, r, o, text);
}

enum rc
relay_frame(struct keeper *k, size_t i, const struct frame *f, struct err *e)
{
	struct route *r = &k->relays->r[i];
	struct rd rd = rd_of(f->body.p, f->body.len);
	char enhanced[16], text[RELAY_TEXT_BYTES + 1], line[256];
	uint8_t verdict = rd_8(&rd);
	uint16_t code = rd_16(&rd);
	enum rc rc = RC_OK;

	unpack_str(&rd, enhanced, sizeof(enhanced));
	unpack_str(&rd, text, sizeof(text));
	if (f->type != IPC_SENT || !rd_done(&rd) || r->judged >= r->given ||
	    f->job != r->first + r->judged || verdict > RELAY_UNCERTAIN ||
	    r->nsent == AHEAD)
		return line_bad(&r->line, e);
	snprintf(line, sizeof(line), "%u %s %s", code, enhanced, text);
	if (verdict == RELAY_SENT)
		note_sent(r, line);
	else
		rc = judge(k, r, (enum relay_verdict)verdict, code, line, e);
	r->judged++;
	/* What was not asked for is dropped by the relay up to its end. */
	if (rc == RC_OK && r->feed.to != NULL && r->feed.job == f->job) {
		rc = chan_put(&r->line.c, (uint8_t)r->feed.end, r->feed.job,
		    NULL, 0, e);
		r->feed.to = NULL;
	}
	return rc;
}

/* ---- the end of a session ------------------------------------------- */

static enum rc
give_back(struct keeper *k, struct route *r, struct err *e)
{
	int64_t ids[CLAIM_AT_ONCE];
	size_t n = 0;

	for (size_t i = r->judged; i < r->nclaim; i++)
		ids[n++] = r->claim[i].id;
	r->nclaim = r->given = r->judged = 0;
	r->feed.to = NULL;
	return n == 0 ? RC_OK : store_out_unclaim(k->st, ids, n, e);
}

/* Our own crash is not the relay's: the session begins anew, unless that never
 * helps.  An envelope of which it died twice waits, and the others go on. */
static enum rc
relay_died(struct keeper *k, struct route *r, struct err *e)
{
	struct store_out_end end = { .text = r->line.err.text };

	r->again_at = ++r->died < DIED_MAX ? 0 : clock_now() + DIED_AGAIN_S;
	if (r->judged >= r->given)
		return RC_OK;
	end.id = r->claim[r->judged].id;
	if (r->killer != end.id) {
		r->killer = end.id;
		return RC_OK;
	}
	r->judged++;
	return put_off(k, &end, e);
}

enum rc
relay_gone(struct keeper *k, size_t i, struct err *e)
{
	struct route *r = &k->relays->r[i];
	struct line *l = &r->line;
	uint32_t jitter;
	int64_t until;
	enum rc rc;

	if (!l->done && l->rc == RC_OK)
		l->rc = err_set(&l->err, RC_TEMP,
		    _("a process of sceau has ended early"));
	l->asked = false;
	/* What came while it was leaving, and what it gives back, is for the
	 * next one, or for another relay, in this pass. */
	k->out_more = true;
	rc = l->done ? RC_OK : relay_died(k, r, e);
	if (rc == RC_OK)
		rc = give_back(k, r, e);
	if (r->unsaid && (l->rc == RC_OK || r->helps))
		keeper_worse(k, RC_TEMP, WHY_NONE);
	r->unsaid = false;
	if (rc != RC_OK || l->rc == RC_OK)
		return rc;
	if (r->helps && l->done) {
		r->again_at = clock_now() + HELP_AGAIN_S;
		keeper_event(k, "out.session_over", "relay=%s why=\"%.200s\"",
		    r->conf->name, l->err.text);
		return RC_OK;
	}
	err_ctx(&l->err, _("relay %s"), r->conf->name);
	keeper_fault(k, "out.route_failed", l->rc, l->why, &l->err);
	if (!l->done)
		return RC_OK;
	random_bytes(&jitter, sizeof(jitter));
	return store_relay_suspend(k->st, r->conf->name, clock_now(), jitter,
	    l->err.text, &until, e);
}

bool
relays_done(const struct keeper *k)
{
	for (size_t i = 0; i < k->relays->n; i++)
		if (k->relays->r[i].line.asked)
			return false;
	return true;
}

int64_t
relays_next_at(const struct keeper *k)
{
	int64_t at = CLOCK_FOREVER;

	for (size_t i = 0; i < k->relays->n; i++)
		if (!k->relays->r[i].helps &&
		    k->relays->r[i].again_at > clock_now() &&
		    k->relays->r[i].again_at < at)
			at = k->relays->r[i].again_at;
	return at;
}
