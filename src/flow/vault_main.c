/*
 * The vault: every key and no network, no file, no document.  It answers the
 * keeper, gives opened mail to the clerk and takes mail to be sealed from the
 * composer.  Its loop blocks: whoever writes to it must go on reading.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/lang.h"
#include "flow/ipc.h"
#include "flow/pass.h"
#include "flow/patients.h"
#include "flow/sealing.h"
#include "flow/vault_facts.h"

#define JOBS_MAX 256
#define QUIET 0x80	/* of the mode: nothing goes to the clerk */

/* One envelope that is being opened. */
struct job {
	uint32_t		 id;	/* 0: free */
	struct buf		 head;	/* its first octets, for pass 2 */
	struct gate_head	 h;
	struct gate_open	*open;
	struct gate_verdict	 v;
	bool			 failed;	/* before the end */
	bool			 to_clerk;
	bool			 reporting;	/* IPC_REPORTS is to come */
	/* Second pass at the hub: */
	struct gate_open	*again;
	struct gate_seal	*seal;
};

struct room {
	const struct pass	*p;
	struct pass_ends	*x;
	struct gate		*g;
	struct bytes		 pushed;	/* lent: in IPC_PUSHED */
	struct facts		 facts;
	size_t			 njobs;	/* that were in use so far: of the
					 * others no page is touched */
	size_t			 nreports;	/* that are to come */
	struct job		 jobs[JOBS_MAX];
};

/* Where a sink's octets go: one line, one type of frame, one job. */
struct line {
	struct chan	*c;
	enum ipc	 type;
	uint32_t	 job;
};

static enum rc
line_put(void *arg, const void *p, size_t len, struct err *e)
{
	struct line *l = arg;
	const uint8_t *at = p;

	while (len > 0) {
		size_t n = len < CHAN_DATA_BYTES ? len : CHAN_DATA_BYTES;
		enum rc rc = chan_hold(l->c, (uint8_t)l->type, l->job, at, n,
		    e);

		if (rc != RC_OK)
			return rc;
		at += n;
		len -= n;
	}
	return RC_OK;
}

