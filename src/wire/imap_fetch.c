#include "config.h"

#include <stdlib.h>

#include "base/lang.h"
#include "wire/imap_source.h"

/* Bodies on their way to the consumer. */
struct passing {
	struct source			*s;
	const struct source_sink	*sink;
	const struct bytes		*ids;
	struct imap_want		*wants;
	size_t				 n;
	bool				 open;	/* begin() was called */
	bool				 cut;
	uint64_t			 left;
	uint64_t			 paid;	/* octets that may still be a
						 * body's */
	enum rc				 rc;
	struct err			*e;
};

/* A consumer's refusal, or nonsense: nothing more can be read. */
static void
stop(struct passing *p, enum wire_why why, enum rc rc)
{
	struct imap_source *i = p->s->impl;

	p->rc = rc;
	i->talk.why = why;
	if (!stream_dead(i->talk.link.stream))
		stream_kill(i->talk.link.stream, why, p->e);
}

static void
fresh_step(struct passing *p)
{
	const struct imap_source *i = p->s->impl;
	uint64_t most = p->s->limits.max_message;

	/* All else is kept in memory until the answer is complete. */
	stream_step(i->talk.link.stream, IMAP_STEP_BYTES);
	p->left = most;
	p->paid = most + most / 2;
	p->cut = p->open = false;
}

/* Octets of a body are passed on, not kept: the step may read as many more. */
static void
pay(struct passing *p, size_t len)
{
	const struct imap_source *i = p->s->impl;
	uint64_t more = len < p->paid ? len : p->paid;

	p->paid -= more;
	stream_more(i->talk.link.stream, more);
}

static bool
pass_on(struct passing *p, const char *octets, size_t len)
{
	if (p->rc != RC_OK)
		return false;
	pay(p, len);
	if (!p->open) {
		p->rc = p->sink->begin(p->sink->arg, p->e);
		p->open = true;
	}
	p->cut = p->cut || len > p->left;
	if (p->rc == RC_OK && !p->cut && len > 0) {
		p->left -= len;
		p->rc = p->sink->data(p->sink->arg, octets, len, p->e);
	}
	if (p->rc != RC_OK)
		stop(p, WHY_LOCAL, p->rc);
	return p->rc == RC_OK;
}

static bool
on_body(int type, struct mailimap_msg_att_body_section *section,
    const char *octets, size_t len, void *arg)
{
	(void)section;
	return type != MAILIMAP_MSG_ATT_BODY_SECTION ||
	    pass_on(arg, octets, len);
}

static struct imap_want *
wanted(struct passing *p, uint32_t uid)
{
	struct imap_want key = { .uid = uid }, *w;

	w = bsearch(&key, p->wants, p->n, sizeof(*w), imap_by_uid);
	return w != NULL && !w->done ? w : NULL;
}

/* What came as a quoted string or NIL, which is not streamed. */
static bool
short_body(struct passing *p, struct mailimap_msg_att *att, bool *nil)
{
	bool seen = false;

	*nil = false;
	for (clistiter *it = clist_begin(att->att_list); it != NULL;
	    it = clist_next(it)) {
		const struct mailimap_msg_att_item *item = clist_content(it);
		const struct mailimap_msg_att_static *st;
		const struct mailimap_msg_att_body_section *body;

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
			continue;
		st = item->att_data.att_static;
		if (st->att_type != MAILIMAP_MSG_ATT_BODY_SECTION)
			continue;
		seen = true;
		body = st->att_data.att_body_section;
		*nil = body->sec_body_part == NULL;
		if (!*nil && !p->open)
			pass_on(p, body->sec_body_part, body->sec_length);
	}
	return seen;
}

/* One FETCH answer is complete: now we learn whose body it was. */
static void
on_message(struct mailimap_msg_att *att, void *arg)
{
	struct passing *p = arg;
	struct imap_want *w;
	uint32_t uid;
	uint64_t size;
	bool nil, was_open = p->open, body;

	if (p->rc != RC_OK)
		return;
	body = short_body(p, att, &nil) || was_open;
	if (p->rc != RC_OK || !body)
		return;		/* flags that changed, and the like */
	imap_uid_size(att, &uid, &size);
	if ((w = wanted(p, uid)) == NULL) {
		stop(p, WHY_SERVER, err_set(p->e, RC_TEMP, _("%s: it sends "
		    "messages that were not asked for"),
		    p->s->account->server.host));
		return;
	}
	w->done = true;
	p->rc = p->sink->end(p->sink->arg, p->ids[w->at],
	    !p->open ? SOURCE_UNREADABLE : p->cut ? SOURCE_TOO_BIG :
	    SOURCE_GOT, p->e);
	if (p->rc != RC_OK)
		stop(p, WHY_LOCAL, p->rc);
	else
		fresh_step(p);
}

/* libetpan calls on_message() only when there is somebody to tell this. */
static void
on_progress(size_t current, size_t maximum, void *arg)
{
	(void)current;
	(void)maximum;
	(void)arg;
}

static void
listen_to(struct imap_talk *t, struct passing *p)
{
	mailimap_set_progress_callback(t->session,
	    p == NULL ? NULL : on_progress, p == NULL ? NULL : on_progress, p);
	mailimap_set_msg_att_handler(t->session, p == NULL ? NULL : on_message,
	    p);
	mailimap_set_msg_body_handler(t->session, p == NULL ? NULL : on_body,
	    p);
}

