/* Who may say what: PROTOCOL 2.5, 2.11 step 10, 2.19.35; claim P9. */
#include "config.h"

#include "gate_martin.h"

#define MAIL_MARTIN "From: dr.martin@cabinet.example\r\n\r\nmerci\r\n"

/* ---- who may say what (P9) --------------------------------------------- */

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
add_relayed(const char *orig)
{
	static const uint8_t t[32] = { 1 };
	struct rec r = { .type = REC_RELAYED };

	rec_meta(&control, NOW, 0, A_YEAR);
	r.relayed = (struct rec_relayed){ t, NOW, assoc_id(orig) };
	rec_to(&control, &r);
}

static void
test_ruling_33_the_relayed_identity_may_be_barred(void **state)
{
	(void)state;
	/* He wrote with generation 2: mail relayed of generation 1 is his
	 * thief's; and relayed mail of generation 3 raises nothing. */
	forge_plain("demo/labo.central@labo.example#2", A_MARTIN, MAIL_LABO,
	    &env);
	expect_class(martin, &rows, &env, EC_NONE);
	add_relayed(A_LABO);
	forge(A_HUB, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_BARRED);
	add_relayed("demo/labo.central@labo.example#3");
	forge(A_HUB, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NONE);
	forge_plain("demo/labo.central@labo.example#2", A_MARTIN, MAIL_LABO,
	    &env);
	expect_class(martin, &rows, &env, EC_NONE);
}

static void
test_relayed_though_he_writes_directly(void **state)
{
	struct opened x;

	(void)state;
	forge_plain(A_LABO, A_MARTIN, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_NONE);
	add_relayed(A_LABO);
	forge(A_HUB, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	open_env(martin, &rows, &env, &x);
	T_CHECK(x.rc == RC_OK && x.v.flags == GATE_F_RELAYED_DIRECT);
	T_CHECK(strstr(buf_str(&x.mail), "relayed-though-direct") != NULL);
	opened_free(&x);
}

static void
test_relayed_from_is_the_original_sender(void **state)
{
	(void)state;
	add_relayed(A_DURAND);
	forge(A_HUB, A_MARTIN, A_YEAR, &control, MAIL_LABO, &env);
	expect_class(martin, &rows, &env, EC_INNER);
	add_relayed(A_MARTIN);
	forge(A_HUB, A_MARTIN, A_YEAR, &control, MAIL_MARTIN, &env);
	expect_class(martin, &rows, &env, EC_RECORD);
	add_relayed(A_LABO);
	forge(A_HUB, A_MARTIN, A_YEAR, &control, NULL, &env);
	expect_class(martin, &rows, &env, EC_RECORD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_p9_each_forbidden_record_and_sender),
		T(test_p9_a_refusal_speaks_only_when_mail_was_seen),
		T(test_return_key_is_of_the_sender_and_the_year),
		T(test_ruling_35_desks_may_write_a_mebibyte),
		T(test_ruling_33_the_relayed_identity_may_be_barred),
		T(test_relayed_though_he_writes_directly),
		T(test_relayed_from_is_the_original_sender),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
