/* Sealing, relaying and the spool: PROTOCOL 2.5, 2.8, 2.10, 2.19.31, 33. */
#include "config.h"

#include "gate_unit.h"

#define MARTIN "dr.martin@cabinet.example"
#define PETIT "infirmiere.petit@petit.example"
#define MAIL_MARTIN "From: dr.martin@cabinet.example\r\n\r\nmerci\r\n"

static struct gate *labo, *martin, *hub, *petit, *watch;
static struct rows r_labo, r_martin, r_hub, r_petit, r_watch;
static struct buf env, control;

static int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	labo = gate_for(A_LABO);
	martin = gate_for(A_MARTIN);
	hub = gate_for(A_HUB);
	petit = gate_for(A_PETIT);
	watch = gate_for(A_WATCH);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	rows_free(&r_labo);
	rows_free(&r_martin);
	rows_free(&r_hub);
	rows_free(&r_petit);
	rows_free(&r_watch);
	gate_forget(labo);
	gate_forget(martin);
	gate_forget(hub);
	gate_forget(petit);
	gate_forget(watch);
	buf_wipe(&env);
	buf_wipe(&control);
	return 0;
}

static int
teardown(void **state)
{
	fresh(state);
	gate_free(&labo);
	gate_free(&martin);
	gate_free(&hub);
	gate_free(&petit);
	gate_free(&watch);
	buf_free(&env);
	buf_free(&control);
	return 0;
}

static struct gate_ack
ack_of(uint8_t fill, uint8_t state, const char *name)
{
	struct gate_ack a = { .state = state, .at = NOW };

	memset(a.t, fill, sizeof(a.t));
	memset(a.d, fill + 1, sizeof(a.d));
	snprintf(a.name, sizeof(a.name), "%s", name);
	return a;
}

/* ---- direct ------------------------------------------------------------ */

