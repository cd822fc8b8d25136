/*
 * The keeper's part of the outboxes: for each group of files that the clerk
 * finds, recipients, seals, one transaction with the keys of the files, then
 * the clerk takes them away.  A crash after the transaction: the keys are
 * known, and the files only go.
 *
 * A file that can never be sent as it is goes to the folder of what is
 * refused; all other trouble leaves it where it is, for the next look.
 */
#include "config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/secret.h"
#include "flow/submission.h"
#include "store/store_outbox.h"

#define AT_ONCE 32		/* then others have their turn */
#define LOOK_S 30		/* `run`: between two looks */
#define TROUBLES_MAX 3		/* of our own: then the look is over */
#define FILES_MAX 64
#define STEM_BYTES 256

/* One look at all outboxes, and where it is. */
struct outlook {
	uint32_t	 box;
	bool		 first;		/* of this box */
	char		 folder[256];	/* the last group */
	struct buf	 stem;
	struct buf	 taken;		/* keys of this box, as runs */
	int64_t		 began_at;
	unsigned	 troubles;
	/* Of this box: */
	unsigned	 nqueued, nleft;
	bool		 pointless;	/* nothing of it can be sent now */
	struct err	 left;		/* why the first was */
};

/* A group as the clerk told of it; all of it lent by the frame's copy. */
struct found {
	struct buf	 frame;
	struct bytes	 key[FILES_MAX];
	size_t		 nkeys;
	uint64_t	 octets;
	struct err	 why;
	uint32_t	 line, oddities, odd_line;
	char		 code[32], odd_code[32];
	uint32_t	 nwhom;
	struct rd	 whom;		/* they stand there */
};

static const struct conf_outbox *
conf_of(const struct keeper *k)
{
	return &k->p->conf->outboxes[k->outlook->box];
}

/* ---- talking with the clerk ------------------------------------------ */

static enum rc
ask(struct keeper *k, enum ipc type, struct buf *b, bool ok, enum ipc answer,
    struct frame *f, struct err *e)
{
	uint32_t job = ++k->job;
	enum rc rc = ipc_put(&k->clerk.c, type, job, b, ok, e);

	if (rc == RC_OK)
		rc = keeper_wait(k, &k->clerk, f, NULL, e);
	if (rc != RC_OK)
		return rc;
	return f->type == answer && f->job == job ? RC_OK : ipc_bad(e);
}

