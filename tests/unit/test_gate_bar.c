/* The watch desk's part of the gate: PROTOCOL 2.8, 2.19.23 to 25. */
#include "config.h"

#include "gate_unit.h"

#define DURAND "demo/cabinet.durand@durand.example"
#define AT_DURAND "cabinet.durand@durand.example"

static struct rows rows;

static int
fresh(void **state)
{
	(void)state;
	rows_free(&rows);
	return 0;
}

/* The desk, with a bar against ${name} in its key file, or none. */
static struct gate *
desk_with(const char *name, uint8_t min)
{
	struct keystore *ks = assoc_store(A_WATCH, A_YEAR);
	struct err e = ERR_INIT;
	struct identity id;

	if (name != NULL) {
		T_CHECK(identity_parse_name(name, strlen(name), &id));
		T_RC(ring_bar(ks->ring, &id, min, &e), RC_OK);
	}
	return gate_over(ks);
}

static enum rc
bar(struct gate *g, const char *who, uint8_t min, struct gate_barring *x,
    struct err *e)
{
	struct gate_rows r = rows_of(&rows);
	enum rc rc = gate_bar(g, &r, who, min, NOW, x, e);

	if (rc == RC_OK && x->row.key[0] != '\0')
		rows_put(&rows, &x->row);
	gate_row_free(&x->row);
	return rc;
}

static void
test_only_the_desk_may(void **state)
{
	static const char *const others[] = { A_LABO, A_HUB, A_ISSUER };
	struct gate_barring x;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct gate *g = gate_for(others[i]);

		T_CHECK(gate_desk(g, NOW, NULL) == 0);
		T_RC(bar(g, AT_DURAND, 0, &x, &e), RC_CONF);
		gate_free(&g);
	}
	T_CHECK(rows.n == 0);
}

static void
test_nobody_with_an_office(void **state)
{
	static const char *const offices[] = { A_HUB, A_ISSUER, A_WATCH };
	struct gate *g = desk_with(NULL, 0);
	struct gate_barring x;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		T_RC(bar(g, offices[i], 255, &x, &e), RC_PERM);
	T_CHECK(!gate_may_bar(g, "demo/passerelle@demo.example") &&
	    gate_may_bar(g, "demo/veille@demo.example") &&
	    gate_may_bar(g, DURAND) && !gate_may_bar(g, "no name"));
	gate_free(&g);
}

/* With its new key the desk says that what was stolen is void (2.19.23). */
static void
test_its_own_older_keys(void **state)
{
	static const char *const names[] = { "Veille@demo.example",
	    "demo/veille@demo.example" };
	struct keystore *ks = assoc_store("demo/veille@demo.example#2", A_YEAR);
	struct gate *g = gate_over(ks);
	struct gate_barring x;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(bar(g, names[0], 255, &x, &e), RC_PERM);
	T_RC(bar(g, names[0], 3, &x, &e), RC_PERM);
	T_CHECK(rows.n == 0);
	for (size_t i = 0; i < 2; i++) {
		T_RC(bar(g, names[i], 0, &x, &e), RC_OK);
		T_CHECK(x.min == 2 && x.known == 2 && x.desk == 2);
		T_STR(x.name, names[1]);
		T_CHECK(x.before == (i > 0 ? 2 : 0) && rows.n == 1);
	}
	gate_free(&g);
}

static void
test_it_only_rises_and_by_one_key(void **state)
{
	struct gate *g = desk_with(NULL, 0);
	struct gate_barring x;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(bar(g, AT_DURAND, 3, &x, &e), RC_PERM);	/* 2 at most */
	T_RC(bar(g, AT_DURAND, 0, &x, &e), RC_OK);
	T_CHECK(x.known == 1 && x.before == 0 && x.min == 2 && x.desk == 1);
	T_STR(x.name, DURAND);
	T_RC(bar(g, AT_DURAND, 0, &x, &e), RC_PERM);	/* which one? */
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_CHECK(x.min == 2 && x.before == 2 && x.row.key[0] == '\0');
	T_RC(bar(g, AT_DURAND, 3, &x, &e), RC_OK);
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_CHECK(x.min == 3);
	T_RC(bar(g, AT_DURAND, 255, &x, &e), RC_OK);
	T_RC(bar(g, AT_DURAND, 4, &x, &e), RC_OK);
	T_CHECK(x.min == 255);
	gate_free(&g);
}

