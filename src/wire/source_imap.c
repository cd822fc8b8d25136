#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "wire/imap_source.h"

#define LIST_ROWS 2000	/* messages in one listing command */
#define IDLE_MAX_S (29 * 60)	/* RFC 2177: again every 29 minutes */
#define LOGOUT_S 10
#define UID_CHARS 11	/* and what stands between two */
#define SET_CHARS 8000

static enum rc
said(struct source *s, enum rc rc)
{
	struct imap_source *i = s->impl;

	if (rc != RC_OK)
		s->why = i->talk.why;
	return rc;
}

static enum rc
set_up(struct source *s, struct err *e)
{
	struct imap_source *i = calloc(1, sizeof(*i));
	enum rc rc;

	if ((s->impl = i) == NULL)
		return err_nomem(e);
	if ((rc = link_new(&s->account->server, &i->talk.link, e)) != RC_OK ||
	    (rc = link_join(&i->talk.link, s->limits.until_ms, e)) != RC_OK)
		return rc;
	/* While the server thinks. */
	return late_etpan_load(e);
}

static enum rc
start(struct source *s, const struct secret *secret, struct err *e)
{
	struct imap_source *i = s->impl;
	enum rc rc = said(s, imap_talk_open(&i->talk, s->account->mailbox,
	    secret, e));

	i->in = i->fresh = rc == RC_OK;
	s->info.tls = stream_version(i->talk.link.stream);
	s->info.uidvalidity = i->talk.validity;
	return rc;
}

/* UID and size of one answer; a UID of 0: it was about something else. */
void
imap_uid_size(struct mailimap_msg_att *att, uint32_t *uid, uint64_t *size)
{
	*uid = 0;
	*size = 0;
	for (clistiter *it = clist_begin(att->att_list); it != NULL;
	    it = clist_next(it)) {
		const struct mailimap_msg_att_item *item = clist_content(it);
		const struct mailimap_msg_att_static *st;

		if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC)
			continue;
		st = item->att_data.att_static;
		if (st->att_type == MAILIMAP_MSG_ATT_UID)
			*uid = st->att_data.att_uid;
		else if (st->att_type == MAILIMAP_MSG_ATT_RFC822_SIZE)
			*size = st->att_data.att_rfc822_size;
	}
}

static bool
note_big(struct imap_source *i, uint32_t uid)
{
	if (i->nbig == i->cap) {
		size_t cap = i->cap == 0 ? 16 : i->cap * 2;
		uint32_t *big = calloc(cap, sizeof(*big));

		if (big == NULL)
			return false;
		if (i->nbig > 0)
			memcpy(big, i->big, i->nbig * sizeof(*big));
		free(i->big);
		i->big = big;
		i->cap = cap;
	}
	i->big[i->nbig++] = uid;
	return true;
}

bool
imap_is_big(const struct imap_source *i, uint32_t uid)
{
	for (size_t n = 0; n < i->nbig; n++)
		if (i->big[n] == uid)
			return true;
	return false;
}

/* A listing under way. */
struct listing {
	struct source	*s;
	uint32_t	 from;	/* lower UIDs are not wanted */
	source_list_fn	*fn;	/* NULL: only sizes are wanted */
	void		*arg;
	size_t		 n;
	/* Of all that is there: the last number and its UID, those with a UID
	 * of their own, and those that somebody has taken away meanwhile. */
	uint32_t	 number, uid;
	size_t		 named, expunged;
};

static enum rc
too_many(const struct source *s, struct err *e)
{
	return err_set(e, RC_TEMP, _("more than %zu messages in the mailbox; "
	    "raise the limit or empty it"), s->limits.max_list);
}

static enum rc
tell(struct listing *l, uint32_t uid, uint64_t size, struct err *e)
{
	struct imap_source *i = l->s->impl;
	char id[IMAP_ID_CHARS];
	size_t len;

	if (uid == 0 || uid < l->from)
		return RC_OK;
	if (uid > i->top)
		i->top = uid;
	if (++l->n > l->s->limits.max_list)
		return too_many(l->s, e);
	if (size > l->s->limits.max_message && !imap_is_big(i, uid) &&
	    !note_big(i, uid))
		return err_nomem(e);
	if (l->fn == NULL)
		return RC_OK;
	len = imap_id_format(i->talk.validity, uid, id);
	return l->fn(l->arg, (struct bytes){ (const uint8_t *)id, len }, size,
	    e);
}

/* RFC 3501 2.3.1.1: UIDs ascend with the numbers.  One that does not may be
 * that of another message. */
static void
count(struct listing *l, uint32_t number, uint32_t uid)
{
	if (uid == 0)
		return;
	l->named += number <= l->number || uid > l->uid;
	if (number > l->number) {
		l->number = number;
		l->uid = uid;
	}
}

