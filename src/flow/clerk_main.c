/*
 * The clerk: documents, and no key.  It writes what the vault opens under
 * temporary names, takes documents out of it once the vault has said that the
 * whole is good, and gives final names when the keeper has noted them.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/sandbox.h"
#include "flow/clerk.h"
#include "flow/clerk_report.h"
#include "flow/ipc.h"
#include "vault/gate.h"

/* ---- from the vault ------------------------------------------------- */

static void
token_of(const uint8_t *p, char out[DROP_TOKEN_BYTES])
{
	drop_token(p, get_be32(p + GATE_T_BYTES), out);
}

static enum rc
on_begin(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j = job_find(c, 0);

	if (j == NULL || f->job == 0 || f->body.len != IPC_TOKEN_BYTES)
		return ipc_bad(e);
	j->id = f->job;
	token_of(f->body.p, j->token);
	return RC_OK;
}

/* What cannot be written is this message's trouble, said at its end. */
static enum rc
on_mail(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j = job_find(c, f->job);

	if (j == NULL || j->ready)
		return ipc_bad(e);
	if (!j->failed)
		j->failed = job_write(c, j, f->body.p, f->body.len,
		    &j->why) != RC_OK;
	return RC_OK;
}

/* ---- documents ------------------------------------------------------ */

/* The vault is to hear this after each mail that it gave, good or not; of what
 * anybody can have written no name is remembered.  It may be writing to us
 * just now: nobody waits for it to read. */
static enum rc
tell_reports(struct clerk *c, const struct job *j, bool ok, struct err *e)
{
	struct buf b = BUF_INIT;

	if (j->notice || j->raw != NULL)
		return RC_OK;
	ok = reports_pack(ok ? j->reports : NULL, &b);
	return ipc_put(&c->x->vault, IPC_REPORTS, j->id, &b, ok, e);
}

/* Behind the names of IPC_READY: what the inbox is told. */
static bool
pack_filing(const struct clerk *c, const struct job *j, struct buf *b)
{
	const struct reports *r = j->reports;
	struct buf places = BUF_INIT;
	bool at[CLERK_DELIVERIES_MAX] = { false }, ok = true;

	for (size_t i = 0; i < j->npapers; i++)
		at[j->papers[i].place % CLERK_DELIVERIES_MAX] = true;
	for (size_t i = 0; ok && i < c->ndeliveries; i++)
		if (at[i])
			ok = buf_addf(&places, "%s%s", places.len > 0 ? " " :
			    "", clerk_deliver(c, i)->name);
	if (places.len >= STORE_PLACES_BYTES)
		places.len = STORE_PLACES_BYTES - 1;
	ok = ok && buf_add32(b, r == NULL ? 0 : r->flags) &&
	    buf_add32(b, r == NULL ? 0 : r->n) &&
	    pack_run(b, places.p, places.len);
	buf_free(&places);
	return ok;
}

static enum rc
on_mail_end(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j = job_find(c, f->job);
	struct buf b = BUF_INIT, names = BUF_INIT;
	enum rc rc, told;
	bool ok;

	if (j == NULL || j->ready)
		return ipc_bad(e);
	rc = j->failed ? j->why.rc : RC_OK;
	if (rc == RC_OK && job_first(c, j) == job_end(c, j))
		rc = err_set(&j->why, RC_CONF, _("no delivery is configured; "
		    "the mail stays sealed"));
	FAULT_OF("clerk.mail", j->token);
	if (rc == RC_OK)
		rc = papers_take(c, j, &j->why);
	if (rc == RC_OK)
		rc = papers_apart(c, j, 0, &j->why);
	buf_free(&j->mail);	/* its files have it; others are to come */
	j->ready = rc == RC_OK;
	ok = (rc != RC_OK || watch_names(c, j, &names)) &&
	    pack_err(&b, rc, &j->why) && pack_run(&b, names.p, names.len) &&
	    pack_filing(c, j, &b);
	buf_free(&names);
	told = tell_reports(c, j, rc == RC_OK, e);
	if (rc != RC_OK)
		job_drop(c, j);
	if (told != RC_OK) {
		buf_free(&b);
		return told;
	}
	return ipc_hold(&c->x->keeper, IPC_READY, f->job, &b, ok, e);
}

