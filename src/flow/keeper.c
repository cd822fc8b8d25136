/*
 * The keeper: the store and the loop in the middle of the star.  It holds no
 * key, speaks to no network, reads no document.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "flow/keeper.h"
#include "store/store_out.h"
#include "store/store_register.h"
#include "vault/chain.h"

#define EXPIRE_BUDGET 1000
#define LOOK_S 5
#define HOUSE_S 3600	/* `run`: between two times that it is kept */
#define LEFT_S 60	/* `run`: what was left is tried again after it */

/* ---- exit code and events ------------------------------------------- */

static int
exit_of(enum rc rc, enum wire_why why)
{
	return rc == RC_TEMP && why == WHY_LOGIN ? EX_NOPERM : rc_exit(rc);
}

static int
exit_weight(int code)
{
	static const int order[] = { EX_OK, EX_DATAERR, EX_UNAVAILABLE,
	    EX_NOPERM, EX_TEMPFAIL, EX_OSERR, EX_CONFIG };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i] == code)
			return (int)i;
	return 4;
}

void
keeper_worse(struct keeper *k, enum rc rc, enum wire_why why)
{
	int code = exit_of(rc, why);

	if (exit_weight(code) > exit_weight(k->exit))
		k->exit = code;
}

/* What happens when all is well: cron would mail it each time. */
static enum log_level
level_of(const char *name)
{
	static const char *const routine[] = { "in.refiled", "in.not_sealed",
	    "in.unsealed", "out.sent", "out.session_over", "out.queued",
	    "hub.relayed", "digest.sent", "outbox.queued", "bulletin.begun",
	    "bulletin.sealed" };

	for (size_t i = 0; i < sizeof(routine) / sizeof(routine[0]); i++)
		if (strcmp(routine[i], name) == 0)
			return LOG_L_INFO;
	return LOG_L_WARN;
}

void
keeper_say(const char *name, const char *text)
{
	LOG(level_of(name), name, LK_S("text", text));
}

static void words(char [STORE_EVENT_MAX_BYTES], const char *, va_list)
    SC_PRINTF(2, 0);

static void
words(char text[STORE_EVENT_MAX_BYTES], const char *fmt, va_list ap)
{
	if (vsnprintf(text, STORE_EVENT_MAX_BYTES, fmt, ap) < 0)
		text[0] = '\0';
	log_plain(text);
}

void
keeper_words(char text[STORE_EVENT_MAX_BYTES], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	words(text, fmt, ap);
	va_end(ap);
}

void
keeper_event(struct keeper *k, const char *name, const char *fmt, ...)
{
	char text[STORE_EVENT_MAX_BYTES];
	struct err ignored = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	words(text, fmt, ap);
	va_end(ap);
	keeper_say(name, text);
	/* An event that cannot be kept has been logged. */
	if (!k->p->dry_run && k->st != NULL)
		(void)store_event_add(k->st, clock_now(), name, text, &ignored);
}

static void
fault(struct keeper *k, enum log_level level, const char *event, enum rc rc,
    enum wire_why why, const struct err *text)
{
	struct err ignored = ERR_INIT;

	keeper_worse(k, rc, why);
	if (k->pass.text[0] == '\0')
		snprintf(k->pass.text, sizeof(k->pass.text), "%.*s",
		    STORE_TEXT_BYTES - 1, text->text);
	LOG(level, event, LK_S("why", text->text));
	if (!k->p->dry_run && k->st != NULL)
		(void)store_event_add(k->st, clock_now(), event, text->text,
		    &ignored);
}

void
keeper_fault(struct keeper *k, const char *event, enum rc rc,
    enum wire_why why, const struct err *text)
{
	fault(k, LOG_L_ERROR, event, rc, why, text);
}

void
keeper_fault_known(struct keeper *k, const char *event, enum rc rc,
    enum wire_why why, const struct err *text)
{
	fault(k, LOG_L_INFO, event, rc, why, text);
}

