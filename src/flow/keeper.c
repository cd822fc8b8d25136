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

#define FEED_AHEAD (256 * 1024)	/* octets kept in a line's buffer */
#define ANSWER_MS (10 * 60 * 1000)	/* of vault and clerk */
#define LINES_MAX 64
#define EXPIRE_BUDGET 1000
#define LOOK_S 5

/* ---- exit code and events -------------------------------------------------- */

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

void
keeper_event(struct keeper *k, const char *name, const char *fmt, ...)
{
	char text[STORE_EVENT_MAX_BYTES];
	struct err ignored = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = '?';
	LOG(LOG_L_INFO, name, LK_S("text", text));
	/* An event that cannot be kept has been logged. */
	if (!k->p->dry_run)
		(void)store_event_add(k->st, clock_now(), name, text, &ignored);
}

void
keeper_fault(struct keeper *k, const char *event, enum rc rc,
    enum wire_why why, const struct err *text)
{
	struct err ignored = ERR_INIT;

	keeper_worse(k, rc, why);
	LOG(LOG_L_ERROR, event, LK_S("why", text->text));
	if (!k->p->dry_run)
		(void)store_event_add(k->st, clock_now(), event, text->text,
		    &ignored);
}

/* ---- bodies ------------------------------------------------------------------- */

enum rc
gather_add(struct keeper *k, struct gather *g, const void *p, size_t len,
    struct err *e)
{
	enum rc rc = RC_OK;

	if (g->buf.len + len > STORE_PART_MAX_BYTES) {
		if (g->id == 0)
			rc = store_body_begin(k->st, &g->id, e);
		if (rc == RC_OK)
			rc = store_body_append(k->st, g->id, g->buf.p,
			    g->buf.len, e);
		buf_wipe(&g->buf);
	}
	if (rc == RC_OK && !buf_add(&g->buf, p, len))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	g->size += len;
	return rc;
}

enum rc
gather_end(struct keeper *k, struct gather *g, struct err *e)
{
	enum rc rc = RC_OK;

	if (g->id != 0 && g->buf.len > 0)
		rc = store_body_append(k->st, g->id, g->buf.p, g->buf.len, e);
	if (g->id != 0)
		buf_free(&g->buf);
	return rc;
}

void
gather_drop(struct keeper *k, struct gather *g)
{
	struct err ignored = ERR_INIT;

	if (g->id != 0)
		(void)store_body_abandon(k->st, g->id, &ignored);
	buf_free(&g->buf);
	memset(g, 0, sizeof(*g));
}

struct store_body
gather_body(const struct gather *g)
{
	struct store_body b = { g->id, g->id != 0 ? NULL : g->buf.p,
	    g->id != 0 ? 0 : g->buf.len };

	return b;
}

enum rc
feed_pump(struct keeper *k, struct feed *f, struct err *e)
{
	struct buf part = BUF_INIT;
	enum rc rc = RC_OK;

	while (rc == RC_OK && f->to != NULL &&
	    chan_pending(&f->to->c) < FEED_AHEAD) {
		size_t at = f->part == 0 ? f->skip : 0;

		rc = store_body_part(k->st, f->body, f->part++, &part, e);
		if (rc == RC_OK && part.len == 0) {
			rc = chan_put(&f->to->c, (uint8_t)f->end, f->job,
			    NULL, 0, e);
			f->to = NULL;
		}
		while (rc == RC_OK && at < part.len) {
			size_t n = part.len - at < CHAN_DATA_BYTES ?
			    part.len - at : CHAN_DATA_BYTES;

			rc = chan_put(&f->to->c, (uint8_t)f->type, f->job,
			    part.p + at, n, e);
			at += n;
		}
	}
	buf_free(&part);
	return rc;
}

/* ---- lines ----------------------------------------------------------------------- */

enum rc
keeper_start(struct keeper *k, enum part part, unsigned index, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_add8(&b, (uint8_t)part) && buf_add32(&b, index);

	return ipc_put(&k->x->starter, IPC_START, 0, &b, ok, e);
}

static enum rc
line_open(struct line *l, int fd, struct err *e)
{
	memset(l, 0, sizeof(*l));
	chan_init(&l->c, fd);
	l->open = l->asked = true;
	l->err = (struct err)ERR_INIT;
	return chan_nonblock(&l->c, e);
}