/* IPC_NOTICE: token, mail: from the keeper itself, complete. */
static enum rc
on_notice(struct clerk *c, const struct frame *f, struct err *e)
{
	struct frame part = *f;
	struct job *j;
	enum rc rc;

	if (f->body.len < IPC_TOKEN_BYTES)
		return ipc_bad(e);
	part.body.len = IPC_TOKEN_BYTES;
	if ((rc = on_begin(c, &part, e)) != RC_OK)
		return rc;
	j = job_find(c, f->job);
	j->notice = true;
	part.body.p = f->body.p + IPC_TOKEN_BYTES;
	part.body.len = f->body.len - IPC_TOKEN_BYTES;
	if ((rc = on_mail(c, &part, e)) != RC_OK)
		return rc;
	return on_mail_end(c, &part, e);
}

/* A command leaves nothing to be found: its part is shown again, flagged. */
static enum rc
look(struct clerk *c, const char *token, size_t first, size_t n, bool *there,
    struct err *e)
{
	struct seen *s = &c->seen[c->nseen++ % CLERK_JOBS_MAX];
	enum rc rc = RC_OK;

	memset(s, 0, sizeof(*s));
	memcpy(s->token, token, sizeof(s->token));
	*there = n > 0;
	for (size_t i = first; rc == RC_OK && i < first + n; i++) {
		if (clerk_deliver(c, i)->kind != CONF_DELIVER_PIPE)
			rc = drop_there(&c->places[i], s->token, &s->at[i], e);
		*there = *there && s->at[i];
	}
	return rc;
}

/* IPC_UNSEALED, IPC_RAW, IPC_RAW_END: through the keeper, from fetch. */
static enum rc
on_unsealed(struct clerk *c, const struct frame *f, struct err *e)
{
	bool there;
	struct job *j;
	enum rc rc = on_begin(c, f, e);

	if (rc != RC_OK)
		return rc;
	j = job_find(c, f->job);
	rc = look(c, j->token, c->ndeliveries, c->nunsealed, &there, e);
	return rc == RC_OK ? raw_begin(c, j, e) : rc;
}

static enum rc
on_raw(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j = job_find(c, f->job);

	if (j == NULL || j->raw == NULL)
		return ipc_bad(e);
	if (f->type == IPC_RAW) {
		raw_add(j, f->body);
		return RC_OK;
	}
	raw_end(j);
	return on_mail_end(c, f, e);
}

static enum rc
vault_frame(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j;

	if (f->job == 0)
		return ipc_bad(e);
	switch ((int)f->type) {
	case IPC_MAIL_BEGIN:
		return on_begin(c, f, e);
	case IPC_MAIL:
		return on_mail(c, f, e);
	case IPC_MAIL_END:
		return on_mail_end(c, f, e);
	case IPC_MAIL_DROP:
		if ((j = job_find(c, f->job)) == NULL ||
		    clerk_files(c, f->job))
			return ipc_bad(e);
		job_drop(c, j);
		return RC_OK;
	}
	return ipc_bad(e);
}

/* ---- from the keeper ------------------------------------------------ */

/* The starter runs the command: this process may not. */
static enum rc
give_to_command(struct clerk *c, const struct job *j, const struct paper *p,
    struct err *e)
{
	uint8_t index[4];
	struct frame f;
	struct rd r;
	enum rc rc;

	put_be32(index, (uint32_t)p->place);
	rc = chan_send_fd(&c->x->starter, IPC_PIPE, j->id, index,
	    sizeof(index), p->drop.fd, e);
	if (rc == RC_OK)
		rc = chan_recv(&c->x->starter, &f, e);
	if (rc != RC_OK)
		return rc;
	if (f.type != IPC_PIPED || f.job != j->id)
		return ipc_bad(e);
	r = rd_of(f.body.p, f.body.len);
	rc = unpack_err(&r, e);
	return rc == RC_OK || rc == RC_CONF ? rc : err_set(e, RC_TEMP, "%s",
	    e->text);
}