static enum rc
row_get(void *arg, const char *key, struct buf *out, struct err *e)
{
	struct room *room = arg;
	struct frame f;
	enum rc rc;

	buf_wipe(out);
	if ((rc = chan_send(&room->x->rows, IPC_ROW_GET, 0, key, strlen(key),
	    e)) != RC_OK || (rc = chan_recv(&room->x->rows, &f, e)) != RC_OK)
		return rc;
	if (f.type != IPC_ROW)
		return ipc_bad(e);
	return buf_add(out, f.body.p, f.body.len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static struct gate_rows
rows_of(struct room *room, bool keep)
{
	return (struct gate_rows){ row_get, room, keep };
}

static struct job *
job_find(struct room *room, uint32_t id)
{
	for (size_t i = 0; i < room->njobs; i++)
		if (room->jobs[i].id == id)
			return &room->jobs[i];
	return NULL;
}

static struct job *
job_new(struct room *room)
{
	struct job *free_one = job_find(room, 0);

	if (free_one == NULL && room->njobs < JOBS_MAX)
		return &room->jobs[room->njobs++];
	return free_one;
}

static void
job_drop(struct job *j)
{
	gate_open_free(&j->open);
	gate_open_free(&j->again);
	gate_seal_free(&j->seal);
	buf_free(&j->head);
	memset(j, 0, sizeof(*j));
}

static enum rc
answer(struct room *room, enum ipc type, uint32_t job, enum rc said,
    const struct err *why, struct buf *more, bool ok, struct err *e)
{
	struct buf b = BUF_INIT;

	ok = ok && pack_err(&b, said, why) &&
	    (more == NULL || buf_add(&b, more->p, more->len));
	if (more != NULL)
		buf_free(more);
	return ipc_hold(&room->x->keeper, type, job, &b, ok, e);
}

/* IPC_OPEN: mode(1), first octets. */
static enum rc
on_open(struct room *room, const struct frame *f, struct err *e)
{
	struct gate_open_args args = { .rows = rows_of(room, true) };
	struct job *j = job_new(room);
	struct buf head = BUF_INIT;
	struct err why = ERR_INIT;
	enum rc rc;
	bool ok;

	if (j == NULL || f->job == 0 || f->body.len < 1)
		return ipc_bad(e);
	args.mode = (enum gate_mode)(f->body.p[0] & ~QUIET);
	if (!buf_add(&j->head, f->body.p + 1, f->body.len - 1))
		return err_set(e, RC_NOMEM, _("no memory left"));
	j->id = f->job;
	j->to_clerk = (f->body.p[0] & QUIET) == 0 &&
	    (args.mode == GATE_DELIVER || args.mode == GATE_RAW);
	rc = gate_open_begin(room->g, &args, j->head.p, j->head.len, &j->h,
	    &j->open, &why);
	ok = head_pack(&head, &j->h);
	if (rc == RC_NOMEM) {
		buf_free(&head);
		return err_set(e, rc, "%s", why.text);
	}
	return answer(room, IPC_HEAD, f->job, rc, &why, &head, ok, e);
}

static void
fault(const struct job *j)
{
	char t[2 * GATE_T_BYTES + 1];

	hex_format(j->h.t, sizeof(j->h.t), t);
	t[20] = '\0';
	FAULT_OF("vault.mail", t);
}

/* IPC_GO: flags(1), token.  The clerk hears of it before the first octet.  It
 * and the body may come behind a header that is not good: IPC_HEAD says so. */
static enum rc
on_go(struct room *room, const struct frame *f, struct err *e)
{
	struct job *j = job_find(room, f->job);

	if (j == NULL || f->body.len < 1)
		return ipc_bad(e);
	if (j->open == NULL)
		return RC_OK;
	gate_open_flag(j->open, f->body.p[0]);
	fault(j);
	if (!j->to_clerk)
		return RC_OK;
	return chan_hold(&room->x->clerk, IPC_MAIL_BEGIN, f->job,
	    f->body.p + 1, f->body.len - 1, e);
}

/* A sink that seals what it gets: the second pass at the hub. */
struct reseal {
	struct gate_seal	*seal;
	struct gate_sink	 out;
};

static enum rc
reseal_put(void *arg, const void *p, size_t len, struct err *e)
{
	struct reseal *r = arg;

	return gate_seal_mail(r->seal, p, len, &r->out, e);
}

static enum rc
on_sealed(struct room *room, const struct frame *f, struct err *e)
{
	struct job *j = job_find(room, f->job);
	struct line clerk = { &room->x->clerk, IPC_MAIL, f->job };
	struct line keeper = { &room->x->keeper, IPC_OUT, f->job };
	struct gate_sink sink = { line_put, &clerk };
	struct reseal again;
	struct err why = ERR_INIT;
	enum rc rc;

	if (j == NULL)
		return ipc_bad(e);
	if (j->open == NULL || j->failed)
		return RC_OK;	/* what is still on its way */
	if (j->again != NULL) {
		again = (struct reseal){ j->seal, { line_put, &keeper } };
		sink = (struct gate_sink){ reseal_put, &again };
		rc = gate_open_body(j->again, f->body.p, f->body.len, &sink,
		    &why);
	} else
		rc = gate_open_body(j->open, f->body.p, f->body.len,
		    j->to_clerk ? &sink : &gate_nowhere, &why);
	if (rc == RC_NOMEM)
		return err_set(e, rc, "%s", why.text);
	j->failed = rc != RC_OK;
	return RC_OK;
}

static enum rc
end_again(struct room *room, struct job *j, struct err *e)
{
	struct line keeper = { &room->x->keeper, IPC_OUT, j->id };
	struct gate_sink sink = { line_put, &keeper };
	struct gate_verdict v;
	struct err why = ERR_INIT;
	struct reseal again = { j->seal, sink };
	const struct gate_sink mail = { reseal_put, &again };
	enum rc rc = gate_open_end(j->again, &mail, &v, &why);

	if (rc == RC_OK)
		rc = gate_seal_end(j->seal, &sink, &why);
	gate_open_free(&j->again);
	gate_seal_free(&j->seal);
	return answer(room, IPC_OUT_END, j->id, rc, &why, NULL, true, e);
}

/* The clerk hears the verdict from the vault itself, not by way of others. */
static enum rc
on_sealed_end(struct room *room, const struct frame *f, struct err *e)
{
	struct job *j = job_find(room, f->job);
	struct line clerk = { &room->x->clerk, IPC_MAIL, f->job };
	const struct gate_sink sink = { line_put, &clerk };
	struct buf b = BUF_INIT;
	struct err why = ERR_INIT;
	enum rc said, rc = RC_OK;
	bool ok;

	if (j == NULL)
		return ipc_bad(e);
	if (j->open == NULL)
		return RC_OK;
	if (j->again != NULL)
		return end_again(room, j, e);
	said = gate_open_end(j->open, j->to_clerk ? &sink : &gate_nowhere,
	    &j->v, &why);
	if (said == RC_NOMEM)
		return err_set(e, said, "%s", why.text);
	ok = verdict_pack(&b, &j->v);
	if (j->to_clerk)
		rc = chan_send(&room->x->clerk, said == RC_OK &&
		    j->v.has_mail ? IPC_MAIL_END : IPC_MAIL_DROP, f->job,
		    NULL, 0, e);
	if (rc != RC_OK) {
		buf_free(&b);
		return rc;
	}
	j->reporting = j->to_clerk && said == RC_OK && j->v.has_mail;
	room->nreports += j->reporting;
	return answer(room, IPC_VERDICT, f->job, said, &why, &b, ok, e);
}

/* What the clerk found in a mail, while others are being opened. */
static enum rc
on_reports(struct room *room, struct err *e)
{
	struct frame f;
	struct job *j;
	enum rc rc = chan_recv(&room->x->clerk, &f, e);

	if (rc != RC_OK || room->nreports == 0)
		return rc != RC_OK ? rc : ipc_bad(e);
	room->nreports--;
	/* The keeper may have dropped it, when something else went wrong. */
	if (f.job == 0 || (j = job_find(room, f.job)) == NULL ||
	    !j->reporting)
		return RC_OK;
	j->reporting = false;
	return patients_pass(room->g, room->x, &f, e);
}

/* IPC_AGAIN: route(4), dest: the second pass begins. */
static enum rc
on_again(struct room *room, const struct frame *f, struct err *e)
{
	struct gate_open_args args = { .mode = GATE_RELAY,
	    .rows = rows_of(room, true) };
	struct gate_seal_args seal;
	struct job *j = job_find(room, f->job);
	struct rd r = rd_of(f->body.p, f->body.len);
	uint32_t n = rd_32(&r);
	uint8_t t[GATE_T_BYTES] = { 0 };
	struct buf header = BUF_INIT, more = BUF_INIT;
	struct err why = ERR_INIT;
	struct gate_dest dest;
	struct gate_head h;
	enum rc rc;
	bool ok;

	dest_unpack(&r, &dest);
	if (!rd_done(&r) || j == NULL || j->open == NULL || j->again != NULL ||
	    n >= j->v.nroutes)
		return ipc_bad(e);
	j->failed = false;
	rc = gate_open_begin(room->g, &args, j->head.p, j->head.len, &h,
	    &j->again, &why);
	if (rc == RC_OK) {
		gate_relay_args(&j->h, &j->v, n, &dest, &seal);
		seal.rows = rows_of(room, true);
		rc = gate_seal_begin(room->g, &seal, &header, t, &j->seal,
		    &why);
	}
	if (rc != RC_OK)
		gate_open_free(&j->again);
	ok = buf_add(&more, t, sizeof(t)) &&
	    pack_run(&more, header.p, header.len);
	buf_free(&header);
	return answer(room, IPC_OUT_HEAD, f->job, rc, &why, &more, ok, e);
}

static enum rc
on_drop(struct room *room, const struct frame *f, struct err *e)
{
	struct job *j = job_find(room, f->job);

	if (f->job == 0) {
		gate_forget(room->g);
		return RC_OK;
	}
	if (j == NULL)
		return ipc_bad(e);
	job_drop(j);
	return RC_OK;
}

/* Ask the composer for the mail from its start and give it to ${take}. */
static enum rc
pull(struct room *room, enum rc (*take)(void *, const struct frame *,
    struct err *), void *arg, struct err *e)
{
	struct frame f;
	enum rc rc = chan_send(&room->x->composer, IPC_PULL, 0, NULL, 0, e);

	while (rc == RC_OK) {
		if ((rc = chan_recv(&room->x->composer, &f, e)) != RC_OK)
			return rc;
		room->pushed = f.body;
		if (f.type == IPC_PUSHED)
			return RC_OK;
		if (f.type != IPC_PUSH)
			return ipc_bad(e);
		rc = take(arg, &f, e);
	}
	return rc;
}

static enum rc
sum_take(void *arg, const struct frame *f, struct err *e)
{
	(void)e;
	gate_sum_add(arg, f->body.p, f->body.len);
	return RC_OK;
}

static enum rc
on_digest(struct room *room, const struct frame *f, struct err *e)
{
	struct gate_sum *sum = gate_sum_new();
	const struct err none = ERR_INIT;
	struct buf b = BUF_INIT;
	uint8_t d[GATE_D_BYTES];
	enum rc rc;
	bool ok;

	if (sum == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = pull(room, sum_take, sum, e);
	gate_sum_end(sum, d);
	ok = buf_add(&b, d, sizeof(d)) && buf_add64(&b, gate_sum_len(sum));
	gate_sum_free(&sum);
	if (rc != RC_OK ||
	    (rc = patients_add(room->g, room->pushed, &b, &ok, e)) != RC_OK) {
		buf_free(&b);
		return rc;
	}
	return answer(room, IPC_DIGESTED, f->job, RC_OK, &none, &b, ok, e);
}

static enum rc
seal_take(void *arg, const struct frame *f, struct err *e)
{
	struct reseal *r = arg;

	return gate_seal_mail(r->seal, f->body.p, f->body.len, &r->out, e);
}

static enum rc
seal_run(struct room *room, uint32_t job, struct gate_seal *seal, bool mail,
    struct err *e)
{
	struct line keeper = { &room->x->keeper, IPC_OUT, job };
	struct reseal r = { seal, { line_put, &keeper } };
	enum rc rc = RC_OK;

	if (mail)
		rc = pull(room, seal_take, &r, e);
	return rc == RC_OK ? gate_seal_end(seal, &r.out, e) : rc;
}

static enum rc
seal_one(struct room *room, uint32_t job, struct gate_seal_args *args,
    struct err *e)
{
	struct buf header = BUF_INIT, more = BUF_INIT;
	uint8_t t[GATE_T_BYTES] = { 0 };
	struct gate_seal *seal = NULL;
	struct err why = ERR_INIT;
	enum rc rc, said;
	bool ok;

	said = gate_seal_begin(room->g, args, &header, t, &seal, &why);
	ok = buf_add(&more, t, sizeof(t)) &&
	    pack_run(&more, header.p, header.len);
	buf_free(&header);
	rc = answer(room, IPC_OUT_HEAD, job, said, &why, &more, ok, e);
	if (rc == RC_OK && said == RC_OK) {
		said = seal_run(room, job, seal, args->has_mail, &why);
		rc = answer(room, IPC_OUT_END, job, said, &why, NULL, true, e);
	}
	gate_seal_free(&seal);
	return rc;
}

static enum rc
on_seal(struct room *room, const struct frame *f, struct err *e)
{
	const char *routes[GATE_ROUTES_MAX];
	struct rd r = rd_of(f->body.p, f->body.len);
	struct flow_seal s;
	struct gate_seal_args args;
	enum rc rc;

	if (!seal_unpack(&r, &s) || !rd_done(&r) ||
	    s.nroutes > GATE_ROUTES_MAX) {
		seal_free(&s);
		return ipc_bad(e);
	}
	for (size_t i = 0; i < s.nroutes; i++)
		routes[i] = s.routes[i];
	FAULT_OF("vault.seal", s.dest.name);
	memset(&args, 0, sizeof(args));
	args.dest = &s.dest;
	args.rows = rows_of(room, false);
	args.at = s.at;
	args.acks = s.acks;
	args.nacks = s.nacks;
	args.relayed_acks = s.relayed_acks;
	args.nrelayed_acks = s.nrelayed_acks;
	args.has_mail = s.has_mail;
	args.mail_len = s.mail_len;
	memcpy(args.d, s.d, sizeof(args.d));
	args.routes = s.nroutes > 0 ? routes : NULL;
	args.nroutes = s.nroutes;
	args.bulletin = s.bulletin;
	if (s.bulletin != 0) {
		args.bars = room->facts.bars;
		args.nbars = room->facts.nbars;
	}
	rc = seal_one(room, f->job, &args, e);
	seal_free(&s);
	return rc;
}

static const struct {
	enum ipc	 type;
	enum rc		(*serve)(struct room *, const struct frame *,
			    struct err *);
} services[] = {
	{ IPC_OPEN, on_open },
	{ IPC_GO, on_go },
	{ IPC_AGAIN, on_again },
	{ IPC_SEALED, on_sealed },
	{ IPC_SEALED_END, on_sealed_end },
	{ IPC_DROP, on_drop },
	{ IPC_DIGEST, on_digest },
	{ IPC_SEAL, on_seal },
};

static enum rc
serve(struct room *room, const struct frame *f, struct err *e)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].type == f->type)
			return services[i].serve(room, f, e);
	return facts_serve(&room->facts, f, e);
}

