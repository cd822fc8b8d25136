#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "wire/imap_source.h"

/*
 * Taking messages off the server, and telling the truth about it: whatever
 * was asked, what counts is which UIDs are still there afterwards.
 *
 * EXPUNGE removes every message that anybody has marked \Deleted.  With
 * UIDPLUS (RFC 4315) we name ours.  Without it, EXPUNGE is sent only when a
 * SEARCH shows that nobody else's are marked; else ours stay marked, which is
 * said (SOURCE_MARKED).  A mark that somebody sets between that SEARCH and the
 * EXPUNGE goes with it: its owner had asked for just that.
 */

/* 400,000 UIDs marked \Deleted by others: libetpan keeps them all, in ten
 * times as many octets. */
#define SEARCH_BYTES (4 * 1000 * 1000)

/* What EXPUNGE says of them is less than a step may read. */
#define RELEASE_MAX 4000

static void
free_set(struct mailimap_set *set)
{
	if (set != NULL)
		mailimap_set_free(set);
}

/* libetpan has no maker of its own for this one. */
static struct mailimap_search_key *
key_deleted(void)
{
	struct mailimap_search_key *key = mailimap_search_key_new_all();

	if (key != NULL)
		key->sk_type = MAILIMAP_SEARCH_KEY_DELETED;
	return key;
}

/* UIDs that are there: among ${uids}, or with \Deleted when NULL. */
static int
ask(struct imap_talk *t, const uint32_t *uids, size_t n, clist **found)
{
	struct mailimap_set *set = uids == NULL ? NULL : imap_set(uids, n);
	struct mailimap_search_key *key = uids == NULL ?
	    key_deleted() :
	    set == NULL ? NULL : mailimap_search_key_new_uid(set);
	int r = MAILIMAP_ERROR_MEMORY;

	*found = NULL;
	if (key == NULL)
		free_set(set);
	stream_step(t->link.stream, uids != NULL ? IMAP_STEP_BYTES :
	    SEARCH_BYTES);
	if (key != NULL)
		r = mailimap_uid_search(t->session, NULL, key, found);
	if (key != NULL)
		mailimap_search_key_free(key);
	/* A refusal may have left what came before it. */
	if (r != MAILIMAP_NO_ERROR && *found != NULL) {
		mailimap_search_result_free(*found);
		*found = NULL;
	}
	return r;
}

static enum rc
search(struct imap_talk *t, const uint32_t *uids, size_t n, clist **found,
    struct err *e)
{
	int r = ask(t, uids, n, found);

	return r == MAILIMAP_NO_ERROR ? RC_OK :
	    imap_talk_fail(t, r, "SEARCH", e);
}

/* Where ${uid} stands among ${uids}, ascending, or would stand. */
static size_t
place_of(uint32_t uid, const uint32_t *uids, size_t n)
{
	size_t from = 0;

	while (from < n) {
		size_t mid = from + (n - from) / 2;

		if (uids[mid] < uid)
			from = mid + 1;
		else
			n = mid;
	}
	return from;
}

enum rc
imap_noop(struct imap_talk *t, struct err *e)
{
	int r;

	stream_step(t->link.stream, SEARCH_BYTES);
	r = mailimap_noop(t->session);
	return r == MAILIMAP_NO_ERROR || imap_talk_refused(t, r) ? RC_OK :
	    imap_talk_fail(t, r, "NOOP", e);
}

/* Of so many as one command can name. */
static enum rc
some_still_there(struct imap_talk *t, uint32_t *uids, size_t *n,
    struct err *e)
{
	bool there[IMAP_BATCH_MAX] = { false };
	size_t kept = 0;
	clist *found;
	int r = ask(t, uids, *n, &found);