static void
test_a_name_that_nobody_knows(void **state)
{
	struct gate *g = desk_with(NULL, 0);
	struct gate_barring x;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(bar(g, "nobody@durand.example", 0, &x, &e), RC_PERM);
	T_RC(bar(g, "demo/nobody@durand.example", 0, &x, &e), RC_OK);
	T_CHECK(x.known == 0 && x.min == 2);
	gate_free(&g);
}

/* The desk opens the issuer's line about Durand, of ${at}. */
static void
enter(struct gate *g, int64_t at, const char *show)
{
	struct buf control = BUF_INIT, env = BUF_INIT;
	struct rec r = { .type = REC_ENTRY };

	rec_meta(&control, at, 0, A_YEAR);
	r.entry = (struct rec_entry){ REC_ENTRY_PRACTICE,
	    assoc_id(DURAND "#1"), { (const uint8_t *)"a@b.example", 11 },
	    { (const uint8_t *)show, strlen(show) } };
	rec_to(&control, &r);
	forge(A_ISSUER, A_WATCH, A_YEAR, &control, NULL, &env);
	expect_class(g, &rows, &env, EC_NONE);
	buf_free(&control);
	buf_free(&env);
}

/* A key file that came after what was learnt says his newer name. */
static void
test_he_is_shown_as_was_said_last(void **state)
{
	static const char now[] = "Dr Durand-Martin";
	struct keystore *ks = assoc_store(A_WATCH, A_YEAR);
	const struct identity id = assoc_id(DURAND "#1");
	struct gate_barring x;
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	T_RC(ring_enter(ks->ring, REC_ENTRY_PRACTICE, NOW + 100, &id,
	    identity_address(&id), (struct bytes){ (const uint8_t *)now,
	    strlen(now) }, &e), RC_OK);
	g = gate_over(ks);
	enter(g, NOW, "Dr Durand");
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_STR(x.show, now);
	enter(g, NOW + 200, "Dr D.-M.");
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_STR(x.show, "Dr D.-M.");
	gate_free(&g);
}

/* A new key is not barred by a second call for the old one's theft. */
static void
test_who_has_had_two_keys_is_asked_about(void **state)
{
	struct keystore *ks = assoc_store(A_WATCH, A_YEAR);
	struct gate_barring x;
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	assoc_grant(ks, 0, DURAND "#2");
	g = gate_over(ks);
	T_RC(bar(g, AT_DURAND, 0, &x, &e), RC_PERM);
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_CHECK(x.known == 2 && x.min == 2);
	gate_free(&g);
}

static void
test_what_the_key_file_brought(void **state)
{
	struct gate *g = desk_with(DURAND, 3);
	struct gate_barring x;
	struct gate_bar b;
	struct err e = ERR_INIT;
	size_t i = 0;

	(void)state;
	T_CHECK(gate_bars(g, &i, &b) && b.min == 3);
	T_STR(b.name, DURAND);
	T_CHECK(!gate_bars(g, &i, &b));
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_CHECK(x.before == 3 && x.min == 3);
	gate_free(&g);
	/* The issuer may bar a desk; everybody would refuse our saying so. */
	g = desk_with("demo/passerelle@demo.example", 2);
	i = 0;
	T_CHECK(!gate_bars(g, &i, &b));
	gate_free(&g);
}

