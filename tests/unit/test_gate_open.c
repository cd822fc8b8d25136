/* Opening: PROTOCOL 2.11 steps 2 to 6 and 9 to 12, and its classes. */
#include "config.h"

#include "gate_unit.h"

#define FIELD_LABO \
	"X-Sceau: sender=" A_LABO ";\r\n\tpath=direct;\r\n\t" \
	"sealed=2026-01-01T07:00:00Z\r\n"

static struct gate *martin;
static struct rows rows;
static struct buf env, control;

static int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	martin = gate_for(A_MARTIN);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gate_free(&martin);
	rows_free(&rows);
	buf_free(&env);
	buf_free(&control);
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	rows_free(&rows);
	gate_forget(martin);
	buf_wipe(&control);
	return 0;
}

static struct rec
rec_of(uint8_t type)
{
	struct rec r = { .type = type };

	return r;
}

/* ---- what is delivered ---------------------------------------------------- */

static void
test_delivers_one_field_then_the_mail(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.head.authentic && x.v.has_mail && !x.v.relayed);
	T_STR(buf_str(&x.mail), FIELD_LABO MAIL_LABO);
	T_STR(x.v.author, A_LABO);
	assert_int_equal(x.v.sealed_at, NOW);
	assert_int_equal(x.v.mail_len, strlen(MAIL_LABO));
	opened_free(&x);
}

static void
test_same_result_one_octet_at_a_time(void **state)
{
	const struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    NOW };
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 1, &x);
	T_RC(x.rc, RC_OK);
	T_STR(buf_str(&x.mail), FIELD_LABO MAIL_LABO);
	opened_free(&x);
}

static void
test_body_octets_pass_as_they_are(void **state)
{
	static const char head[] = "From: labo.central@labo.example\r\n\r\n";
	struct buf mail = BUF_INIT;
	struct opened x;
	const struct gate_open_args args = { GATE_RELAY, rows_of(&rows),
	    NOW };

	(void)state;
	T_CHECK(buf_adds(&mail, head));
	for (int i = 0; i < 200000; i++)
		T_CHECK(buf_add8(&mail, (uint8_t)(i % 255 + 1)));
	T_CHECK(buf_str(&mail) != NULL);
	forge_plain(A_LABO, A_MARTIN, (const char *)mail.p, &env);
	open_steps(martin, &args, &env, 7777, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.mail.len == mail.len);
	T_CHECK(memcmp(x.mail.p, mail.p, mail.len) == 0);
	opened_free(&x);
	buf_free(&mail);
}

static void
test_digest_mode_lets_nothing_out(void **state)
{
	const struct gate_open_args args = { GATE_DIGEST, rows_of(&rows),
	    NOW };
	struct opened x;
	uint8_t d[32];

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 100, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.mail.len == 0);
	kdf_hash_of(MAIL_LABO, strlen(MAIL_LABO), d);
	assert_memory_equal(x.v.d, d, sizeof(d));
	opened_free(&x);
}

static void
test_late_and_duplicate_flags(void **state)
{
	struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    NOW + GATE_LATE_S };
	const struct gate_sink sink = { sink_into, NULL };
	struct opened x;

	(void)state;
	(void)sink;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 0, &x);
	T_CHECK(x.v.flags == 0);
	opened_free(&x);
	args.now++;
	open_steps(martin, &args, &env, 0, &x);
	T_CHECK(x.v.flags == GATE_F_LATE);
	T_CHECK(strstr(buf_str(&x.mail), "flags=late\r\n") != NULL);
	opened_free(&x);
}

static void
test_ruling_10_a_clock_in_1970_flags_nothing(void **state)
{
	const struct gate_open_args args = { GATE_DELIVER, rows_of(&rows),
	    1 };
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_steps(martin, &args, &env, 0, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.flags == 0);
	opened_free(&x);
}

static void
test_since_flags_what_was_sealed_before(void **state)
{
	struct err e = ERR_INIT;
	struct gate_rows r = rows_of(&rows);
	struct gate_row row;
	struct opened x;

	(void)state;
	T_RC(gate_restored(martin, &r, NOW + 1, &row, &e), RC_OK);
	rows_put(&rows, &row);
	gate_row_free(&row);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.flags == GATE_F_DUPLICATE);
	T_CHECK(strstr(buf_str(&x.mail), "possible-duplicate") != NULL);
	opened_free(&x);
}

