#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "cmd/sent.h"
#include "cmd/sent_rows.h"

#define AT_ONCE 128

/* ${who} says a name with its association, or an address alone. */
static bool
is_who(const char *name, const char *who)
{
	const char *slash = strchr(name, '/');
	size_t len = strcspn(who, "#");

	if (strchr(who, '/') == NULL && slash != NULL)
		name = slash + 1;
	return strncmp(name, who, len) == 0 &&
	    (name[len] == '\0' || name[len] == '#');
}

static enum rc
is_for(struct store *st, const struct store_out *m, const char *who,
    bool *yes, struct err *e)
{
	struct store_routed *r;
	size_t n = 0;
	enum rc rc;

	*yes = who == NULL || is_who(m->identity, who);
	if (*yes || m->nrouted == 0)
		return RC_OK;
	if ((r = calloc(STORE_ROUTES_MAX, sizeof(*r))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = store_out_routed(st, m->id, r, &n, e);
	for (size_t i = 0; rc == RC_OK && i < n && !*yes; i++)
		*yes = is_who(r[i].name, who);
	free(r);
	return rc;
}

enum rc
sent_list(struct store *st, const struct store_filter *f, const char *who,
    int64_t *after, struct store_out *out, size_t max, size_t *n,
    struct err *e)
{
	size_t got = 0, kept = 0;
	bool yes;
	enum rc rc;

	do {
		if ((rc = store_out_list(st, f, *after, out, max, &got, e)) !=
		    RC_OK)
			return rc;
		for (size_t i = 0; i < got; i++) {
			*after = out[i].id;
			if ((rc = is_for(st, &out[i], who, &yes, e)) != RC_OK)
				return rc;
			if (yes && kept++ != i)
				out[kept - 1] = out[i];
		}
	} while (kept == 0 && got > 0);
	*n = kept;
	return RC_OK;
}

/* ---- rows ----------------------------------------------------------- */

bool
sent_waits(const struct sent_row *r)
{
	return r->state != STORE_FAILED && r->steps.received_at == 0 &&
	    r->steps.opened_at == 0 && r->steps.refused_at == 0;
}

static struct sent_row *
row_new(struct sent_rows *rows)
{
	if (rows->n == rows->cap) {
		size_t cap = rows->cap == 0 ? 64 : 2 * rows->cap;
		struct sent_row *more = calloc(cap, sizeof(*more));

		if (more == NULL)
			return NULL;
		if (rows->n > 0)
			memcpy(more, rows->r, rows->n * sizeof(*more));
		free(rows->r);
		rows->r = more;
		rows->cap = cap;
	}
	memset(&rows->r[rows->n], 0, sizeof(rows->r[0]));
	return &rows->r[rows->n++];
}

struct reading {
	const struct app	*app;
	struct store		*st;
	const struct sent_ask	*ask;
	struct sent_rows	*out;
};

/* ${r}: of one behind the gateway, or NULL. */
static enum rc
row_add(struct reading *x, const struct store_out *m,
    const struct store_routed *r, struct err *e)
{
	const char *name = r != NULL ? r->name : m->identity;
	struct sent_row *row;
	enum rc rc;

	if (m->queued_at < x->ask->since ||
	    (x->ask->who != NULL && !is_who(name, x->ask->who)))
		return RC_OK;
	if ((row = row_new(x->out)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	row->id = m->id;
	snprintf(row->name, sizeof(row->name), "%.*s",
	    (int)strcspn(name, "#"), name);
	row->hub = r != NULL;
	row->state = m->state;
	row->word = r != NULL && r->ack_state != STORE_ACK_NONE ?
	    ack_word(r->ack_state, x->app->json) :
	    sent_word(m, x->app->json);
	row->queued_at = m->queued_at;
	row->sent_at = m->state == STORE_SENT ? m->sent_at : 0;
	drop_token(m->t, 0, row->token);
	if ((rc = store_steps(x->st, m->id, name, &row->steps, e)) != RC_OK)
		return rc;
	row->late = sent_waits(row) && m->queued_at < x->ask->late_before;
	row->unopened = row->steps.unopened_at != 0 &&
	    row->steps.unopened_at < x->ask->unopened_before;
	if (x->ask->late && !row->late && !row->unopened)
		x->out->n--;
	return RC_OK;
}

static enum rc
message_add(struct reading *x, const struct store_out *m, struct err *e)
{
	struct store_routed *r;
	size_t n = 0;
	enum rc rc;

	if (m->nrouted == 0)
		return row_add(x, m, NULL, e);
	if ((r = calloc(STORE_ROUTES_MAX, sizeof(*r))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = store_out_routed(x->st, m->id, r, &n, e);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = row_add(x, m, &r[i], e);
	free(r);
	return rc;
}

enum source { ALL, LATE, UNOPENED };

static enum rc
next(struct reading *x, enum source of, int64_t *after, struct store_out *m,
    size_t *n, struct err *e)
{
	const struct store_filter f = { .mail_only = true,
	    .since = x->ask->since };

	switch (of) {
	case LATE:
		return store_out_late(x->st, x->ask->late_before, *after, m,
		    AT_ONCE, n, e);
	case UNOPENED:
		return store_follow_list(x->st, x->ask->unopened_before,
		    *after, m, AT_ONCE, n, e);
	case ALL:
		break;
	}
	return store_out_list(x->st, &f, *after, m, AT_ONCE, n, e);
}

static enum rc
read_from(struct reading *x, enum source of, struct err *e)
{
	struct store_out *m = calloc(AT_ONCE, sizeof(*m));
	int64_t after = 0;
	size_t n = 0;
	enum rc rc = m == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	do {
		if (rc == RC_OK)
			rc = next(x, of, &after, m, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			after = m[i].id;
			rc = message_add(x, &m[i], e);
		}
	} while (rc == RC_OK && n > 0);
	free(m);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct sent_row *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : (x->id > y->id) - (x->id < y->id);
}

/* One with several names can be late for one and unopened at another. */
static void
sort(struct sent_rows *rows)
{
	size_t kept = 0;

	if (rows->n == 0)
		return;
	qsort(rows->r, rows->n, sizeof(rows->r[0]), by_name);
	for (size_t i = 1; i < rows->n; i++)
		if (by_name(&rows->r[kept], &rows->r[i]) != 0)
			rows->r[++kept] = rows->r[i];
	rows->n = kept + 1;
}

enum rc
sent_rows_read(const struct app *app, struct store *st,
    const struct sent_ask *ask, struct sent_rows *out, struct err *e)
{
	struct reading x = { app, st, ask, out };
	enum rc rc = read_from(&x, ask->late ? LATE : ALL, e);

	if (rc == RC_OK && ask->late)
		rc = read_from(&x, UNOPENED, e);
	sort(out);
	return rc;
}

void
sent_rows_free(struct sent_rows *rows)
{
	free(rows->r);
	*rows = (struct sent_rows){ NULL, 0, 0 };
}

/* ---- sums ----------------------------------------------------------- */

static void
earlier(int64_t *at, int64_t than)
{
	if (*at == 0 || than < *at)
		*at = than;
}

static void
sum_add(struct sent_sum *s, const struct sent_row *r)
{
	s->n++;
	s->failed += r->state == STORE_FAILED;
	s->refused += r->steps.refused_at != 0;
	s->received += r->steps.received_at != 0 || r->steps.opened_at != 0;
	s->opened += r->steps.opened_at != 0;
	s->late += r->late;
	s->unopened += r->unopened;
	if (sent_waits(r)) {
		s->waiting++;
		earlier(&s->oldest_at, r->queued_at);
	}
	if (r->unopened)
		earlier(&s->unopened_at, r->steps.unopened_at);
}

enum rc
sent_sum(struct store *st, const struct sent_rows *rows, size_t *from,
    struct sent_sum *out, struct err *e)
{
	size_t i = *from;

	memset(out, 0, sizeof(*out));
	out->name = rows->r[i].name;
	for (; i < rows->n && strcmp(rows->r[i].name, out->name) == 0; i++)
		sum_add(out, &rows->r[i]);
	*from = i;
	return store_heard(st, out->name, &out->heard_at, e);
}
