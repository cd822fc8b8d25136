/*
 * fetch: one account, no key.  It lists, fetches what the keeper wants, finds
 * the envelope in each mail and hands over its octets; later it releases what
 * the keeper says is safe.  What strangers wrote is read here and nowhere
 * nearer to the keys.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/lang.h"
#include "base/sandbox.h"
#include "conf/cred.h"
#include "flow/ipc.h"
#include "flow/pass.h"
#include "mail/find.h"
#include "wire/source.h"

#define LIST_BYTES (32 * 1024)	/* ids gathered into one frame */

struct fetch {
	const struct pass		*p;
	const struct conf_account	*account;
	struct chan			*keeper;
	struct source			*s;
	struct buf			 out;	/* of a frame, gathered */
	struct find			 find;
	struct err			 found;	/* the finder's complaint */
	bool				 raw;	/* not to be looked into */
	bool				 first_us;	/* hear our goodbye */
};

static enum rc
gathered(struct fetch *f, enum ipc type, struct err *e)
{
	enum rc rc = RC_OK;

	if (f->out.len > 0)
		rc = chan_send(f->keeper, (uint8_t)type, 0, f->out.p,
		    f->out.len, e);
	buf_wipe(&f->out);
	return rc;
}

static enum rc
list_one(void *arg, struct bytes id, uint64_t size, struct err *e)
{
	struct fetch *f = arg;

	if (!buf_add64(&f->out, size) || !pack_run(&f->out, id.p, id.len))
		return err_set(e, RC_NOMEM, _("no memory left"));
	return f->out.len < LIST_BYTES ? RC_OK : gathered(f, IPC_LIST, e);
}

static enum rc
list(struct fetch *f, struct bytes after, struct err *e)
{
	enum rc rc = source_list(f->s, after, list_one, f, e);
	struct buf b = BUF_INIT;

	if (rc == RC_OK)
		rc = gathered(f, IPC_LIST, e);
	return rc != RC_OK ? rc : ipc_send(f->keeper, IPC_LISTED, 0, &b,
	    buf_add64(&b, source_info(f->s)->nameless), e);
}

static enum rc
body_put(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	struct fetch *f = arg;

	return chan_hold(f->keeper, IPC_BODY, 0, p, len, e);
}

static enum rc
mail_begin(void *arg, struct err *e)
{
	struct fetch *f = arg;

	if (f->raw)
		return chan_hold(f->keeper, IPC_BEGIN, 0, NULL, 0, e);
	FAULT("fetch.mail.begin");
	f->found = (struct err)ERR_INIT;
	find_init(&f->find, (struct sink){ body_put, f },
	    f->p->conf->max_receive);
	return chan_hold(f->keeper, IPC_BEGIN, 0, NULL, 0, e);
}

/* In frames of a good size, however it comes. */
static enum rc
raw_put(struct fetch *f, const uint8_t *p, size_t len, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && len > 0) {
		size_t n = LIST_BYTES - f->out.len;

		n = n < len ? n : len;
		if (!buf_add(&f->out, p, n))
			return err_nomem(e);
		if (f->out.len == LIST_BYTES)
			rc = gathered(f, IPC_BODY, e);
		p += n;
		len -= n;
	}
	return rc;
}

/* What the finder refuses is this mail's trouble; the rest of it is read and
 * dropped, so that the protocol stays in step. */
static enum rc
mail_data(void *arg, const void *p, size_t len, struct err *e)
{
	struct fetch *f = arg;
	struct err why = ERR_INIT;
	enum rc rc;

	if (f->raw)
		return raw_put(f, p, len, e);
	if (f->found.rc != RC_OK)
		return RC_OK;
	if ((rc = find_add(&f->find, p, len, &why)) == RC_OK)
		return RC_OK;
	if (rc == RC_INPUT) {
		f->found = why;
		return RC_OK;
	}
	return err_set(e, rc, "%s", why.text);
}

