/* What is not sealed, who is not found and what is not believed: PROTOCOL
 * 2.5, 2.8, 2.19.16, 2.19.23 to 26, 2.19.33. */
#include "config.h"

#include "gate_unit.h"
#include "vault/row.h"

#define LABO_2 "demo/labo.central@labo.example#2"
#define MARTIN "demo/dr.martin@cabinet.example"
#define PETIT "demo/infirmiere.petit@petit.example"

static struct gate *labo;
static struct rows rows;
static struct buf out;

static int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	labo = gate_for(A_LABO);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	rows_free(&rows);
	gate_forget(labo);
	return 0;
}

static int
teardown(void **state)
{
	fresh(state);
	gate_free(&labo);
	buf_free(&out);
	return 0;
}

/* ---- what is not sealed ------------------------------------------------ */

/* Refused with that result, and nothing of it is left. */
static void
refused(struct gate *g, struct gate_seal_args *args, enum rc want,
    enum err_class class)
{
	struct gate_seal *s;
	struct err e = ERR_INIT;
	uint8_t t[32];

	args->at = NOW;
	args->rows = rows_of(&rows);
	T_CHECK(buf_adds(&out, "x"));
	if (gate_seal_begin(g, args, &out, t, &s, &e) != want)
		fail_msg("not %d: %s", (int)want, e.text);
	T_CHECK(s == NULL && out.len == 0);
	assert_int_equal(e.class, class);
}

static void
test_arguments_that_nobody_could_open(void **state)
{
	static struct gate_bar bars[4097];
	static const char *names[GATE_ROUTES_MAX + 1];
	const struct gate_ack ack = { .state = GATE_ACK_RECEIVED,
	    .name = "not a name" };
	struct gate_dest martin, petit;
	struct gate_seal_args args;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(dest_of(labo, &rows, MARTIN, &martin, &e), RC_OK);
	T_RC(dest_of(labo, &rows, PETIT, &petit, &e), RC_OK);
	T_CHECK(petit.via_hub);
	args = (struct gate_seal_args){ .dest = &martin, .has_mail = true,
	    .mail_len = UINT64_C(1) << 32 };
	refused(labo, &args, RC_INPUT, EC_TOOBIG);
	args = (struct gate_seal_args){ .dest = &martin, .bars = bars,
	    .nbars = 4097 };
	refused(labo, &args, RC_INPUT, EC_TOOBIG);
	/* A member may say less than a desk. */
	for (size_t i = 0; i < 4096; i++) {
		snprintf(bars[i].name, sizeof(bars[i].name),
		    "demo/member.number.%zu@a.very.long.domain.example", i);
		bars[i].min = 2;
	}
	args.nbars = 4096;
	refused(labo, &args, RC_INPUT, EC_TOOBIG);
	snprintf(bars[1].name, sizeof(bars[1].name), "not a name");
	refused(labo, &args, RC_INPUT, EC_NONE);
	args = (struct gate_seal_args){ .dest = &martin,
	    .relayed_acks = &ack, .nrelayed_acks = 1 };
	refused(labo, &args, RC_INPUT, EC_NONE);
	for (size_t i = 0; i <= GATE_ROUTES_MAX; i++)
		names[i] = PETIT;
	args = (struct gate_seal_args){ .dest = &petit, .has_mail = true,
	    .routes = names, .nroutes = GATE_ROUTES_MAX + 1 };
	refused(labo, &args, RC_INPUT, EC_TOOBIG);
	names[0] = "petit";
	args.nroutes = 1;
	refused(labo, &args, RC_INPUT, EC_NONE);
	args = (struct gate_seal_args){ .dest = &martin, .has_mail = true,
	    .relayed = true, .orig = "nobody" };
	refused(labo, &args, RC_INPUT, EC_NONE);
}