static void
test_direct_mail_and_acks_arrive(void **state)
{
	const struct gate_ack acks[2] = {
		ack_of(1, GATE_ACK_RECEIVED, ""),
		ack_of(9, GATE_ACK_DAMAGED, "")
	};
	struct gate_seal_args args = { .at = NOW, .acks = acks, .nacks = 2 };
	struct opened x;

	(void)state;
	seal_to(labo, &r_labo, MARTIN, MAIL_LABO, &args, &env);
	open_env(martin, &r_martin, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(strstr(buf_str(&x.mail), MAIL_LABO) != NULL);
	T_CHECK(x.v.nacks == 2 && x.v.nrelayed_acks == 0);
	assert_memory_equal(x.v.acks[0].t, acks[0].t, 32);
	assert_memory_equal(x.v.acks[1].d, acks[1].d, 32);
	T_CHECK(x.v.acks[1].state == GATE_ACK_DAMAGED);
	opened_free(&x);
}

/* Ruling 6; the association's arbitration (P21) computes the same. */
static void
test_ruling_6_witness_of_direct_mail(void **state)
{
	uint8_t k[32], a[32], d[32], want[32];
	const struct identity to = assoc_id(A_MARTIN);
	struct opened x;

	(void)state;
	seal_to(labo, &r_labo, MARTIN, MAIL_LABO, NULL, &env);
	open_env(martin, &r_martin, &env, &x);
	T_CHECK(x.rc == RC_OK && x.v.has_witness);
	assoc_member_key(A_LABO, A_YEAR, k);
	kdf_witness(a, k);
	kdf_hash_of(MAIL_LABO, strlen(MAIL_LABO), d);
	kdf_proof(want, a, NOW, identity_bytes(&to), d);
	assert_memory_equal(x.v.witness, want, 32);
	d[0] ^= 1;
	kdf_proof(want, a, NOW, identity_bytes(&to), d);
	assert_memory_not_equal(x.v.witness, want, 32);
	opened_free(&x);
}

/* D8: a newcomer is answerable at once, by the key in his message. */
static void
test_return_key_makes_a_newcomer_answerable(void **state)
{
	struct keystore *ks;
	struct err e = ERR_INIT;
	struct gate *neuf;
	struct rows r_neuf = { .n = 0 };
	struct gate_dest d;
	struct opened x;
	size_t i;

	(void)state;
	T_RC(keystore_new(0, &ks, &e), RC_OK);
	i = assoc_self(ks, "demo/neuf@neuf.example#1", A_YEAR);
	assoc_grant(ks, i, A_MARTIN);
	neuf = gate_over(ks);
	T_RC(dest_of(martin, &r_martin, "demo/neuf@neuf.example", &d, &e),
	    RC_OK);
	T_CHECK(d.via_hub);
	seal_to(neuf, &r_neuf, "demo/" MARTIN,
	    "From: neuf@neuf.example\r\n\r\n", NULL, &env);
	open_env(martin, &r_martin, &env, &x);
	T_RC(x.rc, RC_OK);
	T_RC(gate_reply(martin, &x.head, &(struct gate_rows){ .get = rows_get,
	    .arg = &r_martin }, NOW, &d, &e), RC_OK);
	T_STR(d.to, "demo/neuf@neuf.example#1");
	T_CHECK(!d.via_hub && d.year == A_YEAR && d.route[0] == '\0');
	T_STR(d.to_address, "neuf@neuf.example");
	opened_free(&x);
	/* By address too, from the row alone, and the key is the right one. */
	gate_forget(martin);
	seal_to(martin, &r_martin, "Neuf@Neuf.Example", MAIL_MARTIN, NULL,
	    &env);
	expect_class(neuf, &r_neuf, &env, EC_NONE);
	rows_free(&r_neuf);
	gate_free(&neuf);
}

static void
test_control_only_envelope(void **state)
{
	const struct gate_ack ack = ack_of(5, GATE_ACK_RECEIVED, "");
	struct gate_seal_args args = { .at = NOW, .acks = &ack, .nacks = 1 };
	struct gate_dest d;
	struct err e = ERR_INIT;
	uint8_t t[32];
	struct opened x;

	(void)state;
	T_RC(dest_of(martin, &r_martin, A_LABO, &d, &e), RC_OK);
	args.dest = &d;
	T_RC(gate_seal_control(martin, &args, &env, t, &e), RC_OK);
	open_env(labo, &r_labo, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(!x.v.has_mail && x.v.nacks == 1 && x.mail.len == 0);
	assert_memory_equal(x.head.t, t, 32);
	opened_free(&x);
}

/* Claim L: an ack, a short mail and one of 3 KB have one length. */
static void
test_claim_l_size_classes(void **state)
{
	struct buf mail = BUF_INIT;
	size_t len;

	(void)state;
	seal_to(labo, &r_labo, MARTIN, MAIL_LABO, NULL, &env);
	len = env.len;
	T_CHECK(buf_adds(&mail, MAIL_LABO));
	while (mail.len < 3000)
		T_CHECK(buf_add8(&mail, 'x'));
	seal_to(labo, &r_labo, MARTIN, buf_str(&mail), NULL, &env);
	T_CHECK(env.len == len);
	seal_to(labo, &r_labo, MARTIN, NULL, NULL, &env);
	T_CHECK(env.len == len);
	while (mail.len < 4200)
		T_CHECK(buf_add8(&mail, 'x'));
	seal_to(labo, &r_labo, MARTIN, buf_str(&mail), NULL, &env);
	T_CHECK(env.len == len + 4096);
	buf_free(&mail);
}

#ifdef ENABLE_FAULT
static void
test_e3_p12_a_dead_random_source_gives_two_salts(void **state)
{
	struct buf other = BUF_INIT;

	(void)state;
	setenv("SCEAU_FAULT_RANDOM", "7", 1);
	seal_to(labo, &r_labo, MARTIN, MAIL_LABO, NULL, &env);
	seal_to(labo, &r_labo, MARTIN, MAIL_LABO "x", NULL, &other);
	unsetenv("SCEAU_FAULT_RANDOM");
	T_CHECK(memcmp(env.p + 76, other.p + 76, 32) != 0);
	buf_free(&other);
}
#endif

static enum rc
seal_wrong(const char *said, const char *given, size_t len, struct err *e)
{
	const struct gate_sink sink = { sink_into, &env };
	struct gate_seal_args args = { .at = NOW, .has_mail = true,
	    .mail_len = len };
	struct gate_dest d;
	struct gate_seal *s;
	uint8_t t[32];
	enum rc rc;

	T_RC(dest_of(labo, &r_labo, MARTIN, &d, e), RC_OK);
	args.dest = &d;
	kdf_hash_of(said, strlen(said), args.d);
	T_RC(gate_seal_begin(labo, &args, &env, t, &s, e), RC_OK);
	rc = gate_seal_mail(s, given, strlen(given), &sink, e);
	if (rc == RC_OK)
		rc = gate_seal_end(s, &sink, e);
	gate_seal_free(&s);
	return rc;
}

static void
test_a_mail_that_changed_between_the_passes(void **state)
{
	struct err e = ERR_INIT;
	struct opened x;

	(void)state;
	T_RC(seal_wrong(MAIL_LABO, MAIL_LABO, strlen(MAIL_LABO), &e), RC_OK);
	T_RC(seal_wrong(MAIL_LABO, MAIL_LABO, strlen(MAIL_LABO) + 1, &e),
	    RC_INPUT);
	T_RC(seal_wrong(MAIL_LABO, MAIL_LABO, strlen(MAIL_LABO) - 1, &e),
	    RC_INPUT);
	T_RC(seal_wrong(MAIL_LABO, MAIL_MARTIN, strlen(MAIL_MARTIN), &e),
	    RC_INPUT);
	open_env(martin, &r_martin, &env, &x);
	T_CHECK(x.rc == RC_INPUT && x.mail.len == 0);
	opened_free(&x);
}

static void
test_a_megabyte_streams(void **state)
{
	struct buf mail = BUF_INIT;
	struct opened x;

	(void)state;
	T_CHECK(buf_adds(&mail, MAIL_LABO));
	while (mail.len < 1500000)
		T_CHECK(buf_adds(&mail, "0123456789abcdef\r\n"));
	seal_to(labo, &r_labo, MARTIN, buf_str(&mail), NULL, &env);
	open_env(martin, &r_martin, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.mail.len > mail.len && memcmp(x.mail.p + x.mail.len -
	    mail.len, mail.p, mail.len) == 0);
	opened_free(&x);
	buf_free(&mail);
}

/* ---- through the gateway ----------------------------------------------- */

/* Open at the hub twice, seal what comes out for route ${n}. */
static void
relay(const struct buf *in, size_t n, struct opened *first, struct buf *out)
{
	const struct gate_open_args digest = { GATE_DIGEST, rows_of(&r_hub),
	    NOW };
	const struct gate_open_args again = { GATE_RELAY, rows_of(&r_hub),
	    NOW };
	const struct gate_sink sink = { sink_into, out };
	struct gate_seal_args args;
	struct gate_dest d;
	struct gate_seal *s;
	struct opened second;
	struct err e = ERR_INIT;
	uint8_t t[32];

	open_steps(hub, &digest, in, 0, first);
	T_RC(first->rc, RC_OK);
	T_CHECK(first->mail.len == 0 && n < first->v.nroutes);
	T_RC(dest_of(hub, &r_hub, first->v.routes[n].name, &d, &e), RC_OK);
	gate_relay_args(&first->head, &first->v, n, &d, &args);
	args.at = NOW + 60;
	args.rows = rows_of(&r_hub);
	T_RC(gate_seal_begin(hub, &args, out, t, &s, &e), RC_OK);
	open_steps(hub, &again, in, 1000, &second);
	T_RC(second.rc, RC_OK);
	T_RC(gate_seal_mail(s, second.mail.p, second.mail.len, &sink, &e),
	    RC_OK);
	T_RC(gate_seal_end(s, &sink, &e), RC_OK);
	gate_seal_free(&s);
	opened_free(&second);
}

static void
test_ruling_33_relayed_mail_is_unchanged_and_says_so(void **state)
{
	struct buf out = BUF_INIT;
	struct opened first, x;
	uint8_t k[32], a[32], d[32], want[32];

	(void)state;
	seal_to(labo, &r_labo, PETIT, MAIL_LABO, NULL, &env);
	relay(&env, 0, &first, &out);
	T_STR(first.v.routes[0].name, "demo/" PETIT);
	open_env(petit, &r_petit, &out, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.relayed && x.v.from_hub && !x.v.nroutes);
	T_STR(x.v.orig, A_LABO);
	T_STR(x.v.author, A_LABO);
	T_STR(x.head.sender, A_HUB);
	assert_memory_equal(x.v.orig_t, first.head.t, 32);
	assert_int_equal(x.v.orig_at, NOW);
	assert_int_equal(x.v.sealed_at, NOW + 60);
	T_STR(buf_str(&x.mail), "X-Sceau: sender=" A_LABO ";\r\n"
	    "\tpath=relayed; by=" A_HUB ";\r\n"
	    "\tsealed=2026-01-01T07:00:00Z\r\n" MAIL_LABO);
	/* Ruling 6: the sender's witness for that name, forwarded. */
	assoc_member_key(A_LABO, A_YEAR, k);
	kdf_witness(a, k);
	kdf_hash_of(MAIL_LABO, strlen(MAIL_LABO), d);
	kdf_proof(want, a, NOW, (struct bytes){
	    (const uint8_t *)"demo/" PETIT, strlen("demo/" PETIT) }, d);
	T_CHECK(x.v.has_witness);
	assert_memory_equal(x.v.witness, want, 32);
	opened_free(&x);
	opened_free(&first);
	buf_free(&out);
}

static void
add_route(const char *name)
{
	struct rec r = { .type = REC_ROUTE };

	T_CHECK(identity_parse_name(name, strlen(name), &r.route.name));
	rec_to(&control, &r);
}

static void
test_ruling_33_a_hundred_routes_and_no_more(void **state)
{
	char name[60];

	(void)state;
	for (int n = 100; n <= 101; n++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		for (int i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "demo/m%d@x.example", i);
			add_route(name);
		}
		forge(A_LABO, A_HUB, A_YEAR, &control, MAIL_LABO, &env);
		expect_class(hub, &r_hub, &env,
		    n == 100 ? EC_NONE : EC_RECORD);
	}
}

/* Its routes would be lost with the other records (2.19.22). */
static void
test_routes_for_an_old_key_of_the_hub_are_refused_aloud(void **state)
{
	struct keystore *ks = assoc_store(A_HUB, A_YEAR);
	struct rows none = { .n = 0 };
	struct gate *g;

	(void)state;
	assoc_full(ks, assoc_self(ks, "demo/passerelle@demo.example#2",
	    A_YEAR));
	g = gate_over(ks);
	rec_meta(&control, NOW, 0, A_YEAR);
	add_route("demo/a@x.example");
	forge(A_LABO, A_HUB, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_AUTHORITY);
	rows_free(&none);
	gate_free(&g);
}

static void
test_ruling_33_no_name_twice_nor_the_ends(void **state)
{
	static const char *const bad[][2] = {
		{ "demo/a@x.example", "demo/a@x.example" },
		{ "demo/a@x.example", "demo/labo.central@labo.example" },
		{ "demo/a@x.example", "demo/passerelle@demo.example" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		add_route(bad[i][0]);
		add_route(bad[i][1]);
		forge(A_LABO, A_HUB, A_YEAR, &control, MAIL_LABO, &env);
		expect_class(hub, &r_hub, &env, EC_RECORD);
	}
}

static void
test_ruling_31_witnesses_stand_in_the_order_of_routes(void **state)
{
	const char *const names[] = { "demo/" PETIT, "demo/" MARTIN };
	struct gate_seal_args args = { .at = NOW, .routes = names,
	    .nroutes = 2 };
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct opened a, b, x;

	(void)state;
	seal_to(labo, &r_labo, PETIT, MAIL_LABO, &args, &env);
	relay(&env, 0, &a, &one);
	relay(&env, 1, &b, &two);
	T_CHECK(a.v.nroutes == 2 && a.v.routes[0].has_witness &&
	    a.v.routes[1].has_witness);
	assert_memory_not_equal(a.v.routes[0].witness, a.v.routes[1].witness,
	    32);
	open_env(martin, &r_martin, &two, &x);
	T_CHECK(x.rc == RC_OK && x.v.has_witness);
	assert_memory_equal(x.v.witness, a.v.routes[1].witness, 32);
	opened_free(&x);
	opened_free(&a);
	opened_free(&b);
	buf_free(&one);
	buf_free(&two);
}

static void
test_too_few_witnesses(void **state)
{
	static const uint8_t proof[32] = { 1 };
	struct rec r = { .type = REC_WITNESS };

	(void)state;
	r.witness.proof = proof;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_route("demo/a@x.example");
	add_route("demo/b@x.example");
	rec_to(&control, &r);
	forge(A_LABO, A_HUB, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(hub, &r_hub, &env, EC_RECORD);
	rec_meta(&control, NOW, 0, A_YEAR);
	rec_to(&control, &r);
	rec_to(&control, &r);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(martin, &r_martin, &env, EC_RECORD);
}

static void
test_relayed_acks_name_the_recipient(void **state)
{
	const struct gate_ack ack = ack_of(3, GATE_ACK_RECEIVED,
	    "demo/" PETIT);
	struct gate_seal_args args = { .at = NOW, .relayed_acks = &ack,
	    .nrelayed_acks = 1 };
	struct opened x;

	(void)state;
	seal_to(hub, &r_hub, A_LABO, NULL, &args, &env);
	open_env(labo, &r_labo, &env, &x);
	T_CHECK(x.rc == RC_OK && x.v.nrelayed_acks == 1 && x.v.nacks == 0);
	T_STR(x.v.relayed_acks[0].name, "demo/" PETIT);
	T_CHECK(x.v.from_hub);
	opened_free(&x);
}

/* ---- the watch desk ---------------------------------------------------- */

static void
test_the_desk_seals_a_bulletin(void **state)
{
	const struct gate_bar bars[] = {
		{ "demo/cabinet.durand@durand.example", 2 },
		{ "demo/x@y.example", 255 },
	};
	struct gate_seal_args args = { .at = NOW, .bulletin = 7,
	    .bars = bars, .nbars = 2 };
	struct gate_rows r = rows_of(&r_watch);
	struct gate_row row;
	struct gate_facts f;
	struct err e = ERR_INIT;

	(void)state;
	seal_to(watch, &r_watch, MARTIN, NULL, &args, &env);
	expect_class(martin, &r_martin, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &r_martin, &env, EC_BARRED);
	T_RC(gate_issued(watch, &r, 7, NOW, &row, &e), RC_OK);
	rows_put(&r_watch, &row);
	gate_row_free(&row);
	T_RC(gate_facts(watch, &r, &f, &e), RC_OK);
	T_CHECK(f.bulletin == 7 && f.bulletin_gen == 1);
}

static void
test_too_many_acks_are_refused(void **state)
{
	static struct gate_ack acks[GATE_ACKS_MAX + 1];
	struct gate_seal_args args = { .at = NOW, .acks = acks };
	struct gate_dest d;
	struct gate_seal *s;
	struct err e = ERR_INIT;
	uint8_t t[32];

	(void)state;
	for (size_t i = 0; i <= GATE_ACKS_MAX; i++)
		acks[i] = ack_of((uint8_t)i, GATE_ACK_RECEIVED, "");
	T_RC(dest_of(martin, &r_martin, A_LABO, &d, &e), RC_OK);
	args.dest = &d;
	args.nacks = GATE_ACKS_MAX + 1;
	T_RC(gate_seal_begin(martin, &args, &env, t, &s, &e), RC_INPUT);
	T_CHECK(s == NULL && env.len == 0 && e.class == EC_TOOBIG);
	args.nacks = GATE_ACKS_MAX;
	T_RC(gate_seal_begin(martin, &args, &env, t, &s, &e), RC_OK);
	gate_seal_free(&s);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_direct_mail_and_acks_arrive),
		T(test_ruling_6_witness_of_direct_mail),
		T(test_return_key_makes_a_newcomer_answerable),
		T(test_control_only_envelope),
		T(test_claim_l_size_classes),
#ifdef ENABLE_FAULT
		T(test_e3_p12_a_dead_random_source_gives_two_salts),
#endif
		T(test_a_mail_that_changed_between_the_passes),
		T(test_a_megabyte_streams),
		T(test_ruling_33_relayed_mail_is_unchanged_and_says_so),
		T(test_ruling_33_a_hundred_routes_and_no_more),
		T(test_ruling_33_no_name_twice_nor_the_ends),
		T(test_routes_for_an_old_key_of_the_hub_are_refused_aloud),
		T(test_ruling_31_witnesses_stand_in_the_order_of_routes),
		T(test_too_few_witnesses),
		T(test_relayed_acks_name_the_recipient),
		T(test_the_desk_seals_a_bulletin),
		T(test_too_many_acks_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