static enum fetched
fetched_as(struct fetch *f, enum source_got got, struct err *why)
{
	enum find_result result = FIND_NONE;

	switch (got) {
	case SOURCE_GOT:
		break;
	case SOURCE_GONE:
		return FETCHED_GONE;
	case SOURCE_UNREADABLE:
		return FETCHED_REFUSED;
	case SOURCE_TOO_BIG:
		err_class(why, EC_TOOBIG, "%s", err_class_say(EC_TOOBIG));
		return FETCHED_TOOBIG;
	}
	if (f->raw)
		return FETCHED_UNSEALED;
	*why = f->found;
	if (why->rc == RC_OK)
		(void)find_end(&f->find, &result, why);
	if (why->rc != RC_OK)
		return why->class == EC_TOOBIG ? FETCHED_TOOBIG :
		    FETCHED_FORMAT;
	return result == FIND_ONE ? FETCHED_SEALED : FETCHED_UNSEALED;
}

static enum rc
mail_end(void *arg, struct bytes id, enum source_got got, struct err *e)
{
	struct fetch *f = arg;
	struct err why = ERR_INIT;
	struct buf b = BUF_INIT;
	enum fetched as = fetched_as(f, got, &why);
	bool known = got == SOURCE_GOT && !f->raw, ok;
	enum rc rc;

	if (f->raw && (rc = gathered(f, IPC_BODY, e)) != RC_OK)
		return rc;
	ok = buf_add8(&b, (uint8_t)as) && pack_run(&b, id.p, id.len) &&
	    pack_str(&b, why.text) &&
	    pack_str(&b, known ? find_message_id(&f->find) : "") &&
	    pack_str(&b, known ? find_from(&f->find) : "");
	FAULT("fetch.mail.end");
	FAULT_OF("fetch.mail", known ? find_message_id(&f->find) : "");
	return ipc_hold(f->keeper, IPC_END, 0, &b, ok, e);
}

/* Runs of ids in a frame; lent from it. RC_INPUT never: ours are sound. */
static enum rc
ids_of(struct rd *r, struct bytes *ids, size_t *n, struct err *e)
{
	for (*n = 0; r->left > 0 && !r->bad && *n < IPC_UIDS_MAX; (*n)++)
		ids[*n] = unpack_run(r);
	return rd_done(r) ? RC_OK : ipc_bad(e);
}