static size_t
expunged(const struct imap_talk *t)
{
	const struct mailimap_response_info *info =
	    t->session->imap_response_info;

	return info == NULL || info->rsp_expunged == NULL ? 0 :
	    (size_t)clist_count(info->rsp_expunged);
}

/* What it says is there, and named in no row: whoever else took it away is
 * told of now. */
static enum rc
count_nameless(struct listing *l, size_t exists, struct err *e)
{
	struct imap_talk *t = &((struct imap_source *)l->s->impl)->talk;
	enum rc rc = RC_OK;

	if (exists > l->named + l->expunged) {
		rc = imap_noop(t, e);
		l->expunged += expunged(t);
	}
	l->s->info.nameless = exists > l->named + l->expunged ?
	    exists - l->named - l->expunged : 0;
	return rc;
}

static struct mailimap_fetch_type *
uid_and_size(void)
{
	struct mailimap_fetch_type *type =
	    mailimap_fetch_type_new_fetch_att_list_empty();

	if (type == NULL)
		return NULL;
	if (imap_ask_for(type, mailimap_fetch_att_new_uid()) &&
	    imap_ask_for(type, mailimap_fetch_att_new_rfc822_size()))
		return type;
	mailimap_fetch_type_free(type);
	return NULL;
}

/* One command; ${set} is taken.  ${by_uid}: UIDs, else sequence numbers. */
static enum rc
list_some(struct listing *l, struct mailimap_set *set, bool by_uid,
    size_t rows, struct err *e)
{
	struct imap_talk *t = &((struct imap_source *)l->s->impl)->talk;
	struct mailimap_fetch_type *type = uid_and_size();
	clist *result = NULL;
	enum rc rc = RC_OK;
	int r = MAILIMAP_ERROR_MEMORY;

	stream_step(t->link.stream, rows * IMAP_ROW_BYTES + IMAP_STEP_BYTES);
	if (set != NULL && type != NULL)
		r = by_uid ? mailimap_uid_fetch(t->session, set, type,
		    &result) : mailimap_fetch(t->session, set, type, &result);
	if (r != MAILIMAP_NO_ERROR)
		rc = imap_talk_fail(t, r, "FETCH", e);
	for (clistiter *it = rc == RC_OK ? clist_begin(result) : NULL;
	    it != NULL && rc == RC_OK; it = clist_next(it)) {
		struct mailimap_msg_att *att = clist_content(it);
		uint32_t uid;
		uint64_t size;

		imap_uid_size(att, &uid, &size);
		count(l, att->att_number, uid);
		rc = tell(l, uid, size, e);
	}
	l->expunged += rc == RC_OK ? expunged(t) : 0;
	if (r == MAILIMAP_NO_ERROR)
		mailimap_fetch_list_free(result);
	if (type != NULL)
		mailimap_fetch_type_free(type);
	if (set != NULL)
		mailimap_set_free(set);
	return rc;
}

/*
 * All of a mailbox, by sequence numbers: they cannot change while we only
 * FETCH (RFC 3501 7.4.1), and each answer stays small.
 */
static enum rc
list_all(struct listing *l, uint32_t exists, struct err *e)
{
	enum rc rc = RC_OK;

	if (exists > l->s->limits.max_list)
		return too_many(l->s, e);
	for (uint32_t from = 1; rc == RC_OK && from <= exists;
	    from += LIST_ROWS) {
		uint32_t to = exists - from < LIST_ROWS ? exists :
		    from + LIST_ROWS - 1;

		rc = list_some(l, mailimap_set_new_interval(from, to), false,
		    LIST_ROWS, e);
	}
	return rc;
}

static enum rc
list(struct source *s, struct bytes after, source_list_fn *fn, void *arg,
    struct err *e)
{
	struct imap_source *i = s->impl;
	struct listing l = { .s = s, .from = 1, .fn = fn, .arg = arg };
	uint32_t validity, uid, exists;
	bool fresh = i->fresh;
	enum rc rc;

	i->fresh = false;
	s->info.nameless = 0;
	if (after.len > 0 && imap_id_parse(after, &validity, &uid) &&
	    validity == i->talk.validity && uid < UINT32_MAX)
		l.from = uid + 1;
	if (i->listed_from == 0 || l.from < i->listed_from)
		i->listed_from = l.from;
	exists = i->talk.session->imap_selection_info->sel_exists;
	if (fresh && i->talk.next > 1)
		i->top = i->talk.next - 1;
	if (fresh && (exists == 0 || (l.from > 1 && i->talk.next != 0 &&
	    l.from >= i->talk.next)))
		return RC_OK;
	rc = l.from == 1 && fresh ? list_all(&l, exists, e) :
	    list_some(&l, mailimap_set_new_interval(l.from, 0), true,
	    s->limits.max_list, e);
	if (rc == RC_OK && l.from == 1)
		rc = count_nameless(&l, exists, e);
	return said(s, rc);
}