/* One sync for the files of all messages at a place. */
static enum rc
sync_place(struct clerk *c, size_t place, struct err *e)
{
	struct drop **d;
	size_t n = 0, most = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->nfile; i++)
		most += job_find(c, c->file[i])->npapers;
	if ((d = calloc(most + 1, sizeof(*d))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < c->nfile; i++) {
		struct job *j = job_find(c, c->file[i]);

		for (size_t k = 0; k < j->npapers; k++)
			if (j->papers[k].place == place &&
			    j->papers[k].name[0] != '\0')
				d[n++] = &j->papers[k].drop;
	}
	FAULT("clerk.sync.before");
	if (n > 0)
		rc = drop_sync_many(&c->places[place], d, n, e);
	FAULT("clerk.sync.after");
	free(d);
	return rc;
}

static bool
seen_at(const struct clerk *c, const struct job *j, size_t place)
{
	size_t n = c->nseen < CLERK_JOBS_MAX ? c->nseen : CLERK_JOBS_MAX;

	for (size_t i = 0; c->places[place].maildir && i < n; i++)
		if (strcmp(c->seen[i].token, j->token) == 0)
			return c->seen[i].at[place];
	return false;
}

static enum rc
name_all(struct clerk *c, struct job *j, bool *touched, struct err *e)
{
	enum rc rc = RC_OK;

	if (j->failed) {
		*e = j->why;
		return e->rc;
	}
	for (size_t i = 0; rc == RC_OK && i < j->npapers; i++) {
		struct paper *p = &j->papers[i];

		if (p->name[0] == '\0') {
			rc = give_to_command(c, j, p, e);
			continue;
		}
		touched[p->place] = true;
		if (seen_at(c, j, p->place)) {
			drop_forget(&p->drop);
			continue;
		}
		/* More is known now than when a delivery was interrupted. */
		rc = (p->remarks ? drop_replace : drop_name)(
		    &c->places[p->place], &p->drop, p->name, e);
	}
	return rc;
}

static enum rc
on_file(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j = job_find(c, f->job);
	size_t n;

	if (j == NULL || f->job == 0 || !j->ready ||
	    clerk_files(c, f->job) || c->nfile == CLERK_JOBS_MAX)
		return ipc_bad(e);
	n = j->npapers;
	/* Said with the others of its batch. */
	j->failed = papers_remarks(c, j, f->body, &j->why) != RC_OK ||
	    papers_apart(c, j, n, &j->why) != RC_OK;
	c->file[c->nfile++] = f->job;
	return RC_OK;
}

/* What fails for a place fails for every message of the batch: none of them
 * is delivered before all octets and names are on the disk. */
static enum rc
settle_places(struct clerk *c, const bool *touched, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < CLERK_PLACES_MAX; i++)
		if (touched[i])
			rc = drop_settle(&c->places[i], e);
	return rc;
}

static enum rc
tell_filed(struct clerk *c, uint32_t job, enum rc rc, const struct err *why,
    struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = pack_err(&b, rc, why);

	return ipc_hold(&c->x->keeper, IPC_FILED, job, &b, ok, e);
}

static enum rc
on_settle(struct clerk *c, const struct frame *f, struct err *e)
{
	bool touched[CLERK_PLACES_MAX] = { false };
	struct err all = ERR_INIT, one[CLERK_JOBS_MAX];
	enum rc rc = RC_OK, sync = RC_OK;

	(void)f;
	for (size_t i = 0; sync == RC_OK && i < CLERK_PLACES_MAX; i++)
		if (c->places[i].path != NULL)
			sync = sync_place(c, i, &all);
	for (size_t i = 0; sync == RC_OK && i < c->nfile; i++) {
		one[i] = (struct err)ERR_INIT;
		(void)name_all(c, job_find(c, c->file[i]), touched, &one[i]);
	}
	if (sync == RC_OK)
		sync = settle_places(c, touched, &all);
	for (size_t i = 0; rc == RC_OK && i < c->nfile; i++) {
		const struct err *why = sync != RC_OK ? &all : &one[i];

		rc = tell_filed(c, c->file[i], why->rc, why, e);
		job_drop(c, job_find(c, c->file[i]));
	}
	c->nfile = c->nseen = 0;
	return rc;
}