void
keeper_given_up(struct keeper *k, size_t n)
{
	if (n == 0)
		return;
	keeper_event(k, "out.given_up", "messages=%zu", n);
	keeper_worse(k, RC_PERM, WHY_NONE);
	k->notice_more = true;
}

/* ---- a pass --------------------------------------------------------- */

/* Everything has been looked at once.  A copy of what was delivered meanwhile
 * is a duplicate by now, and what was skipped can be judged: once more. */
static enum rc
open_round_over(struct keeper *k, struct err *e)
{
	k->open_more = (k->busy && k->moved) || (k->skipped > 0 && k->works);
	k->skipped = 0;
	k->open_at = clock_now() + (k->left ? LEFT_S : 0);
	k->busy = k->moved = k->left = k->acks_late = false;
	k->opened = 0;
	return follow_filed(k, e);
}

/* There may be acknowledgements due, of any peer, and mail to relay. */
static void
acks_again(struct keeper *k)
{
	k->ack_more = k->out_more = true;
	k->acked[0] = '\0';
}

/* Something that needs vault or clerk; true: something was done. */
static enum rc
work(struct keeper *k, bool *some, struct err *e)
{
	enum rc rc;

	*some = false;
	if (k->p->dry_run && (rc = dry_open(k, e)) != RC_OK)
		return rc;
	if (k->p->dry_run)
		return k->outbox_more ? outbox_look(k, some, e) : RC_OK;
	if (k->stop)
		return unsealed_some(k, some, e);
	if (k->p->store_only)
		return RC_OK;
	if (k->open_more) {
		rc = open_batch(k, some, e);
		if (rc == RC_OK && !*some)
			rc = open_round_over(k, e);
		else if (rc == RC_OK && k->p->conf->route != NULL)
			rc = seal_full_acks(k, e);
		acks_again(k);
		if (rc != RC_OK || *some)
			return rc;
	}
	if ((rc = unsealed_some(k, some, e)) != RC_OK || *some)
		return rc;
	if (k->notice_more && (rc = notices(k, e)) != RC_OK)
		return rc;
	if (k->watch_more && (rc = watch_look(k, e)) != RC_OK)
		return rc;
	/* Before acknowledgements alone: they ride with what is sent. */
	if (k->outbox_more) {
		rc = outbox_look(k, some, e);
		if (rc != RC_OK || *some)
			return rc;
	}
	if (k->ack_more && k->p->conf->route != NULL) {
		rc = seal_acks(k, some, e);
		k->ack_more = *some;
		k->stay_ms = *some ? k->stay_ms : 0;
		k->out_more = k->out_more || *some;
		if (rc != RC_OK || *some)
			return rc;
	}
	return k->bulletin_more ? bulletin_some(k, some, e) : RC_OK;
}

enum rc
keeper_clock(struct keeper *k, int64_t now, struct err *e)
{
	int64_t ahead_s = k->p->conf->ack_delay_max_s;
	enum rc rc;

	if (ahead_s < STORE_BACKOFF_MAX_S)
		ahead_s = STORE_BACKOFF_MAX_S;
	rc = store_clock(k->st, now, ahead_s, &k->clock, e);
	if (rc == RC_OK && k->clock == STORE_CLOCK_LEAPT)
		keeper_event(k, "clock.leapt", "now=%lld",
		    (long long)now);
	return rc;
}

static enum rc
housekeep(struct keeper *k, struct err *e)
{
	const struct store_keep keep = { .events_s = 366 * 86400LL,
	    .sent_s = 400 * 86400LL, .hub_s = 90 * 86400LL,
	    .watch_s = 90 * 86400LL, .inbox_s = 366 * 86400LL,
	    .patients_s = k->p->conf->keep_patients_s,
	    .budget = EXPIRE_BUDGET };
	bool more;
	size_t n;
	enum rc rc;

	k->house_at = clock_now() + HOUSE_S;
	if (k->p->dry_run || k->p->kind == PASS_SUBMIT)
		return RC_OK;
	if ((rc = keeper_clock(k, clock_now(), e)) != RC_OK ||
	    k->clock != STORE_CLOCK_STEADY)
		return rc;
	rc = store_out_overdue(k->st, clock_now(), k->p->conf->give_up_s,
	    _("too old; given up"), &n, e);
	keeper_given_up(k, n);
	return rc == RC_OK ? store_expire(k->st, clock_now(), &keep, &more, e) :
	    rc;
}