int
imap_by_uid(const void *a, const void *b)
{
	const struct imap_want *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

enum rc
imap_wants(struct source *s, const struct bytes *ids, size_t n,
    struct imap_want **wants, size_t *nwants, struct err *e)
{
	const struct imap_source *i = s->impl;
	struct imap_want *w = calloc(n + 1, sizeof(*w));
	uint32_t validity, uid;

	*nwants = 0;
	if ((*wants = w) == NULL)
		return err_nomem(e);
	for (size_t k = 0; k < n; k++)
		if (imap_id_parse(ids[k], &validity, &uid) &&
		    validity == i->talk.validity)
			w[(*nwants)++] = (struct imap_want){ uid, k, false };
	qsort(w, *nwants, sizeof(*w), imap_by_uid);
	return RC_OK;
}

size_t
imap_fits(const uint32_t *uids, size_t n)
{
	size_t chars = 0, at = 0, run = 0;

	/* A run is named by its ends. */
	for (; at < n; at++) {
		run = at > 0 && uids[at] <= uids[at - 1] + 1 ? run + 1 : 0;
		chars += run < 2 ? UID_CHARS : 0;
		if (chars > SET_CHARS)
			break;
	}
	return at;
}

/* Sizes of those that no listing of this session has shown. */
enum rc
imap_learn_sizes(struct source *s, const struct imap_want *w, size_t n,
    struct err *e)
{
	struct imap_source *i = s->impl;
	struct listing l = { .s = s, .from = 1 };
	uint32_t uids[IMAP_BATCH_MAX];
	size_t left = 0, fits;
	enum rc rc = RC_OK;

	for (size_t k = 0; k < n; k++)
		if (i->listed_from == 0 || w[k].uid < i->listed_from)
			uids[left++] = w[k].uid;
	for (size_t at = 0; rc == RC_OK && at < left; at += fits) {
		fits = imap_fits(uids + at, left - at);
		rc = list_some(&l, imap_set(uids + at, fits), true, fits, e);
	}
	return rc;
}

/* IDLE tells of what comes from then on: mail that came since the listing may
 * have been told between the lines of some other command. */
static enum rc
came_since(struct source *s, bool *news, struct err *e)
{
	const struct imap_source *i = s->impl;
	struct listing l = { .s = s, .from = i->top + 1 };
	enum rc rc = RC_OK;

	if (i->top < UINT32_MAX)
		rc = list_some(&l, mailimap_set_new_interval(l.from, 0), true,
		    s->limits.max_list, e);
	*news = l.n > 0;
	return rc;
}

static enum rc
wait_idle(struct source *s, int timeout_s, int wake_fd, bool *news,
    struct err *e)
{
	struct imap_talk *t = &((struct imap_source *)s->impl)->talk;
	uint32_t before = t->session->imap_selection_info->sel_exists;
	bool heard;
	enum rc rc = came_since(s, news, e);
	int r;

	if (rc != RC_OK || *news)
		return rc;
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if ((r = mailimap_idle(t->session)) != MAILIMAP_NO_ERROR)
		return imap_talk_fail(t, r, "IDLE", e);
	heard = t->io->read_buffer_len > 0 || stream_wait(t->link.stream,
	    timeout_s * 1000, wake_fd);
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if ((r = mailimap_idle_done(t->session)) != MAILIMAP_NO_ERROR)
		return imap_talk_fail(t, r, "IDLE", e);
	*news = heard &&
	    t->session->imap_selection_info->sel_exists != before;
	return RC_OK;
}

static enum rc
await(struct source *s, int timeout_s, int wake_fd, bool *news, struct err *e)
{
	struct imap_source *i = s->impl;
	bool can = false;
	enum rc rc = RC_OK;

	i->fresh = false;
	if (timeout_s > IDLE_MAX_S)
		timeout_s = IDLE_MAX_S;
	if (s->account->idle)
		rc = imap_talk_can(&i->talk, "IDLE", &can, e);
	s->info.can_idle = can;
	if (rc == RC_OK && can)
		rc = wait_idle(s, timeout_s, wake_fd, news, e);
	else if (rc == RC_OK && stream_wait(i->talk.link.stream,
	    timeout_s * 1000, wake_fd))
		*news = true;	/* most often: goodbye */
	return said(s, rc);
}

static void
refresh(struct source *s)
{
	const struct imap_source *i = s->impl;

	s->info.in = stream_in(i->talk.link.stream);
	s->info.out = stream_out(i->talk.link.stream);
}

static void
finish(struct source *s)
{
	struct imap_source *i = s->impl;

	if (i == NULL)
		return;
	if (i->in)
		stream_hurry(i->talk.link.stream, LOGOUT_S);
	imap_talk_close(&i->talk, i->in && !s->dead);
	free(i->big);
	free(i);
}

const struct source_ops source_imap = {
	.set_up = set_up, .open = start, .list = list, .fetch = imap_fetch,
	.release = imap_release, .wait = await, .info = refresh,
	.close = finish
};