/* ---- refused -------------------------------------------------------------- */

static void
test_every_flipped_octet_is_refused(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	for (size_t i = 0; i < env.len; i += i < 200 ? 1 : 97) {
		env.p[i] ^= 1;
		open_env(martin, &rows, &env, &x);
		T_CHECK(x.rc == RC_INPUT);
		T_CHECK(x.mail.len == 0);
		opened_free(&x);
		env.p[i] ^= 1;
	}
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_every_truncation_is_refused(void **state)
{
	size_t whole;
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	whole = env.len;
	for (env.len = 0; env.len < whole; env.len += env.len < 300 ? 1 : 61) {
		open_env(martin, &rows, &env, &x);
		T_RC(x.rc, RC_INPUT);
		T_CHECK(x.mail.len == 0);
		opened_free(&x);
	}
	env.len = whole;
	T_CHECK(buf_add8(&env, 0));
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_INPUT);
	opened_free(&x);
}

static void
test_notforme_compares_names(void **state)
{
	(void)state;
	forge_plain(A_LABO, A_DURAND, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NOTFORME);
	/* In my own name, even in another generation (P3). */
	forge_plain("demo/dr.martin@cabinet.example#2", A_MARTIN, MAIL_LABO,
	    &env);
	expect_class(martin, &rows, &env, EC_NOTFORME);
}

static void
test_header_of_another_channel(void **state)
{
	struct opened x;

	(void)state;
	/* The laboratory's channel, relabelled as the other practice's. */
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	memcpy(env.p + 11, "demo/labo.centrak", 17);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_HEADER && !x.head.authentic);
	opened_free(&x);
}

static void
test_ruling_29_nokey_and_expired(void **state)
{
	static const char *const g1 = "demo/x.y@cabinet.example#1";
	static const char *const g2 = "demo/x.y@cabinet.example#2";
	static const char *const g3 = "demo/x.y@cabinet.example#3";
	struct keystore *ks = assoc_store(g2, 2026);
	struct gate *g;
	struct rows none = { .n = 0 };

	(void)state;
	assoc_full(ks, assoc_self(ks, g2, 2028));
	g = gate_over(ks);
	forge_plain(A_LABO, g1, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_EXPIRED);
	forge_plain(A_LABO, g3, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_NOKEY);
	for (uint16_t year = 2025; year <= 2029; year++) {
		rec_meta(&control, NOW, 0, year);
		forge(A_LABO, g2, year, &control, MAIL_LABO, &env);
		expect_class(g, &none, &env, year < 2026 ? EC_EXPIRED :
		    year == 2027 || year == 2029 ? EC_NOKEY : EC_NONE);
	}
	rows_free(&none);
	gate_free(&g);
}

static void
test_ruling_11_a_key_file_in_mail(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_ISSUER, A_MARTIN, MAIL_LABO, &env);
	env.p[7] = ENV_CODE;
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_NOKEY);
	T_CHECK(strstr(x.e.text, "key import") != NULL);
	opened_free(&x);
	env.p[7] = ENV_PASS1;
	expect_class(martin, &rows, &env, EC_FORMAT);
	env.p[7] = ENV_CHANNEL;
	env.p[5] = 2;
	expect_class(martin, &rows, &env, EC_VERSION);
}

