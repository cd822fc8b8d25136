/*
 * The keeper looks into the outboxes: it asks the clerk for one group of
 * files after the other, keeper_outgroup.c says what becomes of it.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "flow/keeper_outbox.h"
#include "flow/outaway.h"
#include "store/store_outbox.h"

#define AT_ONCE 32		/* then others have their turn */
#define LOOK_S 5		/* `run`: between two looks */
#define WAIT_S 60		/* the same when something was left */
#define TROUBLES_MAX 3		/* of our own: then the look is over */
#define GONE_S 3600		/* any disk knows by then what has gone */

/* ---- talking with the clerk ------------------------------------------ */

enum rc
outlook_ask(struct keeper *k, enum ipc type, struct buf *b, bool ok,
    enum ipc answer, struct frame *f, struct err *e)
{
	uint32_t job = ++k->job;
	enum rc rc = ipc_put(&k->clerk.c, type, job, b, ok, e);

	return rc == RC_OK ?
	    keeper_answer(k, &k->clerk, answer, job, f, e) : rc;
}

void
outlook_left(struct keeper *k, const struct err *why)
{
	struct outlook *l = k->outlook;

	l->waits = true;
	if (l->nleft++ == 0 || why->rc == RC_CONF)
		l->left = *why;
	keeper_worse(k, why->rc == RC_CONF ? RC_CONF : RC_TEMP, WHY_NONE);
}

static bool
found_unpack(struct outlook *l, struct rd *r, struct found *x)
{
	struct bytes stem;

	unpack_str(r, l->folder, sizeof(l->folder));
	stem = unpack_run(r);
	buf_wipe(&l->stem);
	if (!buf_add(&l->stem, stem.p, stem.len))
		return false;
	x->octets = rd_64(r);
	(void)unpack_err(r, &x->why);
	x->line = rd_32(r);
	unpack_str(r, x->code, sizeof(x->code));
	x->oddities = rd_32(r);
	x->odd_line = rd_32(r);
	unpack_str(r, x->odd_code, sizeof(x->odd_code));
	x->nkeys = rd_32(r);
	if (r->bad || x->nkeys > OUTFILES_MAX)
		return false;
	for (size_t i = 0; i < x->nkeys; i++)
		x->key[i] = unpack_run(r);
	x->nwhom = rd_32(r);
	x->whom = *r;
	return !r->bad;
}

/* ---- the look -------------------------------------------------------- */

/* Keys of files that are there no more: of those taken just now, and of those
 * that a crash left and no look has seen for so long.  That these are gone was
 * put on the disk by nobody: a power cut can bring them back. */
static enum rc
forget(struct keeper *k, struct bytes prefix, bool whole, struct err *e)
{
	struct outlook *l = k->outlook;
	struct rd r = rd_of(l->taken.p, l->taken.len);
	enum rc rc = RC_OK;

	if (k->p->dry_run || !whole)
		return RC_OK;
	while (rc == RC_OK && r.left > 0) {
		struct bytes key[OUTFILES_MAX];
		size_t n = 0;

		while (n < OUTFILES_MAX && r.left > 0)
			key[n++] = unpack_run(&r);
		rc = store_outbox_forget(k->st, key, n, e);
	}
	return rc == RC_OK && prefix.len > 0 ? store_outbox_sweep(k->st,
	    prefix, l->began_at - GONE_S, e) : rc;
}

static void
next_box(struct outlook *l)
{
	l->box++;
	l->first = true;
	l->folder[0] = '\0';
	l->nqueued = l->nleft = 0;
	l->pointless = false;
	l->left = (struct err)ERR_INIT;
	buf_wipe(&l->stem);
	buf_wipe(&l->taken);
}

/* Many files of one trouble are told once. */
static void
say_box(struct keeper *k)
{
	const struct outlook *l = k->outlook;
	const char *name = outlook_conf(k)->name;

	if (l->nleft > 0)
		keeper_event(k, "outbox.left", "outbox=%s groups=%u "
		    "why=\"%.200s\"", name, l->nleft, l->left.text);
	if (l->nqueued > 0)
		keeper_event(k, "outbox.queued", "outbox=%s groups=%u", name,
		    l->nqueued);
}

/* BOX_END: box(4) prefix whole(1) error. */
static enum rc
on_end(struct keeper *k, struct rd *r, struct err *e)
{
	struct outlook *l = k->outlook;
	struct bytes prefix = unpack_run(r);
	bool whole = rd_8(r) != 0;
	struct err why = ERR_INIT;
	enum rc rc;

	(void)unpack_err(r, &why);
	if (!rd_done(r))
		return ipc_bad(e);
	if (why.rc != RC_OK) {
		err_ctx(&why, _("outbox %s"), outlook_conf(k)->name);
		l->waits = true;
	}
	rc = follow_outbox(k, outlook_conf(k)->name, &why, e);
	say_box(k);
	if (rc == RC_OK)
		rc = forget(k, prefix, whole, e);
	next_box(l);
	return rc;
}

