#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "issuer/enrol.h"
#include "issuer/ring_walk.h"
#include "vault/payload.h"
#include "vault/sealed.h"

#define SAVE_MS 10000	/* as in a batch */
#define META_BYTES (REC_HEAD_BYTES + 15)
/* Less than that of control records fits, END being one octet. */
#define ROOM_BYTES (PAYLOAD_DESK_MAX - 1)

/* A place in a walk; the next record is the ${i}-th. */
struct place {
	struct ring_walk walk;
	size_t		 i;
};

/* In secret memory. */
struct enrol {
	const struct enrol_plan *plan;
	enrol_each	*each;
	void		*ctx;		/* of ${each} */
	struct members	*all;
	uint8_t		*keys;
	uint8_t		*kept;
	uint16_t	 year;
	int64_t		 lowest_at;	/* that somebody was told last */
	uint32_t	*news;		/* who changed since */
	size_t		 nnews;
	struct rings	 rings;
	struct place	 start, at, before;	/* of the envelope at hand */
	bool		 more;		/* there is, behind it */
	int64_t		 sealed_at;
	uint8_t		 channel[KDF_KEY_BYTES];
	struct buf	 out;
	struct enrol_done done;
	bool		 unsaved;
	int64_t		 saved_ms;
};

/* ---- an envelope -------------------------------------------------------- */

static size_t
rec_bytes(const struct rec *r)
{
	switch (r->type) {
	case REC_GRANT:
		return REC_HEAD_BYTES + 2 + KDF_KEY_BYTES + r->grant.peer.len;
	case REC_ENTRY:
		return REC_HEAD_BYTES + 3U + r->entry.id.len +
		    r->entry.route.len + r->entry.display.len;
	default:
		return REC_HEAD_BYTES + 1U + r->bar.name.name_len;
	}
}

static bool
next(struct place *p, struct rec *r)
{
	return ring_walk_next(&p->walk, p->i++, r);
}

static void
count(struct enrol_done *d, uint8_t type)
{
	d->grants += type == REC_GRANT;
	d->entries += type == REC_ENTRY;
	d->bars += type == REC_BAR;
}

/* From ${start} on what fits; the same each time.  ${w} NULL: only to
 * count. */
static enum rc
emit(void *ctx, struct sealed_writer *w, struct err *e)
{
	struct enrol *b = ctx;
	struct rec r = { .type = REC_META };
	size_t size = META_BYTES;
	enum rc rc = RC_OK;

	b->at = b->start;
	b->done.grants = b->done.entries = b->done.bars = 0;
	b->more = false;
	r.meta = (struct rec_meta){ b->sealed_at, 0, b->year, ENV_VERSION };
	if (w != NULL)
		rc = sealed_rec(w, &r, e);
	while (rc == RC_OK) {
		b->before = b->at;
		if (!next(&b->at, &r))
			break;
		if ((size += rec_bytes(&r)) > ROOM_BYTES) {
			b->at = b->before;
			b->more = true;
			break;
		}
		count(&b->done, r.type);
		if (w != NULL)
			rc = sealed_rec(w, &r, e);
	}
	return rc;
}