static void
test_inner_from_must_be_the_sender(void **state)
{
	static const char *const bad[] = {
		"From: dr.other@labo.example\r\n\r\nx",
		"From: labo.central@labo.example\r\n"
		    "From: labo.central@labo.example\r\n\r\nx",
		"From: labo.central@labo.example, a@b.example\r\n\r\nx",
		"To: labo.central@labo.example\r\n\r\nx",
		"From: labo.central@labo.example\r\nX-Sceau: a\r\n\r\nx",
		"From: labo.central@labo.example\r\nX-Sceau-Y: a\r\n\r\nx",
		"From: labo.central@labo.example\n\nx",
		"From: labo.central@labo.example\r\n",
		"",
	};
	struct opened x;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		forge_plain(A_LABO, A_MARTIN, bad[i], &env);
		open_env(martin, &rows, &env, &x);
		T_CHECK(x.rc == RC_INPUT && x.v.class == EC_INNER);
		T_CHECK(x.v.has_mail && x.mail.len == 0 && x.v.nrows == 0);
		opened_free(&x);
	}
	forge_plain(A_LABO, A_MARTIN,
	    "From: LABO.Central@Labo.Example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_raw_carries_anything_and_says_so(void **state)
{
	const struct gate_open_args args = { GATE_RAW, rows_of(&rows), NOW };
	static const char *const any[] = { "", "x", "From: a@b.c\n\n",
	    MAIL_LABO };
	struct opened x;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		forge_plain(A_LABO, A_MARTIN, any[i], &env);
		open_steps(martin, &args, &env, 0, &x);
		T_RC(x.rc, RC_OK);
		T_STR(buf_str(&x.mail), any[i]);
		T_CHECK(x.v.inner_ok == (i == 3));
		T_CHECK((x.v.inner_why[0] != '\0') == (i != 3));
		opened_free(&x);
	}
}

/* ---- generations ---------------------------------------------------------- */

#define LABO_2 "demo/labo.central@labo.example#2"