static struct line *
line_for(struct keeper *k, uint8_t part, uint32_t index)
{
	if (part == PART_VAULT)
		return index == 0 ? &k->vault : &k->rows;
	if (part == PART_CLERK)
		return &k->clerk;
	if (part == PART_FETCH && index < k->p->conf->naccounts)
		return &k->accounts[index].line;
	if (part == PART_RELAY && index < relays_count(k))
		return relays_line(k, index);
	return NULL;
}

static enum rc
on_started(struct keeper *k, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	uint8_t part = rd_8(&r);
	uint32_t index = rd_32(&r);
	int fd = k->x->starter.got_fd;
	struct line *l;

	k->x->starter.got_fd = -1;
	if (!rd_done(&r) || fd < 0 ||
	    (l = line_for(k, part, index)) == NULL)
		return ipc_bad(e);
	return line_open(l, fd, e);
}

static enum rc
starter_frame(struct keeper *k, const struct frame *f, struct err *e)
{
	switch ((int)f->type) {
	case IPC_STARTED:
		return on_started(k, f, e);
	case IPC_STOP:
		k->stop = true;
		return RC_OK;
	case IPC_SUBMIT:
		k->submit = true;
		return buf_add(&k->submission, f->body.p, f->body.len) ?
		    RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
	}
	return ipc_bad(e);
}

/* The frames that every child may send; true: it was one of them. */
bool
line_done_frame(struct line *l, const struct frame *f)
{
	struct rd r = rd_of(f->body.p, f->body.len);

	if (f->type == IPC_WHY && f->body.len == 1) {
		l->why = (enum wire_why)f->body.p[0];
		return true;
	}
	if (f->type != IPC_DONE)
		return false;
	l->done = true;
	l->rc = unpack_err(&r, &l->err);
	return true;
}

/* What came on a line of fetch or relay, frame by frame. */
static enum rc
line_frames(struct keeper *k, struct line *l, struct account *a, size_t route,
    struct err *e)
{
	struct frame f;
	enum rc rc = RC_OK;

	while (rc == RC_OK && chan_next(&l->c, &f, &rc, e)) {
		if (line_done_frame(l, &f))
			continue;
		rc = a != NULL ? account_frame(k, a, &f, e) :
		    relay_frame(k, route, &f, e);
	}
	return rc;
}

static enum rc
line_read(struct keeper *k, struct line *l, struct account *a, size_t route,
    struct err *e)
{
	struct err gone = ERR_INIT;
	enum rc ended = chan_fill(&l->c, &gone), rc;