/* Acknowledgements and deferred mail fall due by themselves; and others write
 * into the store: open --mda, held release, key import. */
static enum rc
look_again(struct keeper *k, struct err *e)
{
	enum rc rc;

	if (clock_ms() < k->looked_ms + LOOK_S * 1000)
		return RC_OK;
	k->looked_ms = clock_ms();
	acks_again(k);
	if (k->p->stay && k->p->conf->noutboxes > 0)
		k->outbox_more = k->outbox_more ||
		    clock_now() >= k->outbox_at;
	if (!k->p->stay || clock_now() < k->open_at)
		return RC_OK;
	k->open_more = k->notice_more = k->bulletin_more = true;
	k->watch_more = clock_now() >= k->watch_at;
	rc = clock_now() >= k->house_at ? housekeep(k, e) :
	    keeper_clock(k, clock_now(), e);
	return rc != RC_OK ? rc : store_sweep(k->st, e);
}

static bool
over(const struct keeper *k)
{
	return accounts_done(k) && relays_done(k) && k->dry == NULL &&
	    (!k->outbox_more || k->stop) &&
	    (k->stop || k->p->store_only || (!k->p->stay && !k->open_more));
}

static int
idle_ms(const struct keeper *k)
{
	int64_t at = accounts_next_at(k), other = relays_next_at(k), left;

	if (other < at)
		at = other;
	left = at == CLOCK_FOREVER ? 60 : at - clock_now();
	if (left > LOOK_S)
		left = LOOK_S;
	return left < 0 ? 0 : (int)left * 1000 + 50;
}

static enum rc
turn_all(struct keeper *k, bool *quiet, struct err *e)
{
	unsigned turns = k->turns;
	bool some = false;
	enum rc rc;

	if ((rc = accounts_start(k, e)) != RC_OK ||
	    (rc = work(k, &some, e)) != RC_OK ||
	    (rc = relays_start(k, e)) != RC_OK)
		return rc;
	/* Who waited for an answer may have got more than that. */
	*quiet = !some && k->turns == turns;
	if (!*quiet)
		return accounts_release_ahead(k, e);
	/* When asked to end, what is still to be opened waits in the store. */
	return !k->open_more || k->stop ? accounts_release(k, e) : RC_OK;
}

static enum rc
poll_run(struct keeper *k, struct err *e)
{
	bool quiet = true;
	enum rc rc = RC_OK;

	/* What an earlier pass left. */
	k->open_more = !k->p->store_only && !k->p->dry_run;
	k->notice_more = true;
	k->watch_more = k->bulletin_more = k->open_more;
	k->outbox_more = !k->p->store_only && k->p->conf->noutboxes > 0;
	while (rc == RC_OK) {
		if ((rc = look_again(k, e)) != RC_OK ||
		    (rc = turn_all(k, &quiet, e)) != RC_OK)
			break;
		if (quiet && over(k))
			break;
		if (k->p->stay && quiet && k->vault.open && !k->open_more)
			keeper_rest(k);
		if (k->p->stay && quiet)
			follow_turn(k);
		rc = keeper_turn(k, quiet ? idle_ms(k) : 0, e);
	}
	return rc;
}

static enum rc
submit_run(struct keeper *k, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && !k->submit)
		rc = keeper_turn(k, 1000, e);
	if (rc == RC_OK)
		rc = seal_submission(k, e);
	return rc;
}

#define KEEPER_PATHS (STORE_FILES + 2 * OUTBOXES_MAX + 1)