static void
test_ruling_5_an_old_generation_is_barred(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(LABO_2, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_NEW_GENERATION));
	opened_free(&x);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_BARRED && x.head.authentic);
	opened_free(&x);
	/* Also for another message of the batch, before anything was kept. */
	rows_free(&rows);
	expect_class(martin, &rows, &env, EC_BARRED);
	gate_forget(martin);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_a_refused_message_raises_nothing(void **state)
{
	(void)state;
	forge_plain(LABO_2, A_MARTIN, "From: a@b.c\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_INNER);
	T_CHECK(rows.n == 0);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
add_bar(const char *name, uint8_t min)
{
	struct rec r = rec_of(REC_BAR);

	r.bar.minimum = min;
	T_CHECK(identity_parse_name(name, strlen(name), &r.bar.name));
	rec_to(&control, &r);
}

static void
add_grant(const char *peer, uint16_t year, uint8_t fill)
{
	struct rec r = rec_of(REC_GRANT);
	uint8_t key[32];

	memset(key, fill, sizeof(key));
	r.grant = (struct rec_grant){ year, key, assoc_id(peer) };
	rec_to(&control, &r);
}

/* The way to write to ${peer} that ${peer} himself gives. */
static void
add_return_key(const char *peer, const char *to)
{
	struct rec r = rec_of(REC_GRANT);
	uint8_t key[32];

	assoc_channel(to, peer, A_YEAR, key);
	r.grant = (struct rec_grant){ A_YEAR, key, assoc_id(peer) };
	rec_to(&control, &r);
}

static void
test_ruling_22_only_the_mail_counts_for_an_old_key_of_mine(void **state)
{
	struct keystore *ks = assoc_store(A_MARTIN, A_YEAR);
	struct rows none = { .n = 0 };
	struct gate *g;
	struct opened x;

	(void)state;
	assoc_full(ks, assoc_self(ks, "demo/dr.martin@cabinet.example#2",
	    A_YEAR));
	g = gate_over(ks);
	/* A thief of the old key pretends to be anybody and says anything. */
	rec_meta(&control, NOW, 77, A_YEAR + 1);
	add_grant(LABO_2, A_YEAR, 7);
	add_bar("demo/cabinet.durand@durand.example", 255);
	forge(LABO_2, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(g, &none, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.head.replaced_key && x.v.has_mail);
	T_CHECK(x.v.flags == GATE_F_REPLACED_KEY && x.v.nrows == 0);
	T_CHECK(has_alarm(&x.v, GATE_AL_REPLACED_KEY));
	T_CHECK(strstr(buf_str(&x.mail), "flags=replaced-key") != NULL);
	opened_free(&x);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(g, &none, &env, EC_NONE);
	rows_free(&none);
	gate_free(&g);
}

/* ---- who may say what (P9) ------------------------------------------------ */

static void
add_any(uint8_t type)
{
	static const uint8_t octets[32] = { 1 };
	struct rec r = rec_of(type);
	const char *name = "demo/cabinet.durand@durand.example";
	struct identity who;

	T_CHECK(identity_parse_name(name, strlen(name), &who));
	switch (type) {
	case REC_BAR:
		r.bar = (struct rec_bar){ 2, who };
		break;
	case REC_BULLETIN:
		r.bulletin.number = 3;
		break;
	case REC_ENTRY:
		r.entry.id = assoc_id(A_DURAND);
		r.entry.route = (struct bytes){ (const uint8_t *)"a@b.example",
		    11 };
		break;
	case REC_DENY:
		r.deny = (struct rec_deny){ REC_DENY_UNKNOWN, who };
		break;
	case REC_RELAYED:
		r.relayed = (struct rec_relayed){ octets, NOW,
		    assoc_id(A_DURAND) };
		break;
	case REC_RELAYED_ACK:
		r.ack = (struct rec_ack){ octets, REC_ACK_RECEIVED, NOW,
		    octets, who };
		break;
	case REC_ACK:
		r.ack = (struct rec_ack){ octets, REC_ACK_RECEIVED, NOW,
		    octets, { 0 } };
		break;
	case REC_ROUTE:
		r.route.name = who;
		break;
	case REC_ASK:
		r.ask.name = who;
		break;
	case REC_SELF:
		r.self = (struct rec_self){ A_YEAR, 0, NOW, NOW, octets,
		    assoc_id(A_MARTIN) };
		break;
	case REC_ROLE:
		r.role = (struct rec_role){ REC_ROLE_ISSUER,
		    assoc_id(A_DURAND) };
		break;
	case REC_GRANT:
		r.grant = (struct rec_grant){ A_YEAR, octets,
		    assoc_id(A_DURAND) };
		break;
	default:
		r.witness.proof = octets;
		break;
	}
	rec_to(&control, &r);
}

static enum err_class
class_from(const char *from, uint8_t type, const char *mail)
{
	struct opened x;
	enum err_class c;

	rec_meta(&control, NOW, 0, A_YEAR);
	add_any(type);
	forge(from, A_MARTIN, A_YEAR, &control, mail, &env);
	open_env(martin, &rows, &env, &x);
	c = x.v.class;
	if (c == EC_AUTHORITY)
		T_CHECK(x.mail.len == 0 && x.v.nrows == 0);
	opened_free(&x);
	rows_free(&rows);
	gate_forget(martin);
	return c;
}

static void
test_p9_each_forbidden_record_and_sender(void **state)
{
	static const struct {
		uint8_t		type;
		const char	*may[2];	/* of the four senders */
	} table[] = {
		{ REC_BAR, { A_WATCH, A_ISSUER } },
		{ REC_BULLETIN, { A_WATCH, NULL } },
		{ REC_ENTRY, { A_ISSUER, NULL } },
		{ REC_DENY, { A_ISSUER, NULL } },
		{ REC_RELAYED_ACK, { A_HUB, NULL } },
		{ REC_GRANT, { A_ISSUER, NULL } },
		{ REC_SELF, { NULL, NULL } },
		{ REC_ROLE, { NULL, NULL } },
		{ REC_ASK, { NULL, NULL } },
		{ REC_ROUTE, { NULL, NULL } },
		{ REC_RELAYED, { A_HUB, NULL } },
	};
	static const char *const senders[] = { A_LABO, A_HUB, A_WATCH,
	    A_ISSUER };
	static const char *const mails[] = {
		"From: labo.central@labo.example\r\n\r\n",
		"From: cabinet.durand@durand.example\r\n\r\n",
		"From: veille@demo.example\r\n\r\n",
		"From: association@demo.example\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (size_t s = 0; s < 4; s++) {
			bool ok = senders[s] == table[i].may[0] ||
			    senders[s] == table[i].may[1];
			bool mail = table[i].type == REC_ROUTE ||
			    table[i].type == REC_RELAYED;
			enum err_class c = class_from(senders[s],
			    table[i].type, mail ? mails[s] : NULL);

			if (c != (ok ? EC_NONE : EC_AUTHORITY))
				fail_msg("%s from %s: %s",
				    rec_name(table[i].type), senders[s],
				    err_class_name(c));
		}
	T_CHECK(class_from(A_LABO, REC_ACK, NULL) == EC_NONE);
}

static void
test_p9_a_refusal_speaks_only_when_mail_was_seen(void **state)
{
	struct opened x;

	(void)state;
	for (int with = 0; with < 2; with++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		add_any(REC_BAR);
		forge(A_LABO, A_MARTIN, A_YEAR, &control,
		    with ? MAIL_LABO : NULL, &env);
		open_env(martin, &rows, &env, &x);
		T_CHECK(x.v.class == EC_AUTHORITY);
		T_CHECK(x.v.has_mail == (with == 1));
		opened_free(&x);
	}
}

static void
test_return_key_is_of_the_sender_and_the_year(void **state)
{
	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_grant(LABO_2, A_YEAR, 1);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
	/* K3: last year's thief must not get next year's key. */
	rec_meta(&control, NOW, 0, A_YEAR);
	add_grant(A_LABO, A_YEAR + 1, 1);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
	rec_meta(&control, NOW, 0, A_YEAR);
	add_grant("demo/neuf@cabinet.example#1", A_YEAR + 1, 1);
	forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
}

static void
test_ruling_21_a_conflicting_grant_is_skipped_with_an_alarm(void **state)
{
	struct opened x;

	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_grant(A_LABO, A_YEAR, 9);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(x.v.has_mail && has_alarm(&x.v, GATE_AL_GRANT_CONFLICT));
	opened_free(&x);
	/* The very key of the ring: nothing to say. */
	rec_meta(&control, NOW, 0, A_YEAR);
	add_return_key(A_LABO, A_MARTIN);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.rc == RC_OK && x.v.nalarms == 0);
	opened_free(&x);
}

static void
test_a_grant_once_learnt_is_never_replaced(void **state)
{
	struct opened x;

	(void)state;
	for (uint8_t fill = 1; fill <= 2; fill++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		add_grant(LABO_2, A_YEAR, fill);
		forge(LABO_2, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
		open_env(martin, &rows, &env, &x);
		T_RC(x.rc, RC_OK);
		T_CHECK(has_alarm(&x.v, GATE_AL_GRANT_CONFLICT) ==
		    (fill == 2));
		opened_free(&x);
	}
}

/* ---- bulletins (P20) ------------------------------------------------------ */

#define DURAND "demo/cabinet.durand@durand.example"
#define WATCH_2 "demo/veille@demo.example#2"

static void
bulletin(const char *desk, uint32_t number, const char *name, uint8_t min)
{
	struct rec r = rec_of(REC_BULLETIN);

	rec_meta(&control, NOW, number, A_YEAR);
	r.bulletin.number = number;
	rec_to(&control, &r);
	if (name != NULL)
		add_bar(name, min);
	forge(desk, A_MARTIN, A_YEAR, &control, NULL, &env);
}

static void
test_bulletin_bars_and_counts(void **state)
{
	struct gate_rows r = rows_of(&rows);
	struct gate_facts f;
	struct err e = ERR_INIT;
	struct opened x;

	(void)state;
	bulletin(A_WATCH, 4, DURAND, 2);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_BARRED));
	opened_free(&x);
	T_RC(gate_facts(martin, &r, &f, &e), RC_OK);
	T_CHECK(f.bulletin == 4 && f.bulletin_gen == 1);
	assert_int_equal(f.bulletin_at, NOW);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_BARRED);
}

