#include "config.h"

#include <string.h>

#include "issuer/ring_walk.h"

enum { PART_GRANTS, PART_ENTRIES, PART_BARS, PART_END };

static bool
is_desk(const struct member *w)
{
	return w->kind == MEMBER_HUB || w->kind == MEMBER_WATCH;
}

/* A GRANT and an ENTRY seldom take more than 256 octets. */
size_t
ring_walk_kept(const struct members *m)
{
	return m->n < RING_WALK_KEPT_MAX / 256 - 16 ? 256 * (m->n + 16) :
	    RING_WALK_KEPT_MAX;
}

bool
ring_walk_may(const struct members *m, const struct member *a,
    const struct member *b)
{
	if (a == b || b->excluded || b->kind == MEMBER_ISSUER)
		return false;
	if (is_desk(a) || is_desk(b) || a->kind == MEMBER_ISSUER)
		return true;
	switch (m->policy) {
	case MEMBERS_FULL:
		return true;
	case MEMBERS_LIST:
		return members_share(a, b);
	case MEMBERS_GATEWAY:
		return false;
	}
	return false;
}

static bool
is_given(const struct ring_walk *w, const struct member *m)
{
	return !m->keyless && ring_walk_may(w->all, w->me, m);
}

static bool
next_grant(struct ring_walk *w, const struct member *m, struct rec *r)
{
	if (!is_given(w, m))
		return false;
	kdf_channel(w->channel,
	    w->keys + (size_t)(m - w->all->v) * KDF_KEY_BYTES, &w->me->id);
	r->type = REC_GRANT;
	r->grant = (struct rec_grant){ w->year, w->channel, m->id };
	w->grants++;
	return true;
}

static enum rec_entry_flag
flag_of(enum member_kind kind)
{
	switch (kind) {
	case MEMBER_PRACTICE:
		return REC_ENTRY_PRACTICE;
	case MEMBER_LABORATORY:
		return REC_ENTRY_LABORATORY;
	case MEMBER_INSTITUTION:
		return REC_ENTRY_INSTITUTION;
	case MEMBER_HUB:
	case MEMBER_WATCH:
	case MEMBER_ISSUER:
		return REC_ENTRY_DESK;
	case MEMBER_OTHER:
		break;
	}
	return REC_ENTRY_OTHER;
}

static struct bytes
text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

void
ring_walk_entry(const struct member *m, struct rec *r)
{
	r->type = REC_ENTRY;
	r->entry = (struct rec_entry){ flag_of(m->kind), m->id,
	    text(m->route), text(m->show) };
}

/* The issuer has none: nobody could answer a message to it. */
static bool
next_entry(struct ring_walk *w, const struct member *m, struct rec *r)
{
	if (m == w->me || m->excluded || m->kind == MEMBER_ISSUER ||
	    (w->all->names_ring && !is_given(w, m)))
		return false;
	ring_walk_entry(m, r);
	w->entries++;
	return true;
}

static bool
next_bar(const struct ring_walk *w, const struct member *m, struct rec *r)
{
	if (m == w->me || (!m->excluded && m->id.gen == 1))
		return false;
	r->type = REC_BAR;
	r->bar.minimum = m->excluded ? IDENTITY_BARRED : m->id.gen;
	BUG_ON(!identity_parse_name(m->id.s, m->id.name_len, &r->bar.name));
	return true;
}

/* ---- whom to look at ----------------------------------------------------- */

/* All to whom ${w->me} may write are among those of his lists and the desks:
 * with lists of some hundred, few of an association. */
static bool
is_near(const struct ring_walk *w)
{
	return w->all->policy != MEMBERS_FULL && !is_desk(w->me) &&
	    w->me->kind != MEMBER_ISSUER && (w->part == PART_GRANTS ||
	    (w->part == PART_ENTRIES && w->all->names_ring));
}

static void
set_near(struct ring_walk *w)
{
	w->nruns = 1;
	w->runs[0] = w->rings->desks;
	for (size_t i = 0; i < w->me->nlists &&
	    w->all->policy == MEMBERS_LIST; i++)
		w->runs[w->nruns++] = rings_list(w->rings, w->me->lists[i]);
}

/* The shortest of the ways to find all who belong into this part. */
static void
begin_part(struct ring_walk *w)
{
	size_t n = 0;

	w->at = w->nruns = 0;
	if (is_near(w))
		set_near(w);
	else if (w->part == PART_BARS) {
		w->nruns = 1;
		w->runs[0] = w->rings->barred;
	}
	for (size_t i = 0; i < w->nruns; i++)
		n += w->runs[i].n;
	if (w->only.p != NULL && (w->nruns == 0 || w->only.n < n)) {
		w->nruns = 1;
		w->runs[0] = w->only;
	}
}

/* The first of all runs, once though it be in several; -1: no more. */
static int64_t
next_position(struct ring_walk *w)
{
	int64_t least = -1;

	if (w->nruns == 0)
		return w->at < w->all->n ? (int64_t)w->at++ : -1;
	for (size_t i = 0; i < w->nruns; i++)
		if (w->runs[i].n > 0 && (least < 0 ||
		    w->runs[i].p[0] < least))
			least = w->runs[i].p[0];
	for (size_t i = 0; i < w->nruns; i++)
		if (w->runs[i].n > 0 && w->runs[i].p[0] == least) {
			w->runs[i].p++;
			w->runs[i].n--;
		}
	return least;
}

static const struct member *
next_member(struct ring_walk *w)
{
	const struct member *m;
	int64_t at;

	while ((at = next_position(w)) >= 0) {
		m = &w->all->v[at];
		if (w->after_at == 0 || m->changed_at > w->after_at)
			return m;
	}
	return NULL;
}

bool
ring_walk_next(void *walk, size_t i, struct rec *r)
{
	struct ring_walk *w = walk;
	const struct member *m;

	if (i == 0) {
		w->part = PART_GRANTS;
		w->grants = w->entries = 0;
		begin_part(w);
	}
	while (w->part != PART_END) {
		while ((m = next_member(w)) != NULL)
			if (w->part == PART_GRANTS ? next_grant(w, m, r) :
			    w->part == PART_ENTRIES ? next_entry(w, m, r) :
			    next_bar(w, m, r))
				return true;
		w->part++;
		begin_part(w);
	}
	return false;
}