/* One of those that are answered by IPC_BOX_DONE. */
static enum rc
tell(struct keeper *k, enum ipc type, struct buf *b, bool ok, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = ask(k, type, b, ok, IPC_BOX_DONE, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	return unpack_err(&r, e);
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
	if (r->bad || x->nkeys > FILES_MAX)
		return false;
	for (size_t i = 0; i < x->nkeys; i++)
		x->key[i] = unpack_run(r);
	x->nwhom = rd_32(r);
	x->whom = *r;
	return !r->bad;
}

/* ---- what becomes of a group ----------------------------------------- */

static void
event_left(struct keeper *k, const struct err *why)
{
	struct outlook *l = k->outlook;

	if (l->nleft++ == 0 || why->rc == RC_CONF)
		l->left = *why;
	keeper_worse(k, why->rc == RC_CONF ? RC_CONF : RC_TEMP, WHY_NONE);
}

static void
event_refused(struct keeper *k, const struct found *x)
{
	keeper_worse(k, RC_INPUT, WHY_NONE);
	keeper_event(k, k->p->dry_run ? "outbox.would_refuse" :
	    "outbox.refused", "outbox=%s files=%zu line=%u code=%s",
	    conf_of(k)->name, x->nkeys, x->line, x->code);
}

static void
event_odd(struct keeper *k, const struct found *x)
{
	if (x->oddities > 0)
		keeper_event(k, "outbox.odd", "outbox=%s oddities=%u line=%u "
		    "code=%s", conf_of(k)->name, x->oddities, x->odd_line,
		    x->odd_code);
}

/* ${why}: of the vault; or NULL: what the clerk itself found. */
static enum rc
refuse(struct keeper *k, struct found *x, uint32_t line,
    const struct err *why, struct err *e)
{
	struct buf b = BUF_INIT;
	struct err not = ERR_INIT;
	bool ok = buf_add32(&b, line) &&
	    pack_str(&b, why == NULL ? "" : why->text);

	if (why != NULL) {
		x->line = line;
		snprintf(x->code, sizeof(x->code), "recipient");
	}
	if (k->p->dry_run) {
		buf_free(&b);
		event_refused(k, x);
		return RC_OK;
	}
	if (tell(k, IPC_BOX_REFUSE, &b, ok, &not) == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", not.text);
	if (not.rc == RC_OK)
		event_refused(k, x);
	else
		event_left(k, &not);
	return RC_OK;
}

/* Those of ${mask} are queued; that they stay is told, and tried again. */
static enum rc
take(struct keeper *k, const struct found *x, const uint8_t *mask,
    struct err *e)
{
	struct outlook *l = k->outlook;
	struct buf b = BUF_INIT;
	struct err not = ERR_INIT;
	bool ok = buf_add(&b, mask, x->nkeys);

	if (tell(k, IPC_BOX_TAKE, &b, ok, &not) == RC_NOMEM)
		return err_set(e, RC_NOMEM, "%s", not.text);
	if (not.rc != RC_OK) {
		event_left(k, &not);
		return RC_OK;
	}
	for (size_t i = 0; ok && i < x->nkeys; i++)
		ok = mask[i] == 0 ||
		    pack_run(&l->taken, x->key[i].p, x->key[i].len);
	return ok ? RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
}

/* After a crash: ${some} of them were queued by a pass before. */
static enum rc
take_known(struct keeper *k, const struct found *x, bool *some,
    struct err *e)
{
	uint8_t mask[FILES_MAX] = { 0 };
	enum rc rc = RC_OK;
	bool known;

	*some = false;
	for (size_t i = 0; rc == RC_OK && i < x->nkeys; i++) {
		rc = store_outbox_known(k->st, clock_now(), x->key[i],
		    &known, e);
		mask[i] = rc == RC_OK && known;
		*some = *some || mask[i] != 0;
	}
	return rc == RC_OK && *some && !k->p->dry_run ?
	    take(k, x, mask, e) : rc;
}

/* ---- sealing --------------------------------------------------------- */

struct whom {
	bool		shown;
	char		who[GATE_ROUTE_BYTES], other[GATE_ROUTE_BYTES];
	uint32_t	line;
};

/* The name alone, then all that the line says. */
static enum rc
resolve(struct keeper *k, const struct whom *w, struct gate_dest *dest,
    struct err *why)
{
	const char *own = conf_of(k)->from;
	unsigned how = w->shown ? RESOLVE_SHOWN : 0;
	enum rc rc = keeper_resolve(k, how, own, w->who, dest, why);
	struct err again = ERR_INIT;

	if (rc == RC_PERM && why->class == EC_NONE && w->other[0] != '\0' &&
	    strcmp(w->who, w->other) != 0 &&
	    keeper_resolve(k, how, own, w->other, dest, &again) == RC_OK) {
		*why = (struct err)ERR_INIT;
		rc = RC_OK;
	}
	return rc;
}

/* "demo/labo@labo.example#1" to "labo@labo.example". */
static void
address_of(const char *id, char out[GATE_ID_BYTES])
{
	const char *slash = strchr(id, '/');

	snprintf(out, GATE_ID_BYTES, "%s", slash == NULL ? id : slash + 1);
	out[strcspn(out, "#")] = '\0';
}

static enum rc
compose(struct keeper *k, uint32_t n, const struct gate_dest *dest,
    struct submission *s, struct err *e)
{
	char from[GATE_ID_BYTES], to[GATE_ID_BYTES], date[CLOCK_5322_BYTES];
	char id[WRAP_ID_BYTES];
	uint8_t rnd[WRAP_RANDOM_BYTES];
	struct buf b = BUF_INIT;
	bool ok;

	address_of(dest->own, from);
	address_of(dest->name, to);
	snprintf(s->notice_to, sizeof(s->notice_to), "%s", from);
	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(k->p->conf->route, rnd, id);
	clock_5322(clock_now(), date);
	ok = buf_add32(&b, n) && pack_str(&b, from) && pack_str(&b, to) &&
	    pack_str(&b, date) && pack_str(&b, id);
	return tell(k, IPC_BOX_COMPOSE, &b, ok, e);
}

/* One message of the group; all results are about it alone. */
static enum rc
seal_one(struct keeper *k, uint32_t n, const struct gate_dest *dest,
    struct submission *s, struct err *why)
{
	struct buf none = BUF_INIT;
	enum rc rc;

	if ((rc = compose(k, n, dest, s, why)) != RC_OK ||
	    (rc = submission_add(k, s, dest, why)) != RC_OK ||
	    (rc = submission_seal(k, s, why)) != RC_OK)
		return rc;
	return tell(k, IPC_BOX_CHECK, &none, true, why);
}

static enum rc
next_whom(struct found *x, struct whom *w, struct err *e)
{
	w->shown = rd_8(&x->whom) != 0;
	unpack_str(&x->whom, w->who, sizeof(w->who));
	unpack_str(&x->whom, w->other, sizeof(w->other));
	w->line = rd_32(&x->whom);
	return x->whom.bad ? ipc_bad(e) : RC_OK;
}

static void
would_send(struct keeper *k, const struct found *x,
    const struct gate_dest *dest)
{
	keeper_event(k, "outbox.would_send", "outbox=%s to=%s files=%zu "
	    "octets=%llu", conf_of(k)->name, dest->name, x->nkeys,
	    (unsigned long long)x->octets);
}

/* What the vault says of the recipient: never, or not now? */
static bool
is_never(const struct err *why)
{
	return why->rc == RC_PERM && why->class != EC_NOKEY;
}

/* All of its messages, as far as ${why} is RC_OK; ${line}: whose recipient
 * ${why} is about, ${never}: it will be so next time too. */
static enum rc
seal_all(struct keeper *k, struct found *x, struct submission *s,
    uint32_t *line, bool *never, struct err *why, struct err *e)
{
	struct gate_dest dest;
	struct whom w;

	for (uint32_t i = 0; i < x->nwhom && why->rc == RC_OK; i++) {
		if (next_whom(x, &w, e) != RC_OK)
			return e->rc;
		*line = w.line;
		if (resolve(k, &w, &dest, why) != RC_OK)
			*never = is_never(why);
		if (why->rc == RC_CONF)
			k->outlook->pointless = true;
		else if (why->rc != RC_OK)
			break;
		else if (k->p->dry_run)
			would_send(k, x, &dest);
		else
			(void)seal_one(k, i, &dest, s, why);
	}
	return why->rc == RC_NOMEM ? err_set(e, RC_NOMEM, "%s", why->text) :
	    RC_OK;
}

static enum rc
promise(struct keeper *k, const struct found *x, struct submission *s,
    struct err *why, struct err *e)
{
	uint8_t mask[FILES_MAX];
	int64_t id = 0;

	FAULT("outbox.queue.before");
	if (submission_promise(k, s, x->key, x->nkeys, &id, why) != RC_OK) {
		k->outlook->troubles++;
		return RC_OK;
	}
	FAULT("outbox.queue.after");
	k->outlook->nqueued++;
	k->out_more = true;
	memset(mask, 1, sizeof(mask));
	return take(k, x, mask, e);
}

static enum rc
send_group(struct keeper *k, struct found *x, struct err *e)
{
	struct submission s;
	struct err why = ERR_INIT;
	uint32_t line = 0;
	bool never = false;
	enum rc rc = submission_new(&s, x->nwhom + 1, e);

	if (rc == RC_OK)
		rc = seal_all(k, x, &s, &line, &never, &why, e);
	if (rc == RC_OK && why.rc == RC_OK && !k->p->dry_run)
		rc = promise(k, x, &s, &why, e);
	submission_free(k, &s);
	if (rc != RC_OK)
		return rc;
	if (never)
		return refuse(k, x, line, &why, e);
	if (why.rc != RC_OK)
		event_left(k, &why);
	else
		event_odd(k, x);
	return RC_OK;
}

static enum rc
serve_group(struct keeper *k, struct found *x, struct err *e)
{
	bool known = false;
	enum rc rc = take_known(k, x, &known, e);

	/* What else is of that name is looked at next time. */
	if (rc != RC_OK || known)
		return rc;
	if (x->why.rc == RC_INPUT)
		return refuse(k, x, x->line, NULL, e);
	if (x->why.rc != RC_OK) {
		event_left(k, &x->why);
		return RC_OK;
	}
	return send_group(k, x, e);
}

/* ---- the look -------------------------------------------------------- */

/* Keys of files that are there no more: of those taken just now, and of those
 * that a crash left and this look has not seen. */
static enum rc
forget(struct keeper *k, struct bytes prefix, bool whole, struct err *e)
{
	struct outlook *l = k->outlook;
	struct rd r = rd_of(l->taken.p, l->taken.len);
	enum rc rc = RC_OK;

	if (k->p->dry_run || !whole)
		return RC_OK;
	while (rc == RC_OK && r.left > 0) {
		struct bytes key[FILES_MAX];
		size_t n = 0;

		while (n < FILES_MAX && r.left > 0)
			key[n++] = unpack_run(&r);
		rc = store_outbox_forget(k->st, key, n, e);
	}
	return rc == RC_OK && prefix.len > 0 ? store_outbox_sweep(k->st,
	    prefix, l->began_at, e) : rc;
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
	const char *name = conf_of(k)->name;

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
		err_ctx(&why, "outbox %s", conf_of(k)->name);
		keeper_fault(k, "outbox.trouble", why.rc, WHY_LOCAL, &why);
	}
	say_box(k);
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
	enum rc rc = ask(k, IPC_BOX_NEXT, &b, ok, IPC_BOX_FOUND, &f, e);

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
		rc = found_unpack(l, &r, &x) ? serve_group(k, &x, e) :
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

/* Names that are nothing to us cost a look, no process. */
static bool
may_have_some(const struct conf_outbox *o)
{
	size_t len = strlen(o->path);
	struct dirent *d;
	bool some = false;
	DIR *dir = opendir(o->path);

	if (dir == NULL)
		return true;	/* the clerk says why */
	while (!some && (d = readdir(dir)) != NULL) {
		const char *n = d->d_name;

		some = strcmp(n, ".") != 0 && strcmp(n, "..") != 0 &&
		    !(strncmp(o->refused, o->path, len) == 0 &&
		    o->refused[len] == '/' &&
		    strcmp(o->refused + len + 1, n) == 0) &&
		    !(o->sent != NULL && strncmp(o->sent, o->path, len) == 0 &&
		    o->sent[len] == '/' && strcmp(o->sent + len + 1, n) == 0);
	}
	closedir(dir);
	return some;
}

static enum rc
begin(struct keeper *k, struct err *e)
{
	const struct conf *c = k->p->conf;
	bool some = false;

	for (size_t i = 0; !some && i < c->noutboxes; i++)
		some = may_have_some(&c->outboxes[i]);
	k->outbox_more = some;
	k->outbox_at = clock_now() + LOOK_S;
	if (!some)
		return RC_OK;
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
	k->outbox_at = clock_now() + LOOK_S;
	if (k->outlook == NULL)
		return;
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