static void
test_ruling_23_the_desk_may_not_bar_a_role(void **state)
{
	(void)state;
	bulletin(A_WATCH, 1, "demo/association@demo.example", 2);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
	bulletin(A_WATCH, 1, "demo/passerelle@demo.example", 255);
	expect_class(martin, &rows, &env, EC_AUTHORITY);
	bulletin(A_WATCH, 1, "demo/veille@demo.example", 2);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_ruling_23_a_new_desk_replaces_the_list_of_the_old(void **state)
{
	(void)state;
	/* The stolen desk excludes everybody; a new one repairs it. */
	bulletin(A_WATCH, 900, DURAND, 255);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_BARRED);
	bulletin(WATCH_2, 1, NULL, 0);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_NONE);
	bulletin(A_WATCH, 901, DURAND, 255);
	expect_class(martin, &rows, &env, EC_BARRED);
}

static void
test_ruling_23_the_issuers_bars_persist(void **state)
{
	(void)state;
	rec_meta(&control, NOW, 0, A_YEAR);
	add_bar(DURAND, 2);
	forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
	expect_class(martin, &rows, &env, EC_NONE);
	bulletin(WATCH_2, 1, NULL, 0);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain(A_DURAND, A_MARTIN,
	    "From: cabinet.durand@durand.example\r\n\r\n", &env);
	expect_class(martin, &rows, &env, EC_BARRED);
}