	if (ended == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", gone.text);
	if ((rc = line_frames(k, l, a, route, e)) != RC_OK ||
	    (ended == RC_OK && !l->done))
		return rc;
	chan_close(&l->c);
	l->open = false;
	return a != NULL ? account_gone(k, a, e) : relay_gone(k, route, e);
}

/* The vault's and the clerk's frames wait for keeper_wait(). */
static void
line_keep(struct line *l)
{
	struct err gone = ERR_INIT;

	if (chan_fill(&l->c, &gone) == RC_OK)
		return;
	l->done = true;
	if (l->rc == RC_OK)
		l->rc = err_set(&l->err, RC_TEMP, "%s", gone.text);
}

static enum rc
rows_read(struct keeper *k, struct err *e)
{
	struct frame f;
	struct err gone = ERR_INIT;
	enum rc rc = RC_OK;

	if (chan_fill(&k->rows.c, &gone) != RC_OK) {
		chan_close(&k->rows.c);
		k->rows.open = false;
		return RC_OK;
	}
	while (rc == RC_OK && chan_next(&k->rows.c, &f, &rc, e))
		rc = rows_serve(k, &f, e);
	return rc;
}

static enum rc
starter_read(struct keeper *k, struct err *e)
{
	struct frame f;
	enum rc rc = chan_fill(&k->x->starter, e);

	while (rc == RC_OK && chan_next(&k->x->starter, &f, &rc, e))
		rc = starter_frame(k, &f, e);
	return rc;
}

/* ---- the loop ---------------------------------------------------------------------- */

struct ready {
	struct pollfd	fd[LINES_MAX];
	struct line	*line[LINES_MAX];	/* NULL: the starter */
	struct account	*account[LINES_MAX];
	size_t		route[LINES_MAX];
	size_t		n;
};

static void
ready_add(struct ready *s, struct chan *c, struct line *l, struct account *a,
    size_t route)
{
	if (c->fd < 0 || s->n == LINES_MAX || (l != NULL && l->done))
		return;
	s->fd[s->n] = (struct pollfd){ c->fd, POLLIN, 0 };
	if (chan_pending(c) > 0)
		s->fd[s->n].events |= POLLOUT;
	s->line[s->n] = l;
	s->account[s->n] = a;
	s->route[s->n++] = route;
}

static void
ready_all(struct keeper *k, struct ready *s)
{
	s->n = 0;
	ready_add(s, &k->x->starter, NULL, NULL, 0);
	ready_add(s, &k->rows.c, &k->rows, NULL, 0);
	ready_add(s, &k->vault.c, &k->vault, NULL, 0);
	ready_add(s, &k->clerk.c, &k->clerk, NULL, 0);
	for (size_t i = 0; i < k->p->conf->naccounts; i++)
		ready_add(s, &k->accounts[i].line.c, &k->accounts[i].line,
		    &k->accounts[i], 0);
	for (size_t i = 0; i < relays_count(k); i++)
		ready_add(s, &relays_line(k, i)->c, relays_line(k, i), NULL,
		    i);
}

static enum rc
serve_ready(struct keeper *k, struct ready *s, size_t i, struct err *e)
{
	struct line *l = s->line[i];
	struct chan *c = l == NULL ? &k->x->starter : &l->c;
	struct err gone = ERR_INIT;
	enum rc rc = RC_OK;

	/* A line that cannot be written will be read to its end. */
	if ((s->fd[i].revents & POLLOUT) != 0)
		rc = chan_flush(c, &gone);
	if (rc != RC_OK && l == NULL)
		return err_set(e, rc, "%s", gone.text);
	if ((s->fd[i].revents & ~POLLOUT) == 0 && rc == RC_OK)
		return RC_OK;
	if (l == NULL)
		return starter_read(k, e);
	if (l == &k->rows)
		return rows_read(k, e);
	if (l == &k->vault || l == &k->clerk) {
		line_keep(l);
		return RC_OK;
	}
	return line_read(k, l, s->account[i], s->route[i], e);
}

enum rc
keeper_turn(struct keeper *k, int wait_ms, struct err *e)
{
	struct ready s;
	enum rc rc;

	if ((rc = relays_pump(k, e)) != RC_OK)
		return rc;
	ready_all(k, &s);
	if (poll(s.fd, (nfds_t)s.n, wait_ms) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	for (size_t i = 0; rc == RC_OK && i < s.n; i++)
		if (s.fd[i].revents != 0)
			rc = serve_ready(k, &s, i, e);
	return rc;
}

enum rc
keeper_need_vault(struct keeper *k, struct err *e)
{
	enum rc rc = RC_OK;

	if (!k->vault.asked) {
		k->vault.asked = true;
		rc = keeper_start(k, PART_VAULT, 0, e);
	}
	while (rc == RC_OK && !(k->vault.open && k->rows.open &&
	    k->clerk.open))
		rc = keeper_turn(k, ANSWER_MS, e);
	return rc;
}

enum rc
keeper_wait(struct keeper *k, struct line *l, struct frame *f,
    struct feed *feed, struct err *e)
{
	int64_t until = clock_ms() + ANSWER_MS;
	enum rc rc = RC_OK;

	for (;;) {
		if (chan_next(&l->c, f, &rc, e)) {
			if (!line_done_frame(l, f))
				return RC_OK;
			if (l->rc == RC_OK)
				l->rc = err_set(&l->err, RC_TEMP,
				    _("a process of sceau has ended early"));
			continue;
		}
		if (rc != RC_OK)
			return rc;
		if (l->done)
			return err_set(e, l->rc, "%s", l->err.text);
		if (clock_ms() > until)
			return err_set(e, RC_TEMP,
			    _("a process of sceau does not answer"));
		if (feed != NULL && feed->to != NULL &&
		    (rc = feed_pump(k, feed, e)) != RC_OK)
			return rc;
		if ((rc = keeper_turn(k, 1000, e)) != RC_OK)
			return rc;
	}
}

/* ---- a pass -------------------------------------------------------------------------- */

/* Vault and clerk leave; what they may have said meanwhile is not lost: it
 * was never promised. */
static void
rest(struct keeper *k)
{
	chan_close(&k->vault.c);
	chan_close(&k->rows.c);
	chan_close(&k->clerk.c);
	k->vault.open = k->rows.open = k->clerk.open = false;
	k->vault.asked = k->vault.done = k->clerk.done = false;
	k->vault.rc = k->clerk.rc = RC_OK;
}

/* Something that needs vault or clerk; true: something was done. */
static enum rc
work(struct keeper *k, bool *some, struct err *e)
{
	enum rc rc;

	*some = false;
	if (k->p->dry_run || k->p->store_only || k->stop)
		return RC_OK;
	if (k->open_more) {
		rc = open_batch(k, some, e);
		if (rc == RC_OK && !*some) {
			k->open_more = false;
			k->opened = 0;
		}
		k->ack_more = k->out_more = true;
		if (rc != RC_OK || *some)
			return rc;
	}
	if (!k->ack_more)
		return RC_OK;
	rc = seal_acks(k, some, e);
	k->ack_more = *some;
	k->out_more = k->out_more || *some;
	return rc;
}

/* Acknowledgements and deferred mail fall due by themselves. */
static void
look_again(struct keeper *k)
{
	if (clock_now() < k->looked_at + LOOK_S)
		return;
	k->looked_at = clock_now();
	k->ack_more = k->out_more = true;
}

static bool
over(const struct keeper *k)
{
	return accounts_done(k) && relays_done(k) &&
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
	bool some = false;
	enum rc rc;

	if ((rc = accounts_start(k, e)) != RC_OK ||
	    (rc = work(k, &some, e)) != RC_OK ||
	    (rc = relays_start(k, e)) != RC_OK)
		return rc;
	*quiet = !some;
	if (some)
		return RC_OK;
	if (!k->open_more && (rc = accounts_release(k, e)) != RC_OK)
		return rc;
	return RC_OK;
}

static enum rc
poll_run(struct keeper *k, struct err *e)
{
	bool quiet = true;
	enum rc rc = RC_OK;

	/* What an earlier pass left. */
	k->open_more = !k->p->store_only && !k->p->dry_run;
	while (rc == RC_OK) {
		look_again(k);
		if ((rc = turn_all(k, &quiet, e)) != RC_OK)
			break;
		if (quiet && over(k))
			break;
		if (k->p->stay && quiet && k->vault.open && !k->open_more)
			rest(k);
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

static enum rc
housekeep(struct keeper *k, struct err *e)
{
	const struct store_keep keep = { .events_s = 366 * 86400LL,
	    .sent_s = 400 * 86400LL, .hub_s = 90 * 86400LL,
	    .budget = EXPIRE_BUDGET };
	bool more;
	size_t n;
	enum rc rc;

	if (k->p->dry_run || k->p->kind == PASS_SUBMIT)
		return RC_OK;
	rc = store_out_overdue(k->st, clock_now(), k->p->conf->give_up_s,
	    _("too old; given up"), &n, e);
	return rc == RC_OK ? store_expire(k->st, clock_now(), &keep, &more, e) :
	    rc;
}

static enum rc
keeper_begin(struct keeper *k, struct err *e)
{
	const char *rw[] = { k->p->conf->state, NULL };
	enum rc rc;

	k->vault.c.fd = k->rows.c.fd = k->clerk.c.fd = -1;
	k->vault.c.got_fd = k->rows.c.got_fd = k->clerk.c.got_fd = -1;
	k->began_at = clock_now();
	if ((rc = store_open(k->p->conf->state, k->p->dry_run ? STORE_READ :
	    STORE_WRITE, &k->st, e)) != RC_OK ||
	    (rc = sandbox_enter(SB_KEEPER, rw, e)) != RC_OK ||
	    (rc = chan_nonblock(&k->x->starter, e)) != RC_OK ||
	    (rc = accounts_new(k, e)) != RC_OK)
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

	rest(k);
	accounts_free(k);
	relays_free(k);
	rows_forget(k);
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
	if ((rc = keeper_begin(k, e)) == RC_OK)
		rc = housekeep(k, e);
	if (rc == RC_OK)
		rc = p->kind == PASS_SUBMIT ? submit_run(k, e) :
		    poll_run(k, e);
	if (rc != RC_OK)
		keeper_fault(k, "pass.failed", rc, WHY_NONE, e);
	keeper_end(k);
	return rc;
}