static enum rc
want(struct fetch *f, struct rd *r, bool raw, struct err *e)
{
	const struct source_sink sink = { .arg = f, .begin = mail_begin,
	    .data = mail_data, .end = mail_end };
	struct bytes *ids = calloc(IPC_UIDS_MAX, sizeof(*ids));
	enum rc rc;
	size_t n;

	if (ids == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	f->raw = raw;
	if ((rc = ids_of(r, ids, &n, e)) == RC_OK)
		rc = source_fetch(f->s, ids, n, &sink, e);
	free(ids);
	return rc != RC_OK ? rc :
	    chan_send(f->keeper, IPC_FETCHED, 0, NULL, 0, e);
}

static enum rc
tell_released(struct fetch *f, const struct bytes *ids, size_t n,
    const enum source_done *done, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = buf_add8(&b, (uint8_t)done[i]) &&
		    pack_run(&b, ids[i].p, ids[i].len);
	return ipc_send(f->keeper, IPC_RELEASED, 0, &b, ok, e);
}

static enum rc
release(struct fetch *f, struct rd *r, struct err *e)
{
	struct bytes *ids = calloc(IPC_UIDS_MAX, sizeof(*ids));
	enum source_done *done = calloc(IPC_UIDS_MAX, sizeof(*done));
	enum conf_after after = (enum conf_after)rd_8(r);
	const char *to = rd_8(r) != 0 ? f->account->unsealed_to :
	    f->account->move_to;
	struct err ignored = ERR_INIT;
	enum rc rc = RC_OK;
	size_t n = 0;

	if (ids == NULL || done == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else
		rc = ids_of(r, ids, &n, e);
	FAULT("fetch.release.before");
	if (rc == RC_OK) {
		rc = source_release(f->s, ids, n, after, to, done, e);
		FAULT("fetch.release.after");
		/* What did happen is told, whatever failed after it. */
		if (rc == RC_OK)
			rc = tell_released(f, ids, n, done, e);
		else
			(void)tell_released(f, ids, n, done, &ignored);
	}
	free(ids);
	free(done);
	return rc;
}

static enum rc
wait_news(struct fetch *f, struct err *e)
{
	bool news = false;
	enum rc rc = RC_OK;

	while (rc == RC_OK && !news && !chan_waiting(f->keeper))
		rc = source_wait(f->s, f->account->every_s, f->keeper->fd,
		    &news, e);
	return rc != RC_OK ? rc :
	    chan_send(f->keeper, IPC_WAITED, 0, NULL, 0, e);
}

static enum rc
serve(struct fetch *f, bool *leave, struct err *e)
{
	struct frame fr;
	struct rd r;
	enum rc rc = chan_recv(f->keeper, &fr, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(fr.body.p, fr.body.len);
	switch ((int)fr.type) {
	case IPC_AFTER:
		return list(f, fr.body, e);
	case IPC_WANT:
		return want(f, &r, false, e);
	case IPC_WANT_RAW:
		return want(f, &r, true, e);
	case IPC_RELEASE:
		return release(f, &r, e);
	case IPC_WAIT:
		return wait_news(f, e);
	case IPC_FINISH:
		*leave = true;
		f->first_us = fr.body.len > 0;
		return RC_OK;
	}
	return ipc_bad(e);
}

/* Everything that may open files or resolve names, before a stranger's first
 * octet is read. */
static enum rc
set_up(struct fetch *f, struct secret *secret, struct err *e)
{
	const struct source_limits limits = {
	    f->p->conf->max_receive / 3 * 5 + 65536, 0,
	    pass_until_ms(f->p, &f->account->server) };
	const struct sandbox_path paths[] = { { f->account->path, SB_TREE },
	    { NULL, SB_TREE } };
	enum rc rc = RC_OK;

	if (f->account->protocol == CONF_IMAP ||
	    f->account->protocol == CONF_POP3)
		rc = cred_get(&f->account->server, secret, e);
	if (rc == RC_OK)
		rc = source_new(f->account, &limits, &f->s, e);
	if (rc == RC_OK)
		rc = sandbox_enter(SB_FETCH, paths, e);
	FAULT("fetch.open.before");
	return rc == RC_OK ? source_open(f->s, secret, e) : rc;
}

static void
tell_why(struct fetch *f)
{
	uint8_t why = (uint8_t)source_why(f->s);
	struct err ignored = ERR_INIT;

	(void)chan_send(f->keeper, IPC_WHY, 0, &why, 1, &ignored);
}

enum rc
fetch_main(const struct pass *p, unsigned account, struct pass_ends *x,
    struct err *e)
{
	struct secret secret = SECRET_INIT;
	struct fetch *f = calloc(1, sizeof(*f));
	bool leave = false;
	enum rc rc;

	if (f == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	f->p = p;
	f->account = pass_account(p, account);
	f->keeper = &x->keeper;
	rc = set_up(f, &secret, e);
	secret_wipe(&secret);
	if (rc == RC_OK)
		rc = chan_send(f->keeper, IPC_UP, 0, NULL, 0, e);
	while (rc == RC_OK && !leave)
		rc = serve(f, &leave, e);
	if (rc != RC_OK)
		tell_why(f);
	/* All that it asked for is done: what is left is courtesy. */
	if (rc == RC_OK && f->first_us) {
		ipc_done(f->keeper, rc, e);
		chan_close(f->keeper);
	}
	source_close(&f->s);
	buf_free(&f->out);
	free(f);
	return rc;
}