/* No mail to a barred key, but the bulletin that says so. */
static void
test_the_barred_hear_of_it(void **state)
{
	struct gate *g = desk_with(NULL, 0);
	struct gate_resolve_args args = { .who = DURAND,
	    .rows = rows_of(&rows), .now = NOW, .control = true };
	struct gate_barring x;
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(bar(g, AT_DURAND, 255, &x, &e), RC_OK);
	T_RC(gate_resolve(g, &args, &d, &e), RC_PERM);
	args.bulletin = true;
	T_RC(gate_resolve(g, &args, &d, &e), RC_OK);
	T_STR(d.to, A_DURAND);
	gate_free(&g);
}

/* The desk of one and the same store. */
static struct gate *
desk_again(const char *identity)
{
	static const uint8_t local[KDF_KEY_BYTES] = { 1 };
	struct keystore *ks = assoc_store(identity, A_YEAR);

	keystore_fix(ks, local, local);
	return gate_over(ks);
}

/* The desk has a new key, and has told its list again under it: what it noted
 * before holds for everybody else, and for itself. */
static void
test_a_new_key_of_the_desk_lets_no_bar_lapse(void **state)
{
	struct gate *g = desk_again(A_WATCH);
	struct gate_rows r = rows_of(&rows);
	struct gate_resolve_args args = { .who = DURAND, .rows = r,
	    .now = NOW, .control = true };
	struct gate_barring x;
	struct gate_row row;
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(bar(g, AT_DURAND, 255, &x, &e), RC_OK);
	gate_free(&g);
	g = desk_again("demo/veille@demo.example#2");
	T_RC(gate_issued(g, &r, 7, NOW, &row, &e), RC_OK);
	rows_put(&rows, &row);
	gate_row_free(&row);
	gate_forget(g);
	T_RC(gate_resolve(g, &args, &d, &e), RC_PERM);
	T_RC(bar(g, AT_DURAND, 2, &x, &e), RC_OK);
	T_CHECK(x.before == 255 && x.min == 255);
	gate_free(&g);
}

static void
test_one_of_ours_is_barred(void **state)
{
	const char *const me = "demo/dr.martin@cabinet.example";
	struct gate_rows r = rows_of(&rows);
	struct err e = ERR_INIT;
	bool barred = true;
	struct gate *g = gate_for(A_MARTIN);
	struct keystore *ks;
	struct identity id;

	(void)state;
	T_RC(gate_self_barred(g, &r, 0, &barred, &e), RC_OK);
	T_CHECK(!barred);
	gate_free(&g);
	ks = assoc_store(A_MARTIN, A_YEAR);
	T_CHECK(identity_parse_name(me, strlen(me), &id));
	T_RC(ring_bar(ks->ring, &id, 2, &e), RC_OK);
	g = gate_over(ks);
	T_RC(gate_self_barred(g, &r, 0, &barred, &e), RC_OK);
	T_CHECK(barred);
	gate_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_the_desk_may, fresh),
		cmocka_unit_test_setup(test_nobody_with_an_office, fresh),
		cmocka_unit_test_setup(test_its_own_older_keys, fresh),
		cmocka_unit_test_setup(test_it_only_rises_and_by_one_key,
		    fresh),
		cmocka_unit_test_setup(test_a_name_that_nobody_knows, fresh),
		cmocka_unit_test_setup(test_he_is_shown_as_was_said_last,
		    fresh),
		cmocka_unit_test_setup(
		    test_who_has_had_two_keys_is_asked_about, fresh),
		cmocka_unit_test_setup(test_what_the_key_file_brought, fresh),
		cmocka_unit_test_setup(test_the_barred_hear_of_it, fresh),
		cmocka_unit_test_setup(
		    test_a_new_key_of_the_desk_lets_no_bar_lapse, fresh),
		cmocka_unit_test_setup_teardown(test_one_of_ours_is_barred,
		    fresh, fresh),
	};

	return cmocka_run_group_tests(tests, gate_setup, NULL);
}
