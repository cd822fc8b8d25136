/* Whom one can write to: PROTOCOL 2.10.1, 2.19.16, 2.19.25, 2.19.26. */
#include "config.h"

#include "gate_unit.h"

#define MARTIN_2 "demo/dr.martin@cabinet.example#2"
#define DAY 86400

static struct rows rows;
static struct buf env, control;

static int
fresh(void **state)
{
	(void)state;
	rows_free(&rows);
	buf_wipe(&control);
	return 0;
}

static int
teardown(void **state)
{
	fresh(state);
	buf_free(&env);
	buf_free(&control);
	return 0;
}

static enum rc
resolve_at(struct gate *g, const char *who, int64_t now, bool for_control,
    struct gate_dest *d, struct err *e)
{
	const struct gate_resolve_args args = { .who = who,
	    .rows = rows_of(&rows), .now = now, .control = for_control };

	return gate_resolve(g, &args, d, e);
}

static void
test_ruling_16_three_ways_to_say_it(void **state)
{
	static const char *const ways[] = { A_MARTIN,
	    "demo/dr.martin@cabinet.example", "dr.martin@cabinet.example",
	    "Dr.Martin@Cabinet.EXAMPLE", "DEMO/dr.martin@cabinet.example" };
	struct gate *g = gate_for(A_LABO);
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		T_RC(dest_of(g, &rows, ways[i], &d, &e), RC_OK);
		T_STR(d.to, A_MARTIN);
		T_STR(d.name, "demo/dr.martin@cabinet.example");
		T_STR(d.own, A_LABO);
		T_STR(d.route, "dr.martin@cabinet.example");
		T_STR(d.show, "Dr Martin");
		T_CHECK(d.year == A_YEAR && !d.via_hub);
	}
	gate_free(&g);
}

static void
test_ruling_16_nobody(void **state)
{
	static const char *const bad[] = { "nobody@cabinet.example", "x", "",
	    "demo/", "a b@c.example", "demo/labo.central@labo.example",
	    "labo.central@labo.example", "dr.martin@cabinet.example,b@c.de" };
	struct gate *g = gate_for(A_LABO);
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(dest_of(g, &rows, bad[i], &d, &e), RC_PERM);
	gate_free(&g);
}

static void
test_ruling_16_several_are_named(void **state)
{
	static const struct assoc_member other = {
		"autre/dr.martin@cabinet.example#1", "Un autre",
		REC_ENTRY_PRACTICE, false };
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct gate *g;
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	assoc_entry(ks, &other);
	g = gate_over(ks);
	T_RC(dest_of(g, &rows, "dr.martin@cabinet.example", &d, &e), RC_PERM);
	T_CHECK(strstr(e.text, "autre/dr.martin@cabinet.example") != NULL);
	T_CHECK(strstr(e.text, "demo/dr.martin@cabinet.example") != NULL);
	T_RC(dest_of(g, &rows, "demo/dr.martin@cabinet.example", &d, &e),
	    RC_OK);
	gate_free(&g);
}

static void
test_ruling_16_no_key_goes_through_the_hub(void **state)
{
	struct gate *g = gate_for(A_LABO);
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(dest_of(g, &rows, "infirmiere.petit@petit.example", &d, &e),
	    RC_OK);
	T_CHECK(d.via_hub);
	T_STR(d.to, A_HUB);
	T_STR(d.name, "demo/infirmiere.petit@petit.example");
	T_STR(d.route, "passerelle@demo.example");
	/* No ENTRY is needed for a full name. */
	T_RC(dest_of(g, &rows, "demo/inconnu@nulle.example", &d, &e), RC_OK);
	T_CHECK(d.via_hub);
	/* An acknowledgement has no business there. */
	T_RC(resolve_at(g, "demo/inconnu@nulle.example", NOW, true, &d, &e),
	    RC_PERM);
	gate_free(&g);
}

static void
test_no_key_and_no_hub(void **state)
{
	struct keystore *ks;
	struct gate *g;
	struct gate_dest d;
	struct err e = ERR_INIT;
	uint8_t key[32] = { 1 };
	const struct rec_self self = { A_YEAR, 0, CLOCK_FOREVER,
	    CLOCK_FOREVER, key, assoc_id(A_LABO) };
	size_t i;

	(void)state;
	T_RC(keystore_new(0, &ks, &e), RC_OK);
	T_RC(keystore_add_self(ks, &self, &i, &e), RC_OK);
	g = gate_over(ks);
	T_RC(dest_of(g, &rows, "demo/inconnu@nulle.example", &d, &e),
	    RC_PERM);
	gate_free(&g);
}

