/* The keeper's loop: the lines of all children, and who reads what came. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "flow/keeper.h"
#include "wire/pipe.h"

#define ANSWER_MS (10 * 60 * 1000)	/* of vault and clerk */
#define LINES_MAX 184

/* ---- lines ---------------------------------------------------------- */

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
	if (part == PART_FETCH && index < pass_naccounts(k->p))
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
	enum rc rc;

	k->x->starter.got_fd = -1;
	if (!rd_done(&r) || fd < 0 ||
	    (l = line_for(k, part, index)) == NULL)
		return ipc_bad(e);
	rc = line_open(l, fd, e);
	if (l == &k->vault)
		l->c.max = CHAN_VERDICT_BYTES;
	return rc;
}

static enum rc
on_told(struct keeper *k, const struct frame *f, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);

	k->told = true;
	k->told_err = (struct err)ERR_INIT;
	k->told_err.rc = unpack_err(&r, &k->told_err);
	return rd_done(&r) ? RC_OK : ipc_bad(e);
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
	case IPC_TOLD:
		return on_told(k, f, e);
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

/* What it says next could be taken for the answer to another question. */
enum rc
keeper_odd(struct keeper *k, struct err *e)
{
	k->vault.done = true;
	return ipc_bad(e);
}

enum rc
line_bad(struct line *l, struct err *e)
{
	l->bad = true;
	return ipc_bad(e);
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
		if ((rc = a != NULL ? account_frame(k, a, &f, e) :
		    relay_frame(k, route, &f, e)) != RC_OK)
			return rc;
	}
	l->bad = rc != RC_OK;
	return rc;
}

/* It is in a stranger's hands, or its memory is: the others go on. */
static void
line_give_up(struct line *l, struct err *e)
{
	l->rc = e->rc;
	l->err = *e;
	*e = (struct err)ERR_INIT;
}

static enum rc
line_read(struct keeper *k, struct line *l, struct account *a, size_t route,
    struct err *e)
{
	struct err gone = ERR_INIT;
	enum rc ended = chan_fill(&l->c, &gone), rc;

	if (ended == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", gone.text);
	rc = line_frames(k, l, a, route, e);
	if (l->bad)
		line_give_up(l, e);
	else if (rc != RC_OK || (ended == RC_OK && !l->done))
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
	enum rc rc = chan_fill(&k->rows.c, e);

	if (rc != RC_OK)
		k->rows.done = true;
	/* It has left, and says why on its other line. */
	if (rc == RC_TEMP) {
		*e = (struct err)ERR_INIT;
		return RC_OK;
	}
	while (rc == RC_OK && chan_next(&k->rows.c, &f, &rc, e))
		rc = rows_serve(k, &f, e);
	/* The vault waits for what will not come: nobody must wait for it. */
	if (rc != RC_OK) {
		k->vault.done = true;
		k->vault.rc = rc;
		k->vault.err = *e;
	}
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

/* ---- the loop ------------------------------------------------------- */

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
	for (size_t i = 0; i < pass_naccounts(k->p); i++)
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

/* An account or a relay that was not answered waits for ever. */
static enum rc
fail(struct keeper *k, const struct err *e)
{
	k->failed = *e;
	return e->rc;
}

enum rc
keeper_turn(struct keeper *k, int wait_ms, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = RC_OK, settled;
	bool rows = false;
	struct ready s;

	k->turns++;
	if (k->failed.rc != RC_OK)
		return err_set(e, k->failed.rc, "%s", k->failed.text);
	if (relays_pump(k, e) != RC_OK)
		return fail(k, e);
	ready_all(k, &s);
	if (poll(s.fd, (nfds_t)s.n, wait_ms) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	for (size_t i = 0; rc == RC_OK && i < s.n; i++)
		if (s.fd[i].revents != 0) {
			rc = serve_ready(k, &s, i, e);
			rows = s.line[i] == &k->rows;
		}
	/* Whatever happened: what was taken must not be sent again. */
	if ((settled = relays_settle(k, &why)) != RC_OK) {
		rows = false;
		if (rc == RC_OK)
			*e = why;
		rc = rc == RC_OK ? settled : rc;
	}
	return rc == RC_OK || rows ? rc : fail(k, e);
}

/* One that has died since it was last needed is started anew; what it said
 * last is read by keeper_wait() of him who was waiting for it. */
enum rc
keeper_need_vault(struct keeper *k, struct err *e)
{
	int64_t until = clock_ms() + ANSWER_MS;
	struct err died = ERR_INIT;
	/* There is none in a submission (starter.c). */
	bool clerk = k->p->kind != PASS_SUBMIT;
	enum rc rc = RC_OK;

	if (k->vault.done || k->rows.done || k->clerk.done) {
		err_set(&died, RC_TEMP, _("a process of sceau has ended "
		    "early"));
		keeper_fault(k, "process.died", RC_TEMP, WHY_LOCAL, &died);
		keeper_rest(k);
	}
	if (!k->vault.asked) {
		k->vault.asked = true;
		rc = keeper_start(k, PART_VAULT, 0, e);
	}
	while (rc == RC_OK && !(k->vault.open && k->rows.open &&
	    (k->clerk.open || !clerk))) {
		if (clock_ms() > until)
			return err_set(e, RC_TEMP,
			    _("a process of sceau does not answer"));
		rc = keeper_turn(k, 1000, e);
	}
	return rc;
}

void
keeper_rest(struct keeper *k)
{
	k->rests++;
	chan_close(&k->vault.c);
	chan_close(&k->rows.c);
	chan_close(&k->clerk.c);
	k->vault.open = k->rows.open = k->clerk.open = false;
	k->vault.asked = k->rows.asked = false;
	k->vault.done = k->rows.done = k->clerk.done = false;
	k->vault.rc = k->clerk.rc = RC_OK;
}

size_t
keeper_commands(const struct keeper *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->p->conf->ndelivers + k->p->conf->nunsealed;
	    i++)
		n += k->p->conf->delivers[i].kind == CONF_DELIVER_PIPE;
	return n;
}

enum rc
keeper_wait(struct keeper *k, struct line *l, struct frame *f,
    struct feed *feed, struct err *e)
{
	int64_t until = clock_ms() + ANSWER_MS +
	    (int64_t)keeper_commands(k) * PIPE_LIMIT_S * 1000;
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
		if (rc != RC_OK) {
			l->done = true;
			return rc;
		}
		if (l->done)
			return err_set(e, l->rc, "%s", l->err.text);
		if (clock_ms() > until) {
			l->done = true;
			return err_set(e, RC_TEMP,
			    _("a process of sceau does not answer"));
		}
		if (feed != NULL &&
		    (rc = feed_pump(k, feed, e)) != RC_OK)
			return rc;
		if ((rc = keeper_turn(k, 1000, e)) != RC_OK)
			return rc;
	}
}

enum rc
keeper_answer(struct keeper *k, struct line *l, enum ipc type, uint32_t job,
    struct frame *f, struct err *e)
{
	enum rc rc = keeper_wait(k, l, f, NULL, e);

	return rc != RC_OK || (f->type == type && f->job == job) ? rc :
	    keeper_odd(k, e);
}

enum rc
keeper_clerk_says(struct keeper *k, enum ipc type, uint32_t job,
    enum rc *said, struct err *why, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = keeper_answer(k, &k->clerk, type, job, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	*said = unpack_err(&r, why);
	return r.bad ? keeper_odd(k, e) : RC_OK;
}
