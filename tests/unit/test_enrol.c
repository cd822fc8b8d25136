/* issuer/enrol: who is told what. */
#include "issuer_unit.h"
#include "issuer/enrol.h"
#include "vault/payload.h"
#include "vault/sealed.h"

enum { ISSUER, WATCH, HUB, LABO, MARTIN, DURAND, LEFT, N };

struct told {
	size_t	n;		/* envelopes */
	size_t	settled;	/* of them, to be durable */
	size_t	to[N + 1];	/* of whom; by position in the register */
	size_t	grants[N + 1], entries[N + 1], bars[N + 1];
	size_t	largest;
	enum rc	say;
	bool	lose;		/* they cannot be made durable */
	/* The envelope that is read. */
	struct desk *d;
	const struct enrol_done *done;
	size_t	records;
};

static enum rc
give_key(void *ctx, const struct env_head *h, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	const struct told *t = ctx;
	uint8_t member[KDF_KEY_BYTES];

	(void)e;
	T_CHECK(h->source == ENV_CHANNEL && h->year == t->done->year);
	T_CHECK(identity_eq(&h->from, &t->d->issuer));
	T_CHECK(identity_eq(&h->to, &t->done->member->id));
	kdf_member(member, desk_root(t->d, h->year), h->year, &h->to);
	kdf_channel(key, member, &h->from);
	return RC_OK;
}

/* Each GRANT is of the envelope's year, and is what its peer derives (K3). */
static enum rc
see_record(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct told *t = ctx;
	uint8_t member[KDF_KEY_BYTES], key[KDF_KEY_BYTES];
	const uint16_t year = t->done->year;
	struct rec r;

	T_RC(rec_parse(type, value, &r, e), RC_OK);
	t->records += type != REC_META;
	if (type != REC_GRANT)
		return RC_OK;
	assert_int_equal(r.grant.year, year);
	kdf_member(member, desk_root(t->d, year), year, &r.grant.peer);
	kdf_channel(key, member, &t->done->member->id);
	assert_memory_equal(r.grant.key, key, sizeof(key));
	return RC_OK;
}

static void
read_envelope(struct told *t, const struct enrol_done *d)
{
	const struct sealed_events on = { t, PAYLOAD_DESK_MAX, give_key,
	    see_record };
	struct err e = ERR_INIT;
	FILE *f = tmpfile();

	T_CHECK(f != NULL && fwrite(d->envelope.p, 1, d->envelope.len, f) ==
	    d->envelope.len && fflush(f) == 0 && fseek(f, 0, SEEK_SET) == 0);
	t->done = d;
	t->records = 0;
	T_RC(sealed_read(fileno(f), &on, &e), RC_OK);
	assert_int_equal(t->records, d->grants + d->entries + d->bars);
	fclose(f);
}

static enum rc
see(void *ctx, const struct enrol_done *d, struct err *e)
{
	struct told *t = ctx;

	if (d == NULL) {
		t->settled = t->n;
		return t->lose ? err_set(e, RC_TEMP, "lost") : RC_OK;
	}
	const size_t i = (size_t)(d->member - t->d->members->v);
	const size_t at = i < N ? i : N;

	t->n++;
	t->to[at]++;
	assert_int_equal(d->part, t->to[at]);
	t->grants[at] += d->grants;
	t->entries[at] += d->entries;
	t->bars[at] += d->bars;
	if (d->envelope.len > 0)
		read_envelope(t, d);
	if (d->envelope.len > t->largest)
		t->largest = d->envelope.len;
	return t->say == RC_OK ? RC_OK : err_set(e, t->say, "enough");
}

struct world {
	char		 dir[PATH_MAX];
	struct desk	*d;
	struct enrol_plan plan;
	struct told	 t;
};

/* Everybody has a key and knows everybody. */
static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct members *m;

	T_CHECK(w != NULL);
	folder_new(w->dir);
	w->d = desk_of(w->dir);
	desk_ready(w->d);
	m = w->d->members;
	must_enter(m, "labo@x.example", "bio|cardio", MEMBER_LABORATORY);
	must_enter(m, "martin@x.example", "bio", MEMBER_PRACTICE);
	must_enter(m, "durand@x.example", "cardio", MEMBER_PRACTICE);
	must_enter(m, "parti@x.example", "bio", MEMBER_PRACTICE);
	/* desk_of() puts them so. */
	T_CHECK(m->v[ISSUER].kind == MEMBER_ISSUER && m->n == N &&
	    m->v[HUB].kind == MEMBER_HUB);
	m->v[LEFT].excluded = true;
	for (size_t i = WATCH; i < N; i++)
		member_tell(&m->v[i], this_year(), m->changed_at);
	m->stamp_at = 0;
	w->plan = (struct enrol_plan){ .desk = w->d, .nyears = 1,
	    .years = { this_year() }, .since_at = ENROL_BY_MARKS,
	    .really = true };
	w->t.d = w->d;
	return w;
}