/* Between gate_resolve() and now the key has gone. */
static void
test_a_key_that_has_gone(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct gate_dest d;
	struct gate_seal_args args = { .dest = &d };
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	T_RC(dest_of(labo, &rows, MARTIN, &d, &e), RC_OK);
	d.year = A_YEAR - 1;
	refused(labo, &args, RC_PERM, EC_NONE);
	d.year = A_YEAR;
	snprintf(d.to, sizeof(d.to), "%s#9", MARTIN);
	refused(labo, &args, RC_PERM, EC_NONE);
	d.to[0] = '\0';
	refused(labo, &args, RC_PERM, EC_NONE);
	snprintf(d.to, sizeof(d.to), "%s", A_MARTIN);
	d.own[0] = '\0';
	refused(labo, &args, RC_PERM, EC_NONE);
	/* Over for mail, not yet for an acknowledgement. */
	snprintf(d.own, sizeof(d.own), "%s", A_LABO);
	ks->selves[0].send_until_at = 1;
	g = gate_over(ks);
	args.has_mail = true;
	refused(g, &args, RC_PERM, EC_NONE);
	args.has_mail = false;
	T_RC(gate_seal_control(g, &args, &out, (uint8_t[32]){ 0 }, &e),
	    RC_OK);
	buf_wipe(&out);
	gate_free(&g);
}

/* ---- who is not found -------------------------------------------------- */

static void
test_names_that_are_too_long(void **state)
{
	char who[GATE_ID_BYTES + 8], own[GATE_ID_BYTES];
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	memset(who, 'a', sizeof(who));
	who[sizeof(who) - 1] = '\0';
	memcpy(who + sizeof(who) - 6, "@b.de", 5);
	T_RC(dest_of(labo, &rows, who, &d, &e), RC_PERM);
	T_RC(gate_own(labo, who, own, &e), RC_PERM);
	/* An address that is too long with "demo/" before it. */
	T_RC(dest_of(labo, &rows, who + 10, &d, &e), RC_PERM);
}

/* Whoever is the gateway has none; without a key for it there is none. */
static void
test_through_the_gateway_itself(void **state)
{
	struct keystore *ks = assoc_store(A_HUB, A_YEAR);
	struct gate *g = gate_over(ks);
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(dest_of(g, &rows, "demo/inconnu@x.example", &d, &e), RC_PERM);
	assert_int_equal(e.class, EC_NOKEY);
	gate_free(&g);
	T_CHECK(keystore_new(0, &ks, &e) == RC_OK);
	(void)assoc_self(ks, A_LABO, A_YEAR);
	g = gate_over(ks);
	e = (struct err)ERR_INIT;
	T_RC(dest_of(g, &rows, PETIT, &d, &e), RC_PERM);
	assert_int_equal(e.class, EC_NOKEY);
	T_RC(dest_of(g, &rows, A_HUB, &d, &e), RC_PERM);
	gate_free(&g);
}

/* The association has barred our own key: nothing is sent with it. */
static void
test_our_own_key_is_barred(void **state)
{
	const struct gate_rows r = rows_of(&rows);
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct gate_head head = { .year = A_YEAR };
	struct gate_dest d;
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	T_RC(ring_bar(ks->ring, &ks->selves[0].id, 2, &e), RC_OK);
	g = gate_over(ks);
	T_RC(dest_of(g, &rows, MARTIN, &d, &e), RC_CONF);
	snprintf(head.sender, sizeof(head.sender), "%s", A_MARTIN);
	snprintf(head.recipient, sizeof(head.recipient), "%s", A_LABO);
	T_RC(gate_reply(g, &head, &r, NOW, &d, &e), RC_CONF);
	gate_free(&g);
	/* The key that replaces it writes. */
	ks = assoc_store(A_LABO, A_YEAR);
	T_RC(ring_bar(ks->ring, &ks->selves[0].id, 2, &e), RC_OK);
	assoc_full(ks, assoc_self(ks, LABO_2, A_YEAR));
	g = gate_over(ks);
	T_RC(dest_of(g, &rows, MARTIN, &d, &e), RC_OK);
	T_STR(d.own, LABO_2);
	gate_free(&g);
}