/* A row's content, whatever its nonce was: the state after a history. */
static void
state_of(char *out, size_t size)
{
	struct gate_rows r = rows_of(&rows);
	struct gate_facts f;
	struct err e = ERR_INIT;
	static const char *const who[] = { A_DURAND, A_LABO, A_ISSUER,
	    A_WATCH };
	size_t len = 0;

	gate_forget(martin);
	T_RC(gate_facts(martin, &r, &f, &e), RC_OK);
	len = (size_t)snprintf(out, size, "%u/%u", f.bulletin_gen,
	    f.bulletin);
	for (size_t i = 0; i < 4; i++) {
		const struct gate_open_args args = { GATE_RAW, r, NOW };
		struct opened x;

		forge_plain(who[i], A_MARTIN, "", &env);
		open_steps(martin, &args, &env, 0, &x);
		len += (size_t)snprintf(out + len, size - len, " %s",
		    err_class_name(x.v.class));
		opened_free(&x);
		gate_forget(martin);
	}
}

static void
play(int which)
{
	struct opened x;

	switch (which) {
	case 0:
		bulletin(A_WATCH, 1, DURAND, 2);
		break;
	case 1:
		bulletin(A_WATCH, 2, "demo/labo.central@labo.example", 2);
		break;
	case 2:
		bulletin(A_WATCH, 3, DURAND, 255);
		break;
	case 3:
		bulletin(WATCH_2, 1, "demo/veille@demo.example", 2);
		break;
	case 4:
		bulletin(WATCH_2, 2, "demo/labo.central@labo.example", 3);
		break;
	default:
		rec_meta(&control, NOW, 0, A_YEAR);
		add_bar("demo/association@demo.example", 1);
		forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
		break;
	}
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.rc == RC_OK || x.v.class == EC_BARRED);
	opened_free(&x);
}

/* P20, ruling 24: all 720 orders, each with some repetitions. */
static void
test_p20_order_and_repetition_do_not_matter(void **state)
{
	char want[200] = "", got[200];
	int p[6];

	(void)state;
	for (int n = 0; n < 720; n++) {
		int left[6] = { 0, 1, 2, 3, 4, 5 }, k = n;

		rows_free(&rows);
		gate_forget(martin);
		for (int i = 0; i < 6; i++) {
			int at = k % (6 - i);

			k /= 6 - i;
			p[i] = left[at];
			memmove(left + at, left + at + 1,
			    (size_t)(5 - at) * sizeof(int));
			play(p[i]);
			if (n % 3 == 0)
				gate_forget(martin);
			play(p[i / 2]);
		}
		state_of(got, sizeof(got));
		if (n == 0)
			snprintf(want, sizeof(want), "%s", got);
		T_STR(got, want);
	}
	T_STR(want, "2/2 NONE BARRED NONE BARRED");
}

static void
test_p20_a_missing_number_alarms(void **state)
{
	struct opened x;

	(void)state;
	bulletin(A_WATCH, 4, NULL, 0);
	expect_class(martin, &rows, &env, EC_NONE);
	rec_meta(&control, NOW, 5, A_YEAR);
	forge(A_LABO, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_MISSED_BULLETIN));
	opened_free(&x);
}

