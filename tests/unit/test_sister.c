/* issuer/sister: two desks, and what one grants the members of the other. */
#include "issuer_unit.h"
#include "issuer/sister.h"
#include "vault/payload.h"
#include "vault/sealed.h"

#define MANY 2300	/* more than go into two mails */

static const uint8_t code[CODE_BYTES] = { 1, 2, 3 };

struct world {
	char		 dirs[2][PATH_MAX];
	struct desk	*ours, *theirs;
	struct sister_list list;
	FILE		*file;
	struct sister_count count;
	size_t		 nrefused;
	/* What was given out. */
	size_t		 n, grants, entries;
	size_t		 parts[2];
	const struct sister_mail *mail;
	enum rc		 say;
};

static void
on_refused(void *ctx, const struct identity *id, const struct member *owner)
{
	struct world *w = ctx;

	w->nrefused++;
	T_CHECK(sister_owner(w->theirs->members, id) == owner);
}

static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct desk_plan p;
	struct err e = ERR_INIT;

	T_CHECK(w != NULL && (w->file = tmpfile()) != NULL);
	folder_new(w->dirs[0]);
	folder_new(w->dirs[1]);
	w->ours = desk_of(w->dirs[0]);
	p = plan_of(w->dirs[1]);
	p.assoc = "beta";
	p.domain = "beta.example";
	p.hub = NULL;
	T_RC(desk_init(&p, true, &e), RC_OK);
	T_RC(desk_open(w->dirs[1], &w->theirs, &e), RC_OK);
	desk_ready(w->ours);
	desk_ready(w->theirs);
	must_enter(w->ours->members, "labo@x.example", "ville",
	    MEMBER_LABORATORY);
	must_enter(w->ours->members, "martin@y.example", "", MEMBER_PRACTICE);
	return w;
}

static void
world_free(struct world *w)
{
	sister_list_wipe(&w->list);
	desk_close(&w->ours);
	desk_close(&w->theirs);
	folder_remove(w->dirs[0]);
	folder_remove(w->dirs[1]);
	fclose(w->file);
	free(w);
}

static enum rc
list(struct world *w, const char *ring)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;
	enum rc rc;

	T_CHECK(sister_list_format(w->ours->members, ring, &n, &b));
	sister_list_wipe(&w->list);
	rc = sister_list_parse((struct bytes){ b.p, b.len }, &w->list, &e);
	T_CHECK(rc != RC_OK || n == w->list.n);
	buf_free(&b);
	return rc;
}

static enum rc
into_file(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct world *w = ctx;

	(void)e;
	T_CHECK(fwrite(p, 1, len, w->file) == len);
	return RC_OK;
}

static enum rc
grant(struct world *w, const char *ring)
{
	const struct sister_grant_plan p = { w->theirs, &w->list, ring,
	    this_year(), on_refused, w };
	struct err e = ERR_INIT;
	enum rc rc = sister_grant_check(&p, &w->count, &e);

	if (rc == RC_OK)
		rc = sister_grant(&p, code, (struct env_sink){ into_file, w },
		    &e);
	T_CHECK(fflush(w->file) == 0);
	return rc;
}

/* ---- what our members are told ------------------------------------------ */

static enum rc
give_key(void *ctx, const struct env_head *h, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	const struct world *w = ctx;
	uint8_t member[KDF_KEY_BYTES];

	(void)e;
	T_CHECK(identity_eq(&h->from, &w->ours->issuer));
	T_CHECK(identity_eq(&h->to, &w->mail->member->id));
	kdf_member(member, desk_root(w->ours, h->year), h->year, &h->to);
	kdf_channel(key, member, &h->from);
	return RC_OK;
}

/* Each is what the peer derives from the key that his own desk gave him. */
static enum rc
see_record(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct world *w = ctx;
	uint8_t member[KDF_KEY_BYTES], key[KDF_KEY_BYTES];
	struct rec r;

	T_RC(rec_parse(type, value, &r, e), RC_OK);
	w->entries += type == REC_ENTRY;
	if (type != REC_GRANT)
		return RC_OK;
	w->grants++;
	kdf_member(member, desk_root(w->theirs, r.grant.year), r.grant.year,
	    &r.grant.peer);
	kdf_channel(key, member, &w->mail->member->id);
	assert_memory_equal(r.grant.key, key, sizeof(key));
	return RC_OK;
}

static enum rc
see(void *ctx, const struct sister_mail *m, struct err *e)
{
	struct world *w = ctx;
	const struct sealed_events on = { w, PAYLOAD_DESK_MAX, give_key,
	    see_record };
	FILE *f = tmpfile();

	w->n++;
	w->mail = m;
	w->parts[m->member->kind == MEMBER_LABORATORY] = m->part;
	T_CHECK(f != NULL);
	if (m->envelope.len > 0) {	/* else it is only told */
		T_CHECK(fwrite(m->envelope.p, 1, m->envelope.len, f) ==
		    m->envelope.len && fflush(f) == 0 &&
		    fseek(f, 0, SEEK_SET) == 0);
		T_RC(sealed_read(fileno(f), &on, e), RC_OK);
	}
	fclose(f);
	return w->say == RC_OK ? RC_OK : err_set(e, w->say, "enough");
}