	if (r != MAILIMAP_NO_ERROR)
		return imap_talk_refused(t, r) ? RC_OK :
		    imap_talk_fail(t, r, "SEARCH", e);
	for (clistiter *it = clist_begin(found); it != NULL;
	    it = clist_next(it)) {
		uint32_t uid = *(const uint32_t *)clist_content(it);
		size_t at = place_of(uid, uids, *n);

		if (at < *n && uids[at] == uid)
			there[at] = true;
	}
	mailimap_search_result_free(found);
	for (size_t i = 0; i < *n; i++)
		if (there[i])
			uids[kept++] = uids[i];
	*n = kept;
	return RC_OK;
}

enum rc
imap_still_there(struct imap_talk *t, uint32_t *uids, size_t *n,
    struct err *e)
{
	size_t kept = 0, some;
	enum rc rc = imap_noop(t, e);

	for (size_t at = 0, fits; rc == RC_OK && at < *n; at += fits) {
		some = fits = imap_fits(uids + at, *n - at);
		rc = some_still_there(t, uids + at, &some, e);
		memmove(uids + kept, uids + at, some * sizeof(*uids));
		kept += some;
	}
	*n = kept;
	return rc;
}

static enum rc
mark_deleted(struct imap_talk *t, const uint32_t *uids, size_t n,
    struct err *e)
{
	struct mailimap_set *set = imap_set(uids, n);
	struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
	struct mailimap_flag *deleted = mailimap_flag_new_deleted();
	struct mailimap_store_att_flags *att = NULL;
	int r = MAILIMAP_ERROR_MEMORY;

	if (flags != NULL && deleted != NULL &&
	    mailimap_flag_list_add(flags, deleted) == MAILIMAP_NO_ERROR)
		att = mailimap_store_att_flags_new_add_flags_silent(flags);
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if (set != NULL && att != NULL)
		r = mailimap_uid_store(t->session, set, att);
	if (att != NULL)
		mailimap_store_att_flags_free(att);
	free_set(set);
	return r == MAILIMAP_NO_ERROR ? RC_OK :
	    imap_talk_fail(t, r, "STORE", e);
}

static enum rc
expunge_named(struct imap_talk *t, const uint32_t *uids, size_t n,
    struct err *e)
{
	struct mailimap_set *set = imap_set(uids, n);
	int r = MAILIMAP_ERROR_MEMORY;

	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if (set != NULL)
		r = mailimap_uid_expunge(t->session, set);
	free_set(set);
	return r == MAILIMAP_NO_ERROR ? RC_OK :
	    imap_talk_fail(t, r, "EXPUNGE", e);
}

/* Without UIDPLUS: *${alone} tells whether EXPUNGE was sent. */
static enum rc
expunge_all(struct imap_talk *t, const uint32_t *uids, size_t n, bool *alone,
    struct err *e)
{
	clist *found;
	enum rc rc = search(t, NULL, 0, &found, e);
	int r;

	*alone = rc == RC_OK;
	if (rc != RC_OK)
		return rc;
	for (clistiter *it = clist_begin(found); it != NULL && *alone;
	    it = clist_next(it)) {
		uint32_t uid = *(const uint32_t *)clist_content(it);
		size_t i = place_of(uid, uids, n);

		*alone = i < n && uids[i] == uid;
	}
	mailimap_search_result_free(found);
	if (!*alone)
		return RC_OK;
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	r = mailimap_expunge(t->session);
	return r == MAILIMAP_NO_ERROR ? RC_OK :
	    imap_talk_fail(t, r, "EXPUNGE", e);
}

static enum rc
delete_some(struct imap_talk *t, const uint32_t *uids, size_t n,
    bool *only_marked, struct err *e)
{
	bool named, alone = true;
	enum rc rc;

	*only_marked = false;
	if ((rc = imap_talk_can(t, "UIDPLUS", &named, e)) != RC_OK ||
	    (rc = mark_deleted(t, uids, n, e)) != RC_OK)
		return rc;
	rc = named ? expunge_named(t, uids, n, e) :
	    expunge_all(t, uids, n, &alone, e);
	*only_marked = rc == RC_OK && !alone;
	return rc;
}