static struct mailimap_fetch_type *
whole_body(void)
{
	struct mailimap_section *section = mailimap_section_new(NULL);
	struct mailimap_fetch_att *att = section == NULL ? NULL :
	    mailimap_fetch_att_new_body_peek_section(section);
	struct mailimap_fetch_type *type =
	    mailimap_fetch_type_new_fetch_att_list_empty();

	if (type == NULL || !imap_ask_for(type, mailimap_fetch_att_new_uid()) ||
	    !imap_ask_for(type, att))
		return NULL;	/* out of memory: the pass ends */
	return type;
}

/* One UID FETCH; *${refused}: the server said NO to (a part of) it. */
static enum rc
ask(struct passing *p, const uint32_t *uids, size_t n, bool *refused)
{
	struct imap_talk *t = &((struct imap_source *)p->s->impl)->talk;
	struct mailimap_set *set = imap_set(uids, n);
	struct mailimap_fetch_type *type = whole_body();
	clist *result = NULL;
	int r = MAILIMAP_ERROR_MEMORY;

	fresh_step(p);
	listen_to(t, p);
	if (set != NULL && type != NULL)
		r = mailimap_uid_fetch(t->session, set, type, &result);
	listen_to(t, NULL);
	if (r == MAILIMAP_NO_ERROR)
		mailimap_fetch_list_free(result);
	if (type != NULL)
		mailimap_fetch_type_free(type);
	if (set != NULL)
		mailimap_set_free(set);
	if (p->rc != RC_OK)
		return p->rc;
	*refused = r != MAILIMAP_NO_ERROR && imap_talk_refused(t, r);
	return r == MAILIMAP_NO_ERROR || *refused ? RC_OK :
	    imap_talk_fail(t, r, "FETCH", p->e);
}

/* Those of ${wants} not done yet, into ${uids}. */
static size_t
still(const struct imap_want *wants, size_t n, uint32_t *uids)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (!wants[i].done &&
		    (left == 0 || uids[left - 1] != wants[i].uid))
			uids[left++] = wants[i].uid;
	return left;
}

static enum rc
end_rest(struct passing *p, struct imap_want *w, size_t n,
    enum source_got got)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (w[i].done)
			continue;
		w[i].done = true;
		rc = p->sink->end(p->sink->arg, p->ids[w[i].at], got, p->e);
	}
	return rc;
}

/* What did not come, whether it said OK or NO: somebody has taken it away, or
 * it is there and not given. */
static enum rc
end_missing(struct passing *p, struct imap_want *w, size_t n)
{
	struct imap_source *src = p->s->impl;
	uint32_t uids[IMAP_BATCH_MAX];
	size_t left = still(w, n, uids), at = 0;
	enum rc rc = RC_OK;

	if (left > 0)
		rc = imap_still_there(&src->talk, uids, &left, p->e);
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		while (at < left && uids[at] < w[i].uid)
			at++;
		rc = end_rest(p, &w[i], 1, at < left && uids[at] ==
		    w[i].uid ? SOURCE_UNREADABLE : SOURCE_GONE);
	}
	return rc;
}

/* A batch; when the server says NO, one at a time: which is it?  Of those that
 * do not come, nothing is said yet. */
static enum rc
fetch_batch(struct passing *p, struct imap_want *w, size_t n)
{
	uint32_t uids[IMAP_BATCH_MAX];
	size_t left = still(w, n, uids), fits;
	bool refused = false;
	enum rc rc = RC_OK;

	if (left == 0)
		return RC_OK;
	for (size_t at = 0; rc == RC_OK && !refused && at < left; at += fits) {
		fits = imap_fits(uids + at, left - at);
		rc = ask(p, uids + at, fits, &refused);
	}
	for (size_t i = 0; refused && n > 1 && rc == RC_OK && i < n; i++)
		rc = fetch_batch(p, w + i, 1);
	return rc;
}

static enum rc
fetch_some(struct passing *p, struct imap_want *w, size_t n)
{
	struct imap_source *i = p->s->impl;
	enum rc rc = imap_learn_sizes(p->s, w, n, p->e);

	for (size_t k = 0; rc == RC_OK && k < n; k++)
		if (imap_is_big(i, w[k].uid))
			rc = end_rest(p, &w[k], 1, SOURCE_TOO_BIG);
	if (rc == RC_OK)
		rc = fetch_batch(p, w, n);
	return rc == RC_OK ? end_missing(p, w, n) : rc;
}

enum rc
imap_fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	struct imap_source *i = s->impl;
	struct passing p = { .s = s, .sink = sink, .ids = ids, .e = e };
	size_t batch = s->account->batch < 1 ? 1 :
	    s->account->batch > IMAP_BATCH_MAX ? IMAP_BATCH_MAX :
	    (size_t)s->account->batch;
	uint32_t validity, uid;
	enum rc rc = imap_wants(s, ids, n, &p.wants, &p.n, e);

	i->fresh = false;
	i->talk.why = WHY_LOCAL;	/* until the server shows otherwise */
	for (size_t k = 0; rc == RC_OK && k < n; k++)
		if (!imap_id_parse(ids[k], &validity, &uid) ||
		    validity != i->talk.validity)
			rc = sink->end(sink->arg, ids[k], SOURCE_GONE, e);
	for (size_t k = 0; rc == RC_OK && k < p.n; k += batch)
		rc = fetch_some(&p, p.wants + k,
		    p.n - k < batch ? p.n - k : batch);
	free(p.wants);
	if (rc != RC_OK)
		s->why = i->talk.why;
	return rc;
}