static void
test_nobody_to_answer(void **state)
{
	static const char *const ends[][2] = { { "", A_LABO },
		{ A_MARTIN, "" }, { A_MARTIN, A_DURAND } };
	const struct gate_rows r = rows_of(&rows);
	struct gate_dest d;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct gate_head head = { .year = A_YEAR };

		snprintf(head.sender, sizeof(head.sender), "%s", ends[i][0]);
		snprintf(head.recipient, sizeof(head.recipient), "%s",
		    ends[i][1]);
		T_RC(gate_reply(labo, &head, &r, NOW, &d, &e), RC_PERM);
	}
}

static void
test_shown_by_a_name(void **state)
{
	static const struct assoc_member more[] = {
		{ "demo/a@a.example#1", "S\xc5\x93ur C\xc3\xa6sar 12",
		    REC_ENTRY_OTHER, false },
		{ "demo/b@b.example#1", "\xc5\x92UVRE", REC_ENTRY_OTHER,
		    false },
		{ "demo/c@c.example#1", "Jumeau", REC_ENTRY_OTHER, false },
		{ "demo/d@d.example#1", "jumeau.", REC_ENTRY_OTHER, false },
		{ "demo/e@e.example#1", "\xc3\x86", REC_ENTRY_OTHER, false },
		{ "demo/f@f.example#1", "x\xcd\xb0y", REC_ENTRY_OTHER,
		    false },
	};
	static const struct { const char *show; enum rc rc; } is[] = {
		{ "SOEUR CAESAR 12", RC_OK }, { "soeur caesar 1", RC_PERM },
		{ "\xc5\x93uvre", RC_OK }, { "oeuvre", RC_OK },
		{ "ae", RC_OK }, { "a", RC_PERM }, { "x y", RC_OK },
		{ "xy", RC_PERM }, { "JUMEAU", RC_PERM },
	};
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct gate_resolve_args args = { .shown = true,
	    .rows = rows_of(&rows), .now = NOW };
	struct gate_dest d;
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		assoc_entry(ks, &more[i]);
		assoc_grant(ks, 0, more[i].id);
	}
	g = gate_over(ks);
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		args.who = is[i].show;
		if (gate_resolve(g, &args, &d, &e) != is[i].rc)
			fail_msg("%s: %s", is[i].show, e.text);
	}
	T_CHECK(strstr(e.text, "demo/c@c.example, demo/d@d.example") != NULL);
	gate_free(&g);
}

/* ---- the desk ---------------------------------------------------------- */

static void
test_which_key_of_the_desk(void **state)
{
	struct keystore *ks = assoc_store(A_WATCH, A_YEAR);
	char name[GATE_ID_BYTES];
	struct gate *g;

	(void)state;
	assoc_full(ks, assoc_self(ks, A_WATCH, A_YEAR + 1));
	ks->selves[1].from_at = NOW + 100;
	ks->selves[0].send_until_at = NOW + 50;
	ks->selves[0].read_until_at = NOW + 50;
	g = gate_over(ks);
	T_CHECK(gate_desk(g, NOW, name) == 1);
	T_STR(name, "demo/veille@demo.example");
	/* One is over, and the other has not begun. */
	T_CHECK(gate_desk(g, NOW + 50, name) == 0);
	T_STR(name, "");
	T_CHECK(gate_desk(g, NOW + 100, name) == 1);
	T_CHECK(gate_listed(g, MARTIN) && !gate_listed(g, "no name") &&
	    !gate_listed(g, "demo/nobody@x.example"));
	T_CHECK(gate_is_issuer(g, "demo/association@demo.example") &&
	    !gate_is_issuer(g, MARTIN) && !gate_is_issuer(g, "no name"));
	gate_free(&g);
}

/* ---- what the store gives back ----------------------------------------- */