static void
test_ruling_25_a_void_key_is_never_used(void **state)
{
	struct gate *g = gate_for(A_LABO);
	struct gate_dest d;
	struct err e = ERR_INIT;
	struct rec r = { .type = REC_BAR };

	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	r.bar.minimum = 2;
	T_CHECK(identity_parse_name("demo/dr.martin@cabinet.example", 30,
	    &r.bar.name));
	rec_to(&control, &r);
	forge(A_WATCH, A_LABO, A_YEAR, &control, NULL, &env);
	expect_class(g, &rows, &env, EC_NONE);
	T_RC(dest_of(g, &rows, "dr.martin@cabinet.example", &d, &e), RC_OK);
	T_CHECK(d.via_hub);
	/* His first message brings the key of the new generation. */
	rec_meta(&control, NOW, 0, A_YEAR);
	r = (struct rec){ .type = REC_GRANT };
	{
		uint8_t key[32];

		assoc_channel(A_LABO, MARTIN_2, A_YEAR, key);
		r.grant = (struct rec_grant){ A_YEAR, key,
		    assoc_id(MARTIN_2) };
		rec_to(&control, &r);
	}
	forge(MARTIN_2, A_LABO, A_YEAR, &control, NULL, &env);
	expect_class(g, &rows, &env, EC_NONE);
	T_RC(dest_of(g, &rows, "dr.martin@cabinet.example", &d, &e), RC_OK);
	T_CHECK(!d.via_hub);
	T_STR(d.to, MARTIN_2);
	/* Excluded: not even through the hub. */
	rec_meta(&control, NOW, 0, A_YEAR);
	r = (struct rec){ .type = REC_BAR };
	r.bar.minimum = 255;
	T_CHECK(identity_parse_name("demo/dr.martin@cabinet.example", 30,
	    &r.bar.name));
	rec_to(&control, &r);
	forge(A_ISSUER, A_LABO, A_YEAR, &control, NULL, &env);
	expect_class(g, &rows, &env, EC_NONE);
	T_RC(dest_of(g, &rows, "dr.martin@cabinet.example", &d, &e), RC_PERM);
	gate_free(&g);
}

/* A laboratory with 2026 and 2027, in the windows of 2.19.26. */
static struct gate *
two_years(void)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	T_RC(keystore_new(0, &ks, &e), RC_OK);
	for (uint16_t year = 2026; year <= 2027; year++) {
		size_t i = assoc_self(ks, A_LABO, year);

		assoc_full(ks, i);
		ks->selves[i].from_at = clock_utc(year, 1, 1);
		ks->selves[i].send_until_at = clock_utc(year + 1, 2, 1);
		ks->selves[i].read_until_at = clock_utc(year + 1, 4, 1);
	}
	return gate_over(ks);
}

static uint16_t
year_at(struct gate *g, int64_t now, bool for_control)
{
	struct gate_dest d;
	struct err e = ERR_INIT;
	enum rc rc = resolve_at(g, A_MARTIN, now, for_control, &d, &e);

	if (rc == RC_CONF)
		return 0;
	T_RC(rc, RC_OK);
	return d.year;
}

static void
shows_year(struct gate *g, uint16_t year)
{
	rec_meta(&control, NOW, 0, year);
	forge(A_MARTIN, A_LABO, 2026, &control, NULL, &env);
	expect_class(g, &rows, &env, EC_NONE);
}

static void
test_ruling_26_the_older_year_until_the_newer_was_shown(void **state)
{
	struct gate *g = two_years();
	int64_t january = clock_utc(2027, 1, 1);

	(void)state;
	assert_int_equal(year_at(g, january - 1, false), 2026);
	assert_int_equal(year_at(g, january, false), 2026);
	assert_int_equal(year_at(g, clock_utc(2027, 2, 1) - 1, false), 2026);
	assert_int_equal(year_at(g, clock_utc(2027, 2, 1), false), 2027);
	assert_int_equal(year_at(g, clock_utc(2028, 2, 1) - 1, false), 2027);
	assert_int_equal(year_at(g, clock_utc(2028, 2, 1), false), 0);
	assert_int_equal(year_at(g, clock_utc(2026, 1, 1) - 1, false), 0);
	shows_year(g, 2027);
	assert_int_equal(year_at(g, january - 1, false), 2026);
	assert_int_equal(year_at(g, january, false), 2027);
	gate_free(&g);
}