/* ${over}: that was the last of the last. */
static enum rc
serve_next(struct keeper *k, bool *over, struct err *e)
{
	struct outlook *l = k->outlook;
	struct found x = { .nkeys = 0 };
	struct buf b = BUF_INIT;
	struct frame f;
	struct rd r;
	uint8_t what;
	bool ok = buf_add8(&b, l->first) && buf_add32(&b, l->box) &&
	    pack_str(&b, l->folder) && pack_run(&b, l->stem.p, l->stem.len);
	enum rc rc = outlook_ask(k, IPC_BOX_NEXT, &b, ok, IPC_BOX_FOUND, &f, e);

	if (rc != RC_OK)
		return rc;
	l->first = false;
	if (!buf_add(&x.frame, f.body.p, f.body.len))
		return err_set(e, RC_NOMEM, _("no memory left"));
	r = rd_of(x.frame.p, x.frame.len);
	what = rd_8(&r);
	*over = what == BOX_NONE;
	if (*over)
		rc = RC_OK;
	else if (rd_32(&r) != l->box || r.bad)
		rc = ipc_bad(e);
	else if (what == BOX_END)
		rc = on_end(k, &r, e);
	else
		rc = found_unpack(l, &r, &x) ? outgroup_serve(k, &x, e) :
		    ipc_bad(e);
	/* The operator must act first: the rest of this box would say the
	 * same. */
	if (rc == RC_OK && l->pointless) {
		say_box(k);
		next_box(l);
	}
	buf_free(&x.frame);
	return rc;
}

/* Vault or clerk has died, perhaps of this very group: on behind it. */
static void
trouble(struct keeper *k, const struct err *why)
{
	bool died = k->vault.done || k->clerk.done;

	keeper_fault(k, died && why->rc != RC_CONF ? "process.died" :
	    "outbox.trouble", why->rc, WHY_LOCAL, why);
	keeper_rest(k);
	/* The next clerk syncs the folders of what it finds itself. */
	buf_wipe(&k->outlook->taken);
	k->outlook->waits = true;
	k->outlook->troubles += why->rc == RC_CONF ? TROUBLES_MAX : 1;
}

static enum rc
look_once(struct keeper *k, bool *over, struct err *e)
{
	struct err why = ERR_INIT;

	if (keeper_need_vault(k, &why) == RC_OK &&
	    serve_next(k, over, &why) == RC_OK &&
	    (k->vault.done || k->clerk.done))
		why = k->outlook->left;
	if (why.rc == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", why.text);
	if (why.rc != RC_OK)
		trouble(k, &why);
	return RC_OK;
}

/* One of ours: ${path} is that name in the folder of the outbox. */
static bool
is_that(const struct conf_outbox *o, const char *path, const char *name)
{
	size_t len = strlen(o->path);

	return path != NULL && strncmp(path, o->path, len) == 0 &&
	    path[len] == '/' && strcmp(path + len + 1, name) == 0;
}

static bool
is_nothing(const struct conf_outbox *o, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(name, OUTAWAY_HIDDEN, strlen(OUTAWAY_HIDDEN)) == 0)
		return false;
	return file_temporary(name) || is_that(o, o->refused, name) ||
	    is_that(o, o->sent, name) || is_that(o, o->aliases, name) ||
	    (o->ready == CONF_READY_OK && len > 3 &&
	    strcasecmp(name + len - 3, ".ok") == 0);
}

/* Names that are nothing to us cost a look, no process.  Takes ${fd}; what
 * cannot be listed is a file, or the clerk says what it is. */
static bool
may_have_some(const struct conf_outbox *o, int fd, bool top)
{
	bool below = top && o->to == NULL && o->route == CONF_OUTBOX_FOLDER;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	bool some = dir == NULL;

	if (dir == NULL && fd >= 0)
		close(fd);
	while (!some && dir != NULL && (d = readdir(dir)) != NULL)
		some = !is_nothing(o, d->d_name) && (!below ||
		    may_have_some(o, openat(fd, d->d_name, O_RDONLY |
		    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), false));
	if (dir != NULL)
		closedir(dir);
	return some;
}

static enum rc
begin(struct keeper *k, struct err *e)
{
	const struct conf *c = k->p->conf;
	const struct err fine = ERR_INIT;
	enum rc rc = RC_OK;
	bool some = false;

	for (size_t i = 0; !some && i < c->noutboxes; i++)
		some = may_have_some(&c->outboxes[i],
		    open(c->outboxes[i].path, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC), true);
	k->outbox_more = some;
	k->outbox_at = clock_now() + LOOK_S;
	for (size_t i = 0; rc == RC_OK && !some && i < c->noutboxes; i++)
		rc = follow_outbox(k, c->outboxes[i].name, &fine, e);
	if (rc != RC_OK || !some)
		return rc;
	if ((k->outlook = calloc(1, sizeof(*k->outlook))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	k->outlook->first = true;
	k->outlook->began_at = clock_now();
	return RC_OK;
}

void
outbox_end(struct keeper *k)
{
	k->outbox_more = false;
	if (k->outlook == NULL)
		return;
	k->outbox_at = clock_now() + (k->outlook->waits ? WAIT_S : LOOK_S);
	buf_free(&k->outlook->stem);
	buf_free(&k->outlook->taken);
	free(k->outlook);
	k->outlook = NULL;
}

enum rc
outbox_look(struct keeper *k, bool *some, struct err *e)
{
	bool over = false;
	enum rc rc = RC_OK;

	if (k->outlook == NULL && ((rc = begin(k, e)) != RC_OK ||
	    !k->outbox_more))
		return rc;
	*some = true;
	for (unsigned i = 0; rc == RC_OK && i < AT_ONCE && !over &&
	    !k->stop && k->outlook->troubles < TROUBLES_MAX; i++)
		rc = look_once(k, &over, e);
	/* Our own trouble, three times: it is not the files'. */
	if (rc == RC_OK && !over && k->outlook->troubles >= TROUBLES_MAX) {
		say_box(k);
		over = true;
	}
	if (over)
		outbox_end(k);
	return rc;
}