static void
test_rows_that_are_not_ours(void **state)
{
	static const uint8_t local[KDF_KEY_BYTES] = { 3 };
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct buf in = BUF_INIT;
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	keystore_fix(ks, local, local);
	g = gate_over(ks);
	T_CHECK(buf_adds(&in, "far too short"));
	T_RC(gate_row_renew(g, MARTIN, &in, &out, &e), RC_INPUT);
	/* Sealed by us, and no row. */
	T_RC(row_seal(local, MARTIN, (struct bytes){ (const uint8_t *)"??",
	    2 }, &in, &e), RC_OK);
	T_RC(gate_row_renew(g, MARTIN, &in, &out, &e), RC_INPUT);
	T_RC(gate_row_renew(g, PETIT, &in, &out, &e), RC_INPUT);
	gate_free(&g);
	buf_free(&in);
}

/* A newcomer of an association that is met by his row alone. */
static void
test_a_member_of_another_association(void **state)
{
	const char *const name = "autre/neuf@neuf.example";
	static const uint8_t local[KDF_KEY_BYTES] = { 3 },
	    key[KDF_KEY_BYTES] = { 5 };
	struct row_peer *p = calloc(1, sizeof(*p));
	struct row_self self = { 0 };
	struct gate_row row = { .sealed = BUF_INIT };
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	uint8_t *text = malloc(ROW_MAX_BYTES);
	struct gate_dest d;
	struct err e = ERR_INIT;
	struct gate *g;

	(void)state;
	keystore_fix(ks, local, local);
	g = gate_over(ks);
	row_meet(&self, (struct bytes){ (const uint8_t *)"autre", 5 });
	row_meet(&self, (struct bytes){ (const uint8_t *)"demo", 4 });
	row_meet(&self, (struct bytes){ (const uint8_t *)"tiers", 5 });
	snprintf(row.key, sizeof(row.key), "%s", GATE_ROW_SELF);
	T_RC(row_seal(local, row.key, (struct bytes){ text,
	    row_self_format(&self, text) }, &row.sealed, &e), RC_OK);
	rows_put(&rows, &row);
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_PERM);
	T_CHECK(row_grant(p, (struct bytes){ (const uint8_t *)A_LABO,
	    sizeof(A_LABO) - 1 }, 1, A_YEAR, key) == ROW_ADDED);
	snprintf(row.key, sizeof(row.key), "%s", name);
	T_RC(row_seal(local, name, (struct bytes){ text,
	    row_peer_format(p, text) }, &row.sealed, &e), RC_OK);
	rows_put(&rows, &row);
	T_RC(dest_of(g, &rows, "neuf@neuf.example", &d, &e), RC_OK);
	T_STR(d.name, name);
	T_STR(d.to, "autre/neuf@neuf.example#1");
	gate_row_free(&row);
	gate_free(&g);
	free(text);
	free(p);
}

/* Every alarm has its sentence, with one place for a name, and its word. */
static void
test_alarms_are_said(void **state)
{
	static const enum gate_alarm_kind kinds[] = { GATE_AL_GRANT_CONFLICT,
		GATE_AL_MISSED_BULLETIN, GATE_AL_OWN_BAR, GATE_AL_BARRED,
		GATE_AL_NEW_GENERATION, GATE_AL_DENIED, GATE_AL_ROW,
		GATE_AL_REPLACED_KEY };
	const size_t n = sizeof(kinds) / sizeof(kinds[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const char *say = gate_alarm_say(kinds[i]);
		const char *at = strstr(say, "%s");

		T_CHECK(at != NULL && strchr(at + 1, '%') == NULL &&
		    strlen(say) > 10);
		T_CHECK(strchr(gate_alarm_name(kinds[i]), ' ') == NULL);
		for (size_t j = 0; j < i; j++) {
			T_CHECK(strcmp(say, gate_alarm_say(kinds[j])) != 0);
			T_CHECK(strcmp(gate_alarm_name(kinds[i]),
			    gate_alarm_name(kinds[j])) != 0);
		}
	}
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_arguments_that_nobody_could_open),
		T(test_a_key_that_has_gone),
		T(test_names_that_are_too_long),
		T(test_through_the_gateway_itself),
		T(test_our_own_key_is_barred),
		T(test_nobody_to_answer),
		T(test_shown_by_a_name),
		T(test_which_key_of_the_desk),
		T(test_rows_that_are_not_ours),
		T(test_a_member_of_another_association),
		T(test_alarms_are_said),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