/* The files of its store, and the names in the outboxes. */
static const struct sandbox_path *
keeper_may(const struct keeper *k, const struct store_files *files,
    struct sandbox_path may[KEEPER_PATHS])
{
	const struct conf *c = k->p->conf;
	size_t n = 0;

	while (n < STORE_FILES && files->may[n].path != NULL) {
		may[n] = files->may[n];
		n++;
	}
	for (size_t i = 0; i < c->noutboxes && i < OUTBOXES_MAX; i++) {
		may[n++] = (struct sandbox_path){ c->outboxes[i].path,
		    SB_LIST };
		may[n++] = (struct sandbox_path){ c->outboxes[i].refused,
		    SB_LIST };
	}
	may[n].path = NULL;
	return may;
}

/* They say hello to their servers while the store is opened. */
static enum rc
begin_fetching(struct keeper *k, struct err *e)
{
	enum rc rc = k->p->kind == PASS_POLL ? accounts_start(k, e) : RC_OK;

	return rc == RC_OK ? chan_flush(&k->x->starter, e) : rc;
}

static enum rc
keeper_begin(struct keeper *k, struct err *e)
{
	struct sandbox_path may[KEEPER_PATHS];
	struct store_files files;
	enum rc rc;

	k->vault.c.fd = k->rows.c.fd = k->clerk.c.fd = -1;
	k->vault.c.got_fd = k->rows.c.got_fd = k->clerk.c.got_fd = -1;
	k->began_at = clock_now();
	if (k->p->conf->hub && (rc = conf_route(k->p->conf, e)) != RC_OK)
		return rc;
	if ((rc = chan_nonblock(&k->x->starter, e)) != RC_OK ||
	    (rc = accounts_new(k, e)) != RC_OK ||
	    (rc = begin_fetching(k, e)) != RC_OK ||
	    (rc = store_open(k->p->conf->state, k->p->dry_run ? STORE_READ :
	    STORE_WRITE, &k->st, e)) != RC_OK)
		return rc;
	store_hash_with(k->st, chain_hash);
	if ((rc = store_files(k->p->conf->state, &files, e)) != RC_OK ||
	    (rc = sandbox_enter(SB_KEEPER, keeper_may(k, &files, may), e)) !=
	    RC_OK)
		return rc;
	return relays_new(k, e);
}

static void
flush_starter(struct keeper *k)
{
	struct err ignored = ERR_INIT;

	while (chan_pending(&k->x->starter) > 0) {
		struct pollfd p = { k->x->starter.fd, POLLOUT, 0 };

		if (chan_flush(&k->x->starter, &ignored) != RC_OK ||
		    poll(&p, 1, 1000) < 0)
			return;
	}
}

static void
keeper_end(struct keeper *k)
{
	uint8_t code = (uint8_t)(k->p->kind != PASS_TAKE ? k->exit :
	    k->taken ? EX_OK : EX_TEMPFAIL);
	struct err ignored = ERR_INIT;

	keeper_rest(k);
	accounts_free(k);
	relays_free(k);
	rows_forget(k);
	outbox_end(k);
	dry_free(k);
	buf_free(&k->submission);
	store_close(&k->st);
	(void)chan_put(&k->x->starter, IPC_EXIT, 0, &code, 1, &ignored);
	flush_starter(k);
	free(k);
}

enum rc
keeper_main(const struct pass *p, struct pass_ends *x, struct err *e)
{
	struct keeper *k = calloc(1, sizeof(*k));
	enum rc rc;

	if (k == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	k->p = p;
	k->x = x;
	if ((rc = keeper_begin(k, e)) == RC_OK) {
		follow_begin(k);
		rc = housekeep(k, e);
	}
	if (rc == RC_OK)
		rc = p->kind == PASS_SUBMIT ? submit_run(k, e) :
		    poll_run(k, e);
	if (rc != RC_OK)
		keeper_fault(k, "pass.failed", rc, WHY_NONE, e);
	follow_end(k, rc);
	keeper_end(k);
	return rc;
}