static void
world_free(struct world *w)
{
	desk_close(&w->d);
	folder_remove(w->dir);
	free(w);
}

static enum rc
run(struct world *w)
{
	const enum rc say = w->t.say;
	const bool lose = w->t.lose;
	struct err e = ERR_INIT;

	memset(&w->t, 0, sizeof(w->t));
	w->t.say = say;
	w->t.lose = lose;
	w->t.d = w->d;
	return enrol_run(&w->plan, see, &w->t, &e);
}

/* As a new day: what changes now is later. */
static struct member *
change(struct world *w, size_t i)
{
	struct members *m = w->d->members;

	m->stamp_at = 0;
	members_touch(m, &m->v[i]);
	return &m->v[i];
}

static void
newcomer(struct world *w, const char *lists)
{
	w->d->members->stamp_at = 0;
	must_enter(w->d->members, "new@x.example", lists, MEMBER_PRACTICE);
	member_tell(&w->d->members->v[w->d->members->n - 1], this_year(),
	    w->d->members->changed_at);
}

static void
test_nothing_new(void **state)
{
	struct world *w = world_new();

	(void)state;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);
	/* Who has no key cannot be told. */
	newcomer(w, "bio");
	for (size_t i = 0; i < N; i++)
		memset(w->d->members->v[i].marks, 0,
		    sizeof(w->d->members->v[i].marks));
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);
	w->plan.years[0]++;
	T_RC(run(w), RC_CONF);
	world_free(w);
}

/* Once each; not the issuer, who left, or the newcomer himself. */
static void
test_newcomer(void **state)
{
	struct world *w = world_new();

	(void)state;
	newcomer(w, "");
	w->plan.really = false;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	assert_int_equal(w->t.largest, 0);
	w->plan.really = true;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	for (size_t i = WATCH; i <= DURAND; i++) {
		assert_int_equal(w->t.to[i], 1);
		assert_int_equal(w->t.grants[i], 1);
		assert_int_equal(w->t.entries[i], 1);
		assert_int_equal(w->t.bars[i], 0);
	}
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);
	world_free(w);
}

/* Who has no key of the year, nor one that is renewed, cannot be written to
 * in it: a line of the directory, no more. */
static void
test_keyless(void **state)
{
	struct world *w = world_new();
	struct member *m;

	(void)state;
	newcomer(w, "");
	m = &w->d->members->v[N];
	for (int years = -1; years < 3; years++) {
		memset(m->marks, 0, sizeof(m->marks));
		if (years < 2)
			member_tell(m, (uint16_t)(this_year() + years), 0);
		w->plan.since_at = m->changed_at;
		T_RC(run(w), RC_OK);
		assert_int_equal(w->t.entries[LABO], 1);
		assert_int_equal(w->t.grants[LABO], years <= 0);
	}
	world_free(w);
}

/* Keys for who shares the list; a line of the directory for everybody, or
 * for them alone. */
static void
test_list(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->d->members->policy = MEMBERS_LIST;
	newcomer(w, "bio");
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	assert_int_equal(w->t.grants[LABO], 1);
	assert_int_equal(w->t.grants[MARTIN], 1);
	assert_int_equal(w->t.grants[DURAND], 0);
	assert_int_equal(w->t.grants[HUB], 1);
	assert_int_equal(w->t.entries[DURAND], 1);
	w->d->members->names_ring = true;
	w->plan.since_at = w->d->members->changed_at;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 4);
	assert_int_equal(w->t.to[DURAND], 0);
	world_free(w);
}

static void
join(struct world *w, const char *lists)
{
	struct err e = ERR_INIT;
	enum member_add how;

	w->d->members->stamp_at = 0;
	T_RC(enter(w->d->members, "martin@x.example", lists, MEMBER_PRACTICE,
	    &how, &e), RC_OK);
	T_CHECK(how == MEMBER_JOINED);
}

/* Who joins a list is news to those on it, and they to him; once. */
static void
test_joined(void **state)
{
	struct world *w = world_new();

	(void)state;
	join(w, "bio|cardio");
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);	/* all have all keys already */
	w->d->members->policy = MEMBERS_LIST;
	w->d->members->names_ring = true;
	join(w, "radio|cardio|bio");
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	assert_int_equal(w->t.grants[DURAND], 1);
	assert_int_equal(w->t.grants[LABO], 1);
	assert_int_equal(w->t.grants[HUB], 1);
	assert_int_equal(w->t.grants[MARTIN], 4);
	assert_int_equal(w->t.entries[MARTIN], 4);
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);
	world_free(w);
}