static enum rc
into_buf(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(ctx, p, len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static enum rc
seal(struct enrol *b, const struct member *to, struct err *e)
{
	struct sealed_plan s = { .key = b->channel, .max = PAYLOAD_DESK_MAX,
	    .emit = emit, .ctx = b, .kept = b->kept,
	    .kept_max = ring_walk_kept(b->all) };
	enum rc rc;

	if (!b->plan->really)
		return emit(b, NULL, e);
	BUG_ON(desk_root(b->plan->desk, b->year) == NULL);
	s.head.source = ENV_CHANNEL;
	s.head.year = b->year;
	s.head.from = b->plan->desk->issuer;
	s.head.to = to->id;
	buf_wipe(&b->out);
	rc = sealed_seal(&s, (struct env_sink){ into_buf, &b->out }, e);
	b->done.envelope = (struct bytes){ b->out.p, b->out.len };
	return rc;
}

/* ---- a member ----------------------------------------------------------- */

/* What he was told already, and what is asked for once more. */
static int64_t
after(const struct enrol *b, const struct member *w)
{
	int64_t told_at = member_told(w, b->year);

	if (b->plan->since_at == ENROL_BY_MARKS || told_at < 0 ||
	    told_at < b->plan->since_at)
		return told_at;
	return b->plan->since_at > 0 ? b->plan->since_at - 1 : 0;
}

static bool
is_told(const struct enrol *b, const struct member *w)
{
	return !w->excluded && w->kind != MEMBER_ISSUER &&
	    member_told(w, b->year) >= 0;
}

static bool
has_news(struct enrol *b)
{
	struct rec r;

	b->at = b->start;
	return next(&b->at, &r);
}

static enum rc
tell(struct enrol *b, const struct member *w, struct err *e)
{
	const uint8_t *key = b->keys + (size_t)(w - b->all->v) *
	    KDF_KEY_BYTES;
	enum rc rc = RC_OK;

	memset(&b->start, 0, sizeof(b->start));
	b->start.walk = (struct ring_walk){ .all = b->all, .keys = b->keys,
	    .me = w, .year = b->year, .after_at = after(b, w),
	    .rings = &b->rings };
	if (b->start.walk.after_at > 0)
		b->start.walk.only = (struct run){ b->news, b->nnews };
	b->done = (struct enrol_done){ .member = w, .year = b->year };
	b->sealed_at = clock_now();
	kdf_channel(b->channel, key, &b->plan->desk->issuer);
	for (b->more = has_news(b); b->more && rc == RC_OK;
	    b->start = b->at) {
		b->done.part++;
		rc = seal(b, w, e);
		if (rc == RC_OK)
			rc = b->each(b->ctx, &b->done, e);
	}
	return rc;
}

/* The mails first: who is said to have been told is not told again. */
static enum rc
save(struct enrol *b, struct err *e)
{
	enum rc rc = b->each(b->ctx, NULL, e);

	if (rc != RC_OK)
		return rc;
	b->unsaved = false;
	b->saved_ms = clock_ms();
	return desk_save(b->plan->desk, e);
}

static enum rc
note(struct enrol *b, struct member *w, struct err *e)
{
	if (!b->plan->really ||
	    member_told(w, b->year) == b->all->changed_at)
		return RC_OK;
	member_tell(w, b->year, b->all->changed_at);
	b->unsaved = true;
	return clock_ms() - b->saved_ms < SAVE_MS ? RC_OK : save(b, e);
}

/* ---- the whole ---------------------------------------------------------- */

/* Who changed since the one was told who was told longest ago: all others
 * are news to nobody, but to those of whom one does not know, who are told
 * everything. */
static void
find_news(struct enrol *b)
{
	b->lowest_at = INT64_MAX;
	b->nnews = 0;
	for (size_t i = 0; i < b->all->n; i++)
		if (is_told(b, &b->all->v[i]) &&
		    after(b, &b->all->v[i]) > 0 &&
		    after(b, &b->all->v[i]) < b->lowest_at)
			b->lowest_at = after(b, &b->all->v[i]);
	for (size_t i = 0; i < b->all->n; i++)
		if (b->all->v[i].changed_at > b->lowest_at)
			b->news[b->nnews++] = (uint32_t)i;
}

static enum rc
do_year(struct enrol *b, struct err *e)
{
	const uint8_t *root = desk_root(b->plan->desk, b->year);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < b->all->n && root != NULL; i++)
		kdf_member(b->keys + i * KDF_KEY_BYTES, root, b->year,
		    &b->all->v[i].id);
	for (size_t i = 0; i < b->all->n; i++)
		b->all->v[i].keyless = !member_expects(&b->all->v[i], b->year);
	find_news(b);
	for (size_t i = 0; i < b->all->n && rc == RC_OK; i++) {
		struct member *w = &b->all->v[i];

		if (is_told(b, w) &&
		    (rc = tell(b, w, e)) == RC_OK)
			rc = note(b, w, e);
	}
	return rc;
}

static enum rc
finish(struct enrol *b, struct err *e)
{
	if (!b->plan->really)
		return RC_OK;
	return b->unsaved ? save(b, e) : b->each(b->ctx, NULL, e);
}

static enum rc
do_years(struct enrol *b, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = RC_OK;

	b->saved_ms = clock_ms();
	for (size_t i = 0; i < b->plan->nyears && rc == RC_OK; i++) {
		b->year = b->plan->years[i];
		rc = do_year(b, e);
	}
	if (rc == RC_OK)
		return finish(b, e);
	(void)finish(b, &why);
	return rc;
}

enum rc
enrol_run(const struct enrol_plan *plan, enrol_each *each, void *ctx,
    struct err *e)
{
	const struct batch_plan years = { .desk = plan->desk,
	    .nyears = plan->nyears, .years = { plan->years[0],
	    plan->years[1] } };
	const size_t n = plan->desk->members->n;
	struct enrol *b = NULL;
	uint8_t *keys = NULL, *kept = NULL;
	uint32_t *news = NULL;
	enum rc rc;

	if ((rc = batch_check(&years, e)) != RC_OK)
		return rc;
	b = secret_alloc(sizeof(*b));
	keys = secret_alloc(n * KDF_KEY_BYTES);
	kept = secret_alloc(ring_walk_kept(plan->desk->members));
	news = calloc(n, sizeof(*news));
	if (b == NULL || keys == NULL || kept == NULL || news == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else {
		b->plan = plan;
		b->each = each;
		b->ctx = ctx;
		b->all = plan->desk->members;
		b->keys = keys;
		b->kept = kept;
		b->news = news;
		rc = rings_init(&b->rings, b->all) ?
		    do_years(b, e) :
		    err_set(e, RC_NOMEM, _("no memory left"));
		rings_wipe(&b->rings);
		buf_free(&b->out);
	}
	free(news);
	secret_free(&keys);
	secret_free(&kept);
	secret_free(&b);
	return rc;
}