static enum rc
on_look(struct clerk *c, const struct frame *f, struct err *e)
{
	char token[DROP_TOKEN_BYTES] = "";
	bool there;
	uint8_t answer;
	enum rc rc;

	if (f->body.len != IPC_TOKEN_BYTES)
		return ipc_bad(e);
	token_of(f->body.p, token);
	rc = look(c, token, 0, c->ndeliveries, &there, e);
	answer = there;
	return rc != RC_OK ? rc : chan_send(&c->x->keeper, IPC_FOUND, f->job,
	    &answer, 1, e);
}

static enum rc
on_watch(struct clerk *c, const struct frame *f, struct err *e)
{
	uint8_t answer = (uint8_t)watch_answer(c, f->body);

	return chan_send(&c->x->keeper, IPC_WATCHED, f->job, &answer, 1, e);
}

static enum rc
keeper_frame(struct clerk *c, const struct frame *f, struct err *e)
{
	struct job *j;

	switch ((int)f->type) {
	case IPC_FILE:
		return on_file(c, f, e);
	case IPC_SETTLE:
		return on_settle(c, f, e);
	case IPC_NOTICE:
		return on_notice(c, f, e);
	case IPC_UNSEALED:
		return on_unsealed(c, f, e);
	case IPC_RAW:
	case IPC_RAW_END:
		return on_raw(c, f, e);
	case IPC_LOOK:
		return on_look(c, f, e);
	case IPC_WATCH:
		return on_watch(c, f, e);
	case IPC_BOX_NEXT:
	case IPC_BOX_COMPOSE:
	case IPC_BOX_CHECK:
	case IPC_BOX_TAKE:
	case IPC_BOX_REFUSE:
		return outboxes_frame(c, f, e);
	case IPC_CANCEL:
		if ((j = job_find(c, f->job)) == NULL || f->job == 0 ||
		    clerk_files(c, f->job))
			return ipc_bad(e);
		job_drop(c, j);
		return RC_OK;
	}
	return ipc_bad(e);
}

/* ---- the loop ------------------------------------------------------- */

/* The folders of one delivery, made when they are not there. */
static enum rc
set_up_delivery(struct clerk *c, size_t i, struct err *e)
{
	const struct conf_deliver *d = &c->p->conf->delivers[i];
	const char *const paths[CLERK_USES] = { [CLERK_MAIN] =
	    d->kind == CONF_DELIVER_PIPE ? c->waiting : d->path,
	    [CLERK_ATTACHMENTS] = d->attachments,
	    [CLERK_REMARKS] = d->remarks };
	enum rc rc = RC_OK;

	for (int use = CLERK_MAIN; rc == RC_OK && use < CLERK_USES; use++) {
		struct drop_place *to =
		    &c->places[clerk_place(i, (enum clerk_use)use)];

		to->path = paths[use];
		to->maildir = d->kind == CONF_DELIVER_MAILDIR;
		if (to->path != NULL)
			rc = drop_prepare(to, e);
	}
	return rc;
}