static void
test_thefts_and_departures(void **state)
{
	struct world *w = world_new();
	struct members *m = w->d->members;
	struct err e = ERR_INIT;

	(void)state;
	m->stamp_at = 0;
	T_RC(members_reissue(m, &m->v[MARTIN], &e), RC_OK);
	member_tell(&m->v[MARTIN], this_year(), m->changed_at);
	T_RC(members_leave(m, &m->v[DURAND], &e), RC_OK);
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 3);
	assert_int_equal(w->t.to[MARTIN] + w->t.to[DURAND], 0);
	assert_int_equal(w->t.grants[LABO], 1);
	assert_int_equal(w->t.entries[LABO], 1);
	assert_int_equal(w->t.bars[LABO], 2);
	world_free(w);
}

/* Only what changed since each was told, or since the day asked for. */
static void
test_since(void **state)
{
	struct world *w = world_new();
	struct members *m = w->d->members;
	int64_t first;

	(void)state;
	first = change(w, MARTIN)->changed_at;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 4);
	change(w, LABO);
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 4);
	assert_int_equal(w->t.grants[DURAND], 1);
	w->plan.since_at = first;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	assert_int_equal(w->t.grants[DURAND], 2);
	assert_int_equal(w->t.grants[MARTIN], 1);
	w->plan.since_at = m->changed_at + 1;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);
	w->plan.since_at = 0;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.grants[DURAND], 4);
	/* Nobody knows what he was told: all of it, though none is new. */
	w->plan.since_at = ENROL_BY_MARKS;
	member_tell(&m->v[DURAND], this_year(), 0);
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 1);
	assert_int_equal(w->t.grants[DURAND], 4);
	assert_int_equal(w->t.bars[DURAND], 1);
	world_free(w);
}

/* Whose envelope was not kept is told again; and a break is remembered. */
static void
test_breaks_off(void **state)
{
	struct world *w = world_new();
	struct err e = ERR_INIT;

	(void)state;
	newcomer(w, "");
	w->t.say = RC_TEMP;
	T_RC(run(w), RC_TEMP);
	assert_int_equal(w->t.n, 1);
	w->t.say = RC_OK;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	desk_close(&w->d);
	T_RC(desk_open(w->dir, &w->d, &e), RC_OK);
	w->plan.desk = w->d;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 0);
	world_free(w);
}

/* The register learns of nobody whose envelope may be lost. */
static void
test_lost(void **state)
{
	struct world *w = world_new();
	struct err e = ERR_INIT;

	(void)state;
	newcomer(w, "");
	w->t.lose = true;
	T_RC(desk_save(w->d, &e), RC_OK);
	T_RC(run(w), RC_TEMP);
	assert_int_equal(w->t.n, 5);
	desk_close(&w->d);
	T_RC(desk_open(w->dir, &w->d, &e), RC_OK);
	desk_ready(w->d);
	w->plan.desk = w->d;
	w->t.lose = false;
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, 5);
	assert_int_equal(w->t.settled, 5);
	world_free(w);
}

/* More than 1 MiB: several envelopes, each one whole, none of it twice. */
static void
test_splits(void **state)
{
	struct world *w = world_new();
	struct members *m = w->d->members;
	char address[120];
	size_t many = 6000;

	(void)state;
	for (size_t i = WATCH; i < N; i++)
		if (i != MARTIN)
			memset(m->v[i].marks, 0, sizeof(m->v[i].marks));
	m->stamp_at = 0;
	for (size_t i = 0; i < many; i++) {
		snprintf(address, sizeof(address), "x%05zu%050d@x.example",
		    i, 0);
		must_enter(m, address, "", MEMBER_OTHER);
		m->v[m->n - 1].marks[0].year = (uint16_t)(this_year() - 1);
	}
	T_RC(run(w), RC_OK);
	assert_int_equal(w->t.n, w->t.to[MARTIN]);
	T_CHECK(w->t.n > 1 && w->t.n < 5);
	assert_int_equal(w->t.grants[MARTIN], many);
	assert_int_equal(w->t.entries[MARTIN], many);
	T_CHECK(w->t.largest > PAYLOAD_DESK_MAX - 2048);
	T_CHECK(w->t.largest < PAYLOAD_DESK_MAX + 65536);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_new),
		cmocka_unit_test(test_newcomer),
		cmocka_unit_test(test_keyless),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_thefts_and_departures),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_breaks_off),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_splits),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