static void
test_ruling_26_acks_until_reading_ends(void **state)
{
	struct gate *g = two_years();

	(void)state;
	assert_int_equal(year_at(g, clock_utc(2028, 4, 1) - 1, true), 2027);
	assert_int_equal(year_at(g, clock_utc(2028, 4, 1), true), 0);
	gate_free(&g);
}

static void
test_replies_keep_the_year_of_what_they_answer(void **state)
{
	struct gate *g = two_years();
	const struct gate_rows r = rows_of(&rows);
	struct gate_head head = { .year = 2027 };
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	snprintf(head.sender, sizeof(head.sender), "%s", A_MARTIN);
	snprintf(head.recipient, sizeof(head.recipient), "%s", A_LABO);
	T_RC(gate_reply(g, &head, &r, clock_utc(2027, 1, 15), &d, &e), RC_OK);
	assert_int_equal(d.year, 2027);
	head.year = 2026;
	T_RC(gate_reply(g, &head, &r, clock_utc(2027, 3, 15), &d, &e), RC_OK);
	assert_int_equal(d.year, 2026);
	/* Over: whatever year serves. */
	T_RC(gate_reply(g, &head, &r, clock_utc(2027, 4, 1), &d, &e), RC_OK);
	assert_int_equal(d.year, 2027);
	gate_free(&g);
}

static void
test_only_my_highest_generation_writes(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct gate *g;
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	assoc_full(ks, assoc_self(ks, "demo/labo.central@labo.example#2",
	    A_YEAR));
	g = gate_over(ks);
	T_RC(dest_of(g, &rows, A_MARTIN, &d, &e), RC_OK);
	T_STR(d.own, "demo/labo.central@labo.example#2");
	gate_free(&g);
}

static void
test_own_names(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct gate *g;
	struct err e = ERR_INIT;
	char own[GATE_ID_BYTES];

	(void)state;
	g = gate_over(ks);
	T_RC(gate_own(g, NULL, own, &e), RC_OK);
	T_STR(own, "demo/labo.central@labo.example");
	T_RC(gate_own(g, "Labo.Central@LABO.example", own, &e), RC_OK);
	T_STR(own, "demo/labo.central@labo.example");
	T_RC(gate_own(g, "dr.martin@cabinet.example", own, &e), RC_PERM);
	gate_free(&g);
	ks = assoc_store(A_LABO, A_YEAR);
	assoc_full(ks, assoc_self(ks, A_DURAND, A_YEAR));
	g = gate_over(ks);
	T_RC(gate_own(g, NULL, own, &e), RC_PERM);
	T_RC(gate_own(g, A_DURAND, own, &e), RC_OK);
	T_STR(own, "demo/cabinet.durand@durand.example");
	gate_free(&g);
}

/* An enrolment batch: a newcomer by GRANT and ENTRY (2.8, 2.19.35). */
static void
enrol(struct gate *g, int64_t at, const char *route)
{
	struct rec r = { .type = REC_GRANT };
	uint8_t key[32];

	rec_meta(&control, at, 0, A_YEAR);
	assoc_channel(A_LABO, "demo/neuf@neuf.example#1", A_YEAR, key);
	r.grant = (struct rec_grant){ A_YEAR, key,
	    assoc_id("demo/neuf@neuf.example#1") };
	rec_to(&control, &r);
	r = (struct rec){ .type = REC_ENTRY };
	r.entry = (struct rec_entry){ REC_ENTRY_PRACTICE,
	    assoc_id("demo/neuf@neuf.example#1"),
	    { (const uint8_t *)route, strlen(route) },
	    { (const uint8_t *)"Neuf", 4 } };
	rec_to(&control, &r);
	forge(A_ISSUER, A_LABO, A_YEAR, &control, NULL, &env);
	expect_class(g, &rows, &env, EC_NONE);
}

static void
test_ruling_35_of_two_entries_the_later_wins(void **state)
{
	struct gate *g = gate_for(A_LABO);
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_PERM);
	enrol(g, NOW + 2 * DAY, "second@box.example");
	enrol(g, NOW + DAY, "first@box.example");
	gate_forget(g);
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_OK);
	T_STR(d.route, "second@box.example");
	T_STR(d.show, "Neuf");
	T_CHECK(!d.via_hub);
	enrol(g, NOW + 3 * DAY, "third@box.example");
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_OK);
	T_STR(d.route, "third@box.example");
	gate_free(&g);
}

