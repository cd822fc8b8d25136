/*
 * The clerk's part of the outboxes: it finds, reads, checks, composes, and
 * takes away.  The keeper asks for one group of files after the other, and
 * the vault pulls the mail made of them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "flow/clerk_outbox.h"
#include "flow/composer.h"
#include "flow/outaway.h"

/* ---- before the sandbox ---------------------------------------------- */

static enum rc
prepare(struct clerk *c, size_t i, struct err *e)
{
	const struct conf_outbox *o = &c->p->conf->outboxes[i];
	enum rc rc = RC_OK;

	if (o->aliases != NULL)
		rc = alias_load(o->aliases, &c->outboxes->aliases[i], e);
	if (rc != RC_OK || c->p->dry_run)
		return rc;
	rc = outaway_prepare(o->refused, o->path, e);
	if (rc == RC_OK && o->after == CONF_OUTBOX_MOVE)
		rc = outaway_prepare(o->sent, o->path, e);
	return rc;
}

enum rc
outboxes_open(struct clerk *c, struct sandbox_path *may, size_t *n,
    struct err *e)
{
	const struct conf *conf = c->p->conf;
	const enum sandbox_may how = c->p->dry_run ? SB_READ : SB_TREE;

	if (conf->noutboxes == 0 || c->p->kind != PASS_POLL)
		return RC_OK;
	if (conf->noutboxes > OUTBOXES_MAX)
		return err_set(e, RC_CONF, _("more than %d outboxes"),
		    OUTBOXES_MAX);
	if ((c->outboxes = calloc(1, sizeof(*c->outboxes))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	c->outboxes->scan.fd = -1;
	for (size_t i = 0; i < conf->noutboxes; i++) {
		const struct conf_outbox *o = &conf->outboxes[i];

		if (prepare(c, i, &c->outboxes->bad[i]) == RC_NOMEM)
			return err_set(e, RC_NOMEM, _("no memory left"));
		may[(*n)++] = (struct sandbox_path){ o->path, how };
		if (c->p->dry_run)
			continue;
		may[(*n)++] = (struct sandbox_path){ o->refused, how };
		if (o->after == CONF_OUTBOX_MOVE)
			may[(*n)++] = (struct sandbox_path){ o->sent, how };
	}
	return RC_OK;
}

void
outboxes_close(struct clerk *c)
{
	if (c->outboxes == NULL)
		return;
	outjob_close(&c->outboxes->job);
	if (c->outboxes->scanning)
		outscan_close(&c->outboxes->scan);
	for (size_t i = 0; i < OUTBOXES_MAX; i++)
		alias_free(&c->outboxes->aliases[i]);
	free(c->outboxes);
	c->outboxes = NULL;
}

/* ---- what is found --------------------------------------------------- */

/* Which outbox a key is of: its name, and the very folder. */
static bool
add_prefix(struct buf *b, const struct outscan *s)
{
	return buf_add(b, s->conf->name, strlen(s->conf->name) + 1) &&
	    buf_add64(b, s->ino);
}

static bool
pack_key(struct buf *b, const struct outscan *s, const struct outdoc *d)
{
	struct buf key = BUF_INIT;
	bool ok = add_prefix(&key, s) && buf_adds(&key, d->e->folder) &&
	    buf_add8(&key, '\0') && buf_add64(&key, d->id.ino) &&
	    buf_add64(&key, (uint64_t)d->id.mtime_ns) &&
	    buf_add64(&key, d->id.size) && pack_run(b, key.p, key.len);

	buf_free(&key);
	return ok;
}

static bool
pack_whom(struct buf *b, const struct outjob *j)
{
	bool ok = buf_add32(b, (uint32_t)j->nwhom);

	for (size_t i = 0; ok && i < j->nwhom; i++)
		ok = buf_add8(b, j->whom[i].shown) &&
		    pack_str(b, j->whom[i].who) &&
		    pack_str(b, j->whom[i].other) &&
		    buf_add32(b, j->whom[i].line);
	return ok;
}

/* BOX_GROUP: box(4) folder stem octets(8), what is wrong, its line(4) and
 * code, oddities(4), line(4) and code of the first, files(4) keys, messages(4)
 * each with shown(1) who other line(4). */
static bool
pack_group(struct buf *b, const struct outroom *r, const struct outjob *j)
{
	const struct outscan_entry *x = j->g.entry;
	bool ok = buf_add8(b, BOX_GROUP) && buf_add32(b, (uint32_t)r->box) &&
	    pack_str(b, x->folder) && pack_run(b, x->name, x->stem) &&
	    buf_add64(b, j->octets) && pack_err(b, j->why.rc, &j->why) &&
	    buf_add32(b, j->line) && pack_str(b, j->code) &&
	    buf_add32(b, j->oddities) && buf_add32(b, j->odd_line) &&
	    pack_str(b, j->odd_code) && buf_add32(b, (uint32_t)j->ndocs);

	for (size_t i = 0; ok && i < j->ndocs; i++)
		ok = pack_key(b, &r->scan, &j->doc[i]);
	return ok && pack_whom(b, j);
}

/* Names that went are gone for good before their keys are forgotten. */
static void
sync_folders(const struct outscan *s)
{
	const char *last = NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct err ignored = ERR_INIT;
		int fd = -1;

		if (last != NULL && strcmp(last, s->entry[i].folder) == 0)
			continue;
		last = s->entry[i].folder;
		if (outscan_folder(s, last, &fd, &ignored) == RC_OK) {
			(void)file_sync(fd);
			close(fd);
		}
	}
}

static enum rc
end_box(struct clerk *c, uint32_t job, const struct err *why, struct err *e)
{
	struct outroom *r = c->outboxes;
	struct buf b = BUF_INIT, prefix = BUF_INIT;
	bool whole = why->rc == RC_OK && r->scanning && !r->scan.cut &&
	    r->scan.trouble.rc == RC_OK, ok = true;

	if (whole && !c->p->dry_run)
		sync_folders(&r->scan);
	if (why->rc == RC_OK && r->scanning)
		why = &r->scan.trouble;
	if (why->rc == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", why->text);
	if (r->scanning)
		ok = add_prefix(&prefix, &r->scan);
	ok = ok && buf_add8(&b, BOX_END) &&
	    buf_add32(&b, (uint32_t)r->box) &&
	    pack_run(&b, prefix.p, prefix.len) && buf_add8(&b, whole) &&
	    pack_err(&b, why->rc, why);
	buf_free(&prefix);
	return ipc_send(&c->x->keeper, IPC_BOX_FOUND, job, &b, ok, e);
}

/* Another scan than the last: from there on. */
static enum rc
scan(struct clerk *c, size_t box, const char *folder, struct bytes stem,
    bool first, struct err *e)
{
	struct outroom *r = c->outboxes;
	enum rc rc;

	if (r->scanning && r->box == box && !first)
		return RC_OK;
	if (r->scanning)
		outscan_close(&r->scan);
	r->scanning = true;
	r->box = box;
	rc = outscan_open(&r->scan, &c->p->conf->outboxes[box],
	    c->p->dry_run, e);
	if (rc == RC_OK && !first)
		rc = outscan_seek(&r->scan, folder, stem, e);
	return rc;
}

/* IPC_BOX_NEXT: first(1) box(4) folder stem. */
static enum rc
on_next(struct clerk *c, const struct frame *f, struct err *e)
{
	struct outroom *r = c->outboxes;
	struct rd rd = rd_of(f->body.p, f->body.len);
	bool first = rd_8(&rd) != 0, ok;
	size_t box = rd_32(&rd);
	char folder[256];
	struct bytes stem;
	struct buf b = BUF_INIT;
	struct err why;

	unpack_str(&rd, folder, sizeof(folder));
	stem = unpack_run(&rd);
	if (!rd_done(&rd))
		return ipc_bad(e);
	outjob_close(&r->job);
	if (box >= c->p->conf->noutboxes)
		return ipc_send(&c->x->keeper, IPC_BOX_FOUND, f->job, &b,
		    buf_add8(&b, BOX_NONE), e);
	why = r->bad[box];
	if (why.rc == RC_OK)
		(void)scan(c, box, folder, stem, first, &why);
	else
		r->box = box;
	if (why.rc == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", why.text);
	if (why.rc != RC_OK || !outscan_next(&r->scan, &r->job.g))
		return end_box(c, f->job, &why, e);
	FAULT("outbox.read");
	if (outjob_open(r, c->p, &r->job, e) != RC_OK)
		return e->rc;
	ok = pack_group(&b, r, &r->job);
	return ipc_send(&c->x->keeper, IPC_BOX_FOUND, f->job, &b, ok, e);
}

/* ---- what is to be done with it -------------------------------------- */

/* IPC_BOX_COMPOSE: n(4) from to date message-id. */
static enum rc
do_compose(struct clerk *c, const struct frame *f, struct err *e)
{
	struct outjob *j = &c->outboxes->job;
	struct rd rd = rd_of(f->body.p, f->body.len);
	uint32_t n = rd_32(&rd);

	unpack_str(&rd, j->from, sizeof(j->from));
	unpack_str(&rd, j->to, sizeof(j->to));
	unpack_str(&rd, j->date, sizeof(j->date));
	unpack_str(&rd, j->message_id, sizeof(j->message_id));
	if (!rd_done(&rd) || n >= j->nwhom)
		return ipc_bad(e);
	return outjob_compose(c->outboxes, j, n, e);
}

/* IPC_BOX_REFUSE: line(4) why; none: what the clerk itself has found. */
static enum rc
do_refuse(struct clerk *c, const struct frame *f, struct err *e)
{
	struct outjob *j = &c->outboxes->job;
	struct rd rd = rd_of(f->body.p, f->body.len);
	uint32_t line = rd_32(&rd);
	char why[ERR_TEXT_BYTES];

	unpack_str(&rd, why, sizeof(why));
	if (!rd_done(&rd))
		return ipc_bad(e);
	if (why[0] != '\0' && !outjob_wrong(j, j->report > 0 ? j->report - 1 :
	    0, line, "recipient", why))
		return err_set(e, RC_NOMEM, _("no memory left"));
	return outjob_refuse(c->outboxes, j, e);
}

enum rc
outboxes_frame(struct clerk *c, const struct frame *f, struct err *e)
{
	struct err why = ERR_INIT;
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;
	bool ok;

	if (c->outboxes == NULL)
		return ipc_bad(e);
	if (f->type == IPC_BOX_NEXT)
		return on_next(c, f, e);
	if (!c->outboxes->job.begun)
		return ipc_bad(e);
	if (f->type == IPC_BOX_COMPOSE)
		rc = do_compose(c, f, &why);
	else if (f->type == IPC_BOX_CHECK)
		rc = outjob_check(c->outboxes, &c->outboxes->job, &why);
	else if (f->type == IPC_BOX_TAKE)
		rc = outjob_take(c->outboxes, &c->outboxes->job, f->body,
		    &why);
	else
		rc = do_refuse(c, f, &why);
	if (rc == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", why.text);
	ok = pack_err(&b, rc, &why);
	return ipc_send(&c->x->keeper, IPC_BOX_DONE, f->job, &b, ok, e);
}

static enum rc
push_end(const struct clerk *c, const struct outjob *j, struct chan *vault,
    struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = !c->p->conf->register_patients ||
	    (buf_add32(&b, j->nforms) &&
	    buf_add(&b, j->forms.p, j->forms.len));

	return ipc_send(vault, IPC_PUSHED, 0, &b, ok, e);
}

/* What cannot be read is told when the keeper asks: what the vault got is
 * then thrown away. */
enum rc
outboxes_pull(struct clerk *c, struct err *e)
{
	struct chan *vault = &c->x->composer;
	struct err gone = ERR_INIT;
	struct outjob *j;
	struct frame f;
	enum rc rc;

	if (chan_recv(vault, &f, &gone) != RC_OK) {
		chan_close(vault);
		return RC_OK;
	}
	if (f.type != IPC_PULL || c->outboxes == NULL ||
	    c->outboxes->job.mail.nparts == 0)
		return ipc_bad(e);
	j = &c->outboxes->job;
	FAULT("outbox.pull");
	if (outmail_write(&j->mail, (struct sink){ composer_push, vault },
	    &gone) != RC_OK)
		j->pulled = gone;
	FAULT("outbox.pulled");
	if ((rc = push_end(c, j, vault, &gone)) == RC_NOMEM)
		return err_set(e, rc, "%s", gone.text);
	if (rc != RC_OK)
		chan_close(vault);
	return RC_OK;
}