static int
put_over(struct imap_talk *t, bool move, const uint32_t *uids, size_t n,
    const char *folder)
{
	struct mailimap_set *set = imap_set(uids, n);
	int r = MAILIMAP_ERROR_MEMORY;

	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if (set != NULL)
		r = move ? mailimap_uid_move(t->session, set, folder) :
		    mailimap_uid_copy(t->session, set, folder);
	free_set(set);
	return r;
}

/*
 * MOVE (RFC 6851), or COPY and delete: a failure in between leaves a message
 * in both places, never in none.
 */
static enum rc
move_some(struct imap_talk *t, const uint32_t *uids, size_t n,
    const char *folder, bool *only_marked, struct err *e)
{
	bool move;
	enum rc rc = imap_talk_can(t, "MOVE", &move, e);
	int r;

	*only_marked = false;
	if (rc != RC_OK)
		return rc;
	r = put_over(t, move, uids, n, folder);
	if (r != MAILIMAP_NO_ERROR && imap_talk_refused(t, r)) {
		/* Not there yet? A folder that is there answers NO. */
		stream_step(t->link.stream, IMAP_STEP_BYTES);
		if (mailimap_create(t->session, folder) == MAILIMAP_NO_ERROR)
			r = put_over(t, move, uids, n, folder);
	}
	if (r != MAILIMAP_NO_ERROR)
		return imap_talk_fail(t, r, move ? "MOVE" : "COPY", e);
	return move ? RC_OK : delete_some(t, uids, n, only_marked, e);
}

/* As many of ${w} as one command can name; ${folder} NULL: delete. */
static enum rc
release_some(struct imap_talk *t, const struct imap_want *w, size_t *n_io,
    const char *folder, enum source_done *done, struct err *e)
{
	uint32_t uids[RELEASE_MAX];
	size_t n = *n_io < RELEASE_MAX ? *n_io : RELEASE_MAX;
	clist *left;
	bool only_marked;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		uids[i] = w[i].uid;
	*n_io = n = imap_fits(uids, n);
	rc = folder == NULL ? delete_some(t, uids, n, &only_marked, e) :
	    move_some(t, uids, n, folder, &only_marked, e);
	if (rc != RC_OK || (rc = search(t, uids, n, &left, e)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		done[w[i].at] = SOURCE_RELEASED;
	for (clistiter *it = clist_begin(left); it != NULL;
	    it = clist_next(it)) {
		uint32_t uid = *(const uint32_t *)clist_content(it);

		for (size_t i = place_of(uid, uids, n);
		    i < n && uids[i] == uid; i++)
			done[w[i].at] = only_marked ? SOURCE_MARKED :
			    SOURCE_PENDING;
	}
	mailimap_search_result_free(left);
	return RC_OK;
}

static enum rc
folder_name(const char *folder, struct buf *name, struct err *e)
{
	if (folder == NULL || folder[0] == '\0')
		return err_set(e, RC_CONF, _("no folder to move to is named"));
	return imap_name(_("folder"), folder, name, e);
}

enum rc
imap_release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e)
{
	struct imap_source *i = s->impl;
	struct buf name = BUF_INIT;
	struct imap_want *w = NULL;
	uint32_t validity, uid;
	size_t nw = 0, some;
	enum rc rc = RC_OK;

	i->fresh = false;
	if (after == CONF_AFTER_MOVE)
		rc = folder_name(folder, &name, e);
	if (rc == RC_OK)
		rc = imap_wants(s, ids, n, &w, &nw, e);
	/* What is of another mailbox is not there: never touch its UID. */
	for (size_t k = 0; rc == RC_OK && k < n; k++)
		if (!imap_id_parse(ids[k], &validity, &uid) ||
		    validity != i->talk.validity)
			done[k] = SOURCE_RELEASED;
	for (size_t k = 0; rc == RC_OK && k < nw; k += some) {
		some = nw - k;
		rc = release_some(&i->talk, w + k, &some,
		    after == CONF_AFTER_MOVE ? (const char *)name.p : NULL,
		    done, e);
	}
	if (rc != RC_OK)
		s->why = i->talk.why;
	free(w);
	buf_free(&name);
	return rc;
}