static void
test_rows_survive_an_erasure(void **state)
{
	static const uint8_t fixed[KDF_KEY_BYTES] = { 7 };
	struct keystore *ks;
	struct err e = ERR_INIT;
	struct gate *g;
	struct gate_dest d;

	(void)state;
	/* One store, before and after 2025 is erased: same local key once. */
	T_RC(keystore_new(0, &ks, &e), RC_OK);
	assoc_full(ks, assoc_self(ks, A_LABO, 2025));
	assoc_full(ks, assoc_self(ks, A_LABO, A_YEAR));
	keystore_fix(ks, fixed, fixed);
	g = gate_over(ks);
	enrol(g, NOW, "box@box.example");
	gate_free(&g);

	T_RC(keystore_new(0, &ks, &e), RC_OK);
	assoc_full(ks, assoc_self(ks, A_LABO, 2025));
	assoc_full(ks, assoc_self(ks, A_LABO, A_YEAR));
	keystore_fix(ks, fixed, fixed);
	T_RC(keystore_erase(ks, 2025, &e), RC_OK);
	g = gate_over(ks);
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_OK);
	for (size_t i = 0; i < rows.n; i++) {
		struct gate_row next = { .sealed = BUF_INIT };

		snprintf(next.key, sizeof(next.key), "%s", rows.r[i].key);
		T_RC(gate_row_renew(g, next.key, &rows.r[i].sealed,
		    &next.sealed, &e), RC_OK);
		rows_put(&rows, &next);
		gate_row_free(&next);
	}
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_OK);
	T_STR(d.route, "box@box.example");
	gate_free(&g);
}

static void
test_what_is_held(void **state)
{
	struct gate *g = gate_for(A_HUB);
	struct gate_self s;
	struct gate_entry x;
	size_t at = 0, n = 0;

	(void)state;
	T_CHECK(gate_nselves(g) == 1 && gate_warning(g) != NULL);
	gate_self(g, 0, &s);
	T_STR(s.identity, A_HUB);
	T_STR(s.address, "passerelle@demo.example");
	T_STR(s.issuer, A_ISSUER);
	T_CHECK(s.is_hub && !s.is_watch && !s.is_issuer && !s.replaced);
	T_CHECK(s.npeers == ASSOC_N - 1 && s.year == A_YEAR);
	T_CHECK(s.send_until_at == CLOCK_FOREVER);
	while (gate_entries(g, &at, &x))
		n++;
	T_CHECK(n == ASSOC_N);
	gate_free(&g);
}

static void
test_by_the_name_that_the_directory_shows(void **state)
{
	static const struct { const char *show, *name; } is[] = {
		{ "Dr Martin", "demo/dr.martin@cabinet.example" },
		{ "DR. MARTIN", "demo/dr.martin@cabinet.example" },
		{ "  dr-martin ", "demo/dr.martin@cabinet.example" },
		{ "MME PETIT INFIRMIERE",
		    "demo/infirmiere.petit@petit.example" },
		{ "Mme Petit, infirmie\xcc\x80re",
		    "demo/infirmiere.petit@petit.example" },
		{ "Martin", NULL }, { "Dr Martin jr", NULL }, { "", NULL },
		{ "dr.martin@cabinet.example", NULL }, { "\xff", NULL },
	};
	struct gate *g = gate_for(A_LABO);

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		const struct gate_resolve_args args = { .who = is[i].show,
		    .shown = true, .rows = rows_of(&rows) };
		struct err e = ERR_INIT;
		struct gate_dest d;

		T_RC(gate_resolve(g, &args, &d, &e), is[i].name == NULL ?
		    RC_PERM : RC_OK);
		T_STR(d.name, is[i].name == NULL ? "" : is[i].name);
		T_CHECK(e.class == EC_NONE);
	}
	gate_free(&g);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ruling_16_three_ways_to_say_it),
		T(test_ruling_16_nobody),
		T(test_ruling_16_several_are_named),
		T(test_ruling_16_no_key_goes_through_the_hub),
		T(test_no_key_and_no_hub),
		T(test_ruling_25_a_void_key_is_never_used),
		T(test_ruling_26_the_older_year_until_the_newer_was_shown),
		T(test_ruling_26_acks_until_reading_ends),
		T(test_replies_keep_the_year_of_what_they_answer),
		T(test_only_my_highest_generation_writes),
		T(test_own_names),
		T(test_ruling_35_of_two_entries_the_later_wins),
		T(test_rows_survive_an_erasure),
		T(test_what_is_held),
		T(test_by_the_name_that_the_directory_shows),
	};

	return cmocka_run_group_tests(tests, gate_setup, teardown);
}