static enum rc
set_up(struct clerk *c, struct err *e)
{
	struct sandbox_path may[CLERK_PLACES_MAX + CLERK_DELIVERIES_MAX +
	    CLERK_OUTBOX_PATHS + 1] = { { NULL, SB_TREE } };
	const struct conf *conf = c->p->conf;
	size_t all = conf->ndelivers + conf->nunsealed, n = 0;
	enum rc rc = outboxes_open(c, may, &n, e);

	if (rc != RC_OK)
		return rc;
	if (c->p->dry_run)
		return sandbox_enter(SB_CLERK, may, e);
	if (all > CLERK_DELIVERIES_MAX)
		return err_set(e, RC_CONF, _("more than %d deliveries"),
		    CLERK_DELIVERIES_MAX);
	/* A file for a command waits beside the store, out of its folder: who
	 * may write here may write all that lies here. */
	if (snprintf(c->waiting, sizeof(c->waiting), "%s/pipe",
	    conf->state) >= (int)sizeof(c->waiting))
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    conf->state);
	for (size_t i = 0; rc == RC_OK && i < all; i++)
		rc = set_up_delivery(c, i, e);
	places_folders(c);
	c->ndeliveries = conf->ndelivers;
	c->nunsealed = conf->nunsealed;
	for (size_t i = 0; i < CLERK_PLACES_MAX; i++)
		if (c->places[i].path != NULL)
			may[n++].path = c->places[i].path;
	for (size_t i = 0; i < conf->ndelivers; i++)
		if (conf->delivers[i].filed != NULL)
			may[n++] = (struct sandbox_path){
			    conf->delivers[i].filed, SB_NAMES };
	if (rc == RC_OK)
		rc = extract_init(e);
	return rc == RC_OK ? sandbox_enter(SB_CLERK, may, e) : rc;
}

/* Until something has come; before that, what was held goes out. */
static enum rc
await(struct clerk *c, struct pollfd p[3], struct err *e)
{
	struct err gone = ERR_INIT;

	if (chan_ready(&c->x->vault) || chan_ready(&c->x->keeper))
		return RC_OK;
	if (chan_flush(&c->x->vault, &gone) != RC_OK)
		chan_close(&c->x->vault);
	/* A keeper that is gone is seen when it is read. */
	(void)chan_unhold(&c->x->keeper, &gone);
	p[0] = (struct pollfd){ c->x->vault.fd, POLLIN, 0 };
	if (chan_pending(&c->x->vault) > 0)
		p[0].events |= POLLOUT;
	p[1] = (struct pollfd){ c->x->keeper.fd, POLLIN, 0 };
	p[2] = (struct pollfd){ c->x->composer.fd, POLLIN, 0 };
	return poll(p, 3, -1) >= 0 || errno == EINTR ? RC_OK :
	    err_sys(e, "poll");
}

/* What the vault said goes first: the keeper may speak of it already.  Not so
 * when it may be more than there is room for: the keeper makes some. */
static enum rc
serve(struct clerk *c, bool *leave, struct err *e)
{
	struct pollfd p[3] = { { -1, 0, 0 }, { -1, 0, 0 }, { -1, 0, 0 } };
	struct err gone = ERR_INIT;
	struct frame f;
	enum rc rc = await(c, p, e);
	bool full;

	if (rc != RC_OK)
		return rc;
	full = job_find(c, 0) == NULL && chan_waiting(&c->x->keeper);
	if (!full && (chan_ready(&c->x->vault) ||
	    (p[0].revents & ~POLLOUT) != 0)) {
		if (chan_recv(&c->x->vault, &f, &gone) == RC_OK)
			return vault_frame(c, &f, e);
		chan_close(&c->x->vault);
	}
	if (p[2].revents != 0)
		return outboxes_pull(c, e);
	if (full || chan_ready(&c->x->keeper) || p[1].revents != 0) {
		if (chan_recv(&c->x->keeper, &f, &gone) == RC_OK)
			return keeper_frame(c, &f, e);
		*leave = true;
	}
	return RC_OK;
}

enum rc
clerk_main(const struct pass *p, struct pass_ends *x, struct err *e)
{
	struct clerk *c = calloc(1, sizeof(*c));
	bool leave = false;
	enum rc rc;

	if (c == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	c->p = p;
	c->x = x;
	rc = set_up(c, e);
	while (rc == RC_OK && !leave)
		rc = serve(c, &leave, e);
	for (size_t i = 0; i < CLERK_JOBS_MAX; i++)
		job_drop(c, &c->jobs[i]);
	outboxes_close(c);
	free(c);
	return rc;
}