static enum rc
accept_all(struct world *w, bool really)
{
	struct err e = ERR_INIT;

	w->n = w->grants = w->entries = 0;
	return sister_accept(w->ours, fileno(w->file), code, really, see, w,
	    &w->count, &e);
}

/* ------------------------------------------------------------------------- */

static void
test_a7_whose_domain_it_is(void **state)
{
	static const struct {
		const char	*id;
		bool		 ours;
	} of[] = { { "z/a@x.example#1", true }, { "z/a@sub.x.example#1", true },
	    { "z/a@xx.example#1", false }, { "z/a@a-x.example#1", false },
	    { "z/a@x.example.fr#1", false }, { "z/a@example.fr#1", false },
	    { "z/a@asso.example#1", true }, { "z/a@z.example#1", false } };
	struct world *w = world_new();
	struct identity id;

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		T_CHECK(identity_parse(of[i].id, strlen(of[i].id), &id));
		assert_int_equal(sister_owner(w->ours->members, &id) != NULL,
		    of[i].ours);
	}
	/* Who has left had it, too. */
	w->ours->members->v[w->ours->members->n - 1].excluded = true;
	T_CHECK(identity_parse("z/a@y.example#1", 15, &id));
	T_CHECK(sister_owner(w->ours->members, &id) != NULL);
	world_free(w);
}

static void
test_lists(void **state)
{
	struct world *w = world_new();

	(void)state;
	T_RC(list(w, NULL), RC_OK);
	assert_int_equal(w->list.n, 2);
	T_CHECK(identity_eq(&w->list.issuer, &w->ours->issuer));
	T_RC(list(w, "VILLE"), RC_OK);
	assert_int_equal(w->list.n, 1);
	T_STR(w->list.ids[0].s, "essai/labo@x.example#1");
	T_RC(list(w, "nord"), RC_INPUT);
	w->ours->members->v[w->ours->members->n - 2].excluded = true;
	T_RC(list(w, "ville"), RC_INPUT);
	world_free(w);
}

static void
test_grants_fit_and_go_in_parts(void **state)
{
	struct world *w = world_new();
	char address[64];

	(void)state;
	T_RC(list(w, NULL), RC_OK);
	T_RC(grant(w, NULL), RC_INPUT);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(address, sizeof(address), "m%zu@n%zu.example", i, i);
		must_enter(w->theirs->members, address, i % 2 ? "ville" : "",
		    MEMBER_PRACTICE);
	}
	T_RC(grant(w, NULL), RC_OK);
	assert_int_equal(w->count.grants, 2 * MANY);
	T_RC(accept_all(w, false), RC_OK);
	assert_int_equal(w->n, 6);
	assert_int_equal(w->grants, 0);
	T_RC(accept_all(w, true), RC_OK);
	assert_int_equal(w->n, 6);
	assert_int_equal(w->grants, 2 * MANY);
	assert_int_equal(w->entries, 2 * MANY);
	assert_int_equal(w->parts[0], 3);
	assert_int_equal(w->parts[1], 3);
	assert_int_equal(w->count.writers, 2);
	assert_int_equal(w->count.peers, MANY);
	w->say = RC_TEMP;
	T_RC(accept_all(w, true), RC_TEMP);
	assert_int_equal(w->n, 1);
	world_free(w);
}

/* By list on their side; and nobody of theirs in a domain of ours. */
static void
test_agreed_pairs(void **state)
{
	struct world *w = world_new();

	(void)state;
	T_RC(list(w, NULL), RC_OK);
	must_enter(w->theirs->members, "a@n.example", "ville",
	    MEMBER_PRACTICE);
	must_enter(w->theirs->members, "b@m.x.example", "ville", MEMBER_OTHER);
	must_enter(w->theirs->members, "c@n.example", "", MEMBER_OTHER);
	T_RC(grant(w, "ville"), RC_OK);
	assert_int_equal(w->count.grants, 4);
	assert_int_equal(w->nrefused, 0);
	T_RC(accept_all(w, true), RC_OK);
	assert_int_equal(w->grants, 2);
	assert_int_equal(w->count.refused, 1);
	assert_int_equal(w->count.peers, 1);
	/* The other way round, they would not vouch for ours. */
	must_enter(w->theirs->members, "d@x.example", "", MEMBER_OTHER);
	T_RC(grant(w, "ville"), RC_OK);
	assert_int_equal(w->nrefused, 1);
	world_free(w);
}

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return secret_init(&e) == RC_OK ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a7_whose_domain_it_is),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_grants_fit_and_go_in_parts),
		cmocka_unit_test(test_agreed_pairs),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