/* The keeper's next frame; before that waits, all that was held goes out.
 * ${over}: the other end gone is how a vault is told that it is. */
static enum rc
next(struct room *room, struct frame *f, bool *over, struct err *e)
{
	struct chan *keeper = &room->x->keeper, *clerk = &room->x->clerk;
	struct err gone = ERR_INIT;
	enum rc rc = RC_OK;

	while (rc == RC_OK && !chan_ready(keeper)) {
		struct pollfd p[2] = { { keeper->fd, POLLIN, 0 },
		    { room->nreports > 0 ? clerk->fd : -1, POLLIN, 0 } };

		*over = chan_unhold(keeper, &gone) != RC_OK ||
		    (poll(p, 2, -1) < 0 && errno != EINTR);
		if (*over || p[0].revents != 0)
			break;
		while (rc == RC_OK && (p[1].revents != 0 ||
		    chan_ready(clerk))) {
			p[1].revents = 0;
			rc = on_reports(room, e);
		}
	}
	if (rc == RC_OK && !*over)
		*over = chan_recv(keeper, f, &gone) != RC_OK;
	return rc;
}

enum rc
vault_main(const struct pass *p, struct pass_ends *x, struct err *e)
{
	struct room *room = calloc(1, sizeof(*room));
	struct frame f;
	bool over = false;
	enum rc rc;

	if (room == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	room->p = p;
	room->x = x;
	x->keeper.max = CHAN_VERDICT_BYTES;
	rc = vault_enter(p, &room->g, e);
	room->facts = (struct facts){ .g = room->g, .keeper = &x->keeper,
	    .rows = rows_of(room, false) };
	while (rc == RC_OK && (rc = next(room, &f, &over, e)) == RC_OK &&
	    !over)
		rc = serve(room, &f, e);
	FAULT("vault.end");
	for (size_t i = 0; i < room->njobs; i++)
		job_drop(&room->jobs[i]);
	facts_free(&room->facts);
	gate_free(&room->g);
	free(room);
	return rc;
}