static void
test_ruling_37_a_bar_of_my_own_name(void **state)
{
	struct gate_dest d;
	struct err e = ERR_INIT;
	struct opened x;

	(void)state;
	bulletin(A_WATCH, 1, "demo/dr.martin@cabinet.example", 2);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_OWN_BAR));
	opened_free(&x);
	/* Sending stops, reading goes on. */
	T_RC(dest_of(martin, &rows, A_LABO, &d, &e), RC_CONF);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_unreadable_rows_count_as_none_and_alarm(void **state)
{
	struct gate_row bad = { .sealed = BUF_INIT };
	struct opened x;

	(void)state;
	snprintf(bad.key, sizeof(bad.key), "demo/labo.central@labo.example");
	T_CHECK(buf_adds(&bad.sealed, "0123456789012345678901234567890123456"
	    "789012345678901234567890123"));
	rows_put(&rows, &bad);
	gate_row_free(&bad);
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_RC(x.rc, RC_OK);
	T_CHECK(has_alarm(&x.v, GATE_AL_ROW) && x.v.nrows == 1);
	opened_free(&x);
	open_env(martin, &rows, &env, &x);
	T_CHECK(!has_alarm(&x.v, GATE_AL_ROW) && x.v.nrows == 0);
	opened_free(&x);
}

static void
test_ruling_35_desks_may_write_a_mebibyte(void **state)
{
	struct opened x;
	static const char *const from[] = { A_LABO, A_HUB, A_WATCH, A_ISSUER };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		rec_meta(&control, NOW, 0, A_YEAR);
		while (control.len < 70000)
			T_CHECK(buf_add(&control, "\x90\0\0\x03\xe8", 5) &&
			    buf_reserve(&control, 1000) &&
			    (memset(control.p + control.len, 0, 1000),
			    control.len += 1000));
		forge(from[i], A_MARTIN, A_YEAR, &control, NULL, &env);
		open_env(martin, &rows, &env, &x);
		T_CHECK(x.v.class == (i < 2 ? EC_RECORD : EC_NONE));
		opened_free(&x);
	}
}

static void
test_damaged_body_is_told_apart(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	env.p[env.len - 1] ^= 1;
	expect_class(martin, &rows, &env, EC_BODY);
	env.p[env.len - 1] ^= 1;
	env.len = 200;
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.v.class == EC_BODY || x.v.class == EC_TRUNCATED);
	T_CHECK(!x.v.has_mail && x.head.authentic);
	opened_free(&x);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_delivers_one_field_then_the_mail),
		T(test_same_result_one_octet_at_a_time),
		T(test_body_octets_pass_as_they_are),
		T(test_digest_mode_lets_nothing_out),
		T(test_late_and_duplicate_flags),
		T(test_ruling_10_a_clock_in_1970_flags_nothing),
		T(test_since_flags_what_was_sealed_before),
		T(test_every_flipped_octet_is_refused),
		T(test_every_truncation_is_refused),
		T(test_notforme_compares_names),
		T(test_header_of_another_channel),
		T(test_ruling_29_nokey_and_expired),
		T(test_ruling_11_a_key_file_in_mail),
		T(test_inner_from_must_be_the_sender),
		T(test_raw_carries_anything_and_says_so),
		T(test_ruling_5_an_old_generation_is_barred),
		T(test_a_refused_message_raises_nothing),
		T(test_ruling_22_only_the_mail_counts_for_an_old_key_of_mine),
		T(test_p9_each_forbidden_record_and_sender),
		T(test_p9_a_refusal_speaks_only_when_mail_was_seen),
		T(test_return_key_is_of_the_sender_and_the_year),
		T(test_ruling_21_a_conflicting_grant_is_skipped_with_an_alarm),
		T(test_a_grant_once_learnt_is_never_replaced),
		T(test_bulletin_bars_and_counts),
		T(test_ruling_23_the_desk_may_not_bar_a_role),
		T(test_ruling_23_a_new_desk_replaces_the_list_of_the_old),
		T(test_ruling_23_the_issuers_bars_persist),
		T(test_p20_order_and_repetition_do_not_matter),
		T(test_p20_a_missing_number_alarms),
		T(test_ruling_37_a_bar_of_my_own_name),
		T(test_unreadable_rows_count_as_none_and_alarm),
		T(test_ruling_35_desks_may_write_a_mebibyte),
		T(test_damaged_body_is_told_apart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
