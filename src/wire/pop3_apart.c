/*
 * Messages that bear one unique-id.  RFC 1939 7 lets identical copies have the
 * same, and some servers give it to others too.  Such an id names none of
 * them: what was fetched by it need not be what would be deleted by it, in
 * this session or, when the others are gone, in a later one.  So they are
 * called by the id and the SHA-256 of what they are, which no id contains: the
 * same in each session, one name for identical copies, and never the name of
 * a message that is there alone.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/digest.h"
#include "wire/pop3_source.h"

/* They are read each time that they are listed: the last ones come first. */
#define APART_MAX 1000
#define APART_BYTES (UINT64_C(64) << 20)
#define NAME_CHARS (POP3_UIDL_BYTES + 1 + DIGEST_CHARS)

struct apart {
	struct source		*s;
	struct pop3		*p;
	struct digest		*digest;
	struct pop3_plan	 plan;
	size_t			*rows;	/* of the table, as in ${plan} */
	size_t			 at;	/* read so far */
	uint64_t		 octets;	/* planned */
};

static const struct bytes nobody = { NULL, 0 };

static enum rc
leave_aside(struct apart *a, size_t row, struct err *e)
{
	a->p->aside++;
	return idtable_name(&a->p->table, row, nobody) ? RC_OK : err_nomem(e);
}

/* No id has a blank in it. */
static enum rc
name(struct apart *a, size_t row, const char *what, struct err *e)
{
	struct bytes id = idtable_id(&a->p->table, row);
	char text[NAME_CHARS];
	int n = snprintf(text, sizeof(text), "%.*s %s", (int)id.len,
	    (const char *)id.p, what);
	struct bytes whole = { (const uint8_t *)text, (size_t)n };

	BUG_ON(n < 0 || (size_t)n >= sizeof(text));
	return idtable_name(&a->p->table, row, whole) ? RC_OK : err_nomem(e);
}

/* Never fetched, so never deleted: two of one size may have one name. */
static enum rc
name_big(struct apart *a, size_t row, struct err *e)
{
	char size[32];

	(void)snprintf(size, sizeof(size), ">%llu",
	    (unsigned long long)a->p->table.rows[row].size);
	return name(a, row, size, e);
}

static enum rc
on_begin(void *arg, struct err *e)
{
	struct apart *a = arg;

	return digest_begin(a->digest) ? RC_OK : err_nomem(e);
}

static enum rc
on_data(void *arg, const void *octets, size_t len, struct err *e)
{
	struct apart *a = arg;

	return digest_add(a->digest, octets, len) ? RC_OK : err_nomem(e);
}

static enum rc
on_end(void *arg, struct bytes id, enum source_got got, struct err *e)
{
	struct apart *a = arg;
	size_t row = a->rows[a->at++];
	char sum[DIGEST_CHARS];

	(void)id;
	switch (got) {
	case SOURCE_GOT:
		break;
	case SOURCE_TOO_BIG:
		return name_big(a, row, e);
	case SOURCE_GONE:
	case SOURCE_UNREADABLE:
		return leave_aside(a, row, e);
	}
	return digest_end(a->digest, sum) ? name(a, row, sum, e) :
	    err_nomem(e);
}

static enum rc
plan(struct apart *a, size_t row, struct err *e)
{
	const struct idtable_row *r = &a->p->table.rows[row];

	if (r->size > a->s->limits.max_message)
		return name_big(a, row, e);
	if (a->plan.n == APART_MAX ||
	    (a->plan.n > 0 && a->octets + r->size > APART_BYTES))
		return leave_aside(a, row, e);
	a->octets += r->size;
	a->rows[a->plan.n] = row;
	a->plan.ids[a->plan.n] = &nobody;
	a->plan.numbers[a->plan.n++] = r->number;
	return RC_OK;
}

struct twin {
	uint32_t	number;
	size_t		row;
};

static int
last_first(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;

	return x->number > y->number ? -1 : x->number < y->number;
}

/* Those whose id another one has too, into ${to}, or counted. */
static size_t
twins(const struct idtable *t, struct twin *to)
{
	size_t n = 0, run;

	for (size_t row = 0; row < t->n; row += run) {
		run = idtable_run(t, row);
		for (size_t i = 0; run > 1 && i < run; i++, n++)
			if (to != NULL)
				to[n] = (struct twin){
				    t->rows[row + i].number, row + i };
	}
	return n;
}

static enum rc
plan_all(struct apart *a, size_t n, struct err *e)
{
	struct twin *all = calloc(n, sizeof(*all));
	enum rc rc = RC_OK;

	if (all == NULL)
		return err_nomem(e);
	(void)twins(&a->p->table, all);
	qsort(all, n, sizeof(*all), last_first);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = plan(a, all[i].row, e);
	free(all);
	return rc;
}

enum rc
pop3_tell_apart(struct source *s, struct err *e)
{
	struct apart a = { .s = s, .p = s->impl };
	const struct source_sink sink = { .arg = &a, .begin = on_begin,
	    .data = on_data, .end = on_end };
	size_t n;
	enum rc rc;

	idtable_by_id(&a.p->table);
	if ((n = twins(&a.p->table, NULL)) == 0)
		return RC_OK;
	a.digest = digest_new();
	a.rows = calloc(APART_MAX, sizeof(*a.rows));
	if ((rc = pop3_plan_new(APART_MAX, &a.plan, e)) == RC_OK &&
	    (a.digest == NULL || a.rows == NULL))
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = plan_all(&a, n, e)) == RC_OK)
		rc = pop3_get(s, &a.plan, &sink, e);
	pop3_plan_free(&a.plan);
	digest_free(&a.digest);
	free(a.rows);
	return rc;
}
