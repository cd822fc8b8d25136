/*
 * The association's offices, each pass of which has another trouble: the
 * gateway relays each mail once, the watch desk gives its bulletin to each
 * member once, and what commands note is noted or said to be not.
 */
#include "config.h"

#include "pass_unit.h"

#include "flow/alone.h"
#include "flow/barring.h"
#include "flow/erase.h"
#include "flow/filter.h"
#include "flow/probe.h"

static const char settings[] =
    "route = \"us@demo.example\"\nack_delay = \"0-1 s\"\n"
    "account \"in\" {\n protocol = maildir\n path = \"@/in\"\n}\n"
    "relay \"r\" {\n host = \"127.0.0.1\"\n port = 1\n tls = none\n"
    " auth = none\n}\n"
    "deliver \"box\" {\n kind = maildir\n path = \"@/box\"\n}\n";

static struct member desk;

static void
open_as(const char *id, bool hub)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", hub ? "hub = yes\n" : "",
	    settings);
	member_open(&desk, id, text);
	make_dir(&desk, "in");
	make_dir(&desk, "in/new");
	make_dir(&desk, "in/cur");
	make_dir(&desk, "in/tmp");
}

static void
each(enum trouble_what what, enum part who, enum lie how, long step,
    void (*more)(struct member *), int (*act)(const struct member *))
{
	const struct trouble t = { what, who, 0, how };
	long n = each_trouble(&desk, t, step, more, act);

	print_message("%d of part %d (%d): %ld\n", what, who, how, n);
	T_CHECK(n > 0);
	settle(&desk);
}

/* ---- the gateway ------------------------------------------------------- */

/* One to be relayed, and one for itself. */
static void
post(struct member *m)
{
	static const char petit[] = "demo/infirmiere.petit@petit.example";
	static const uint8_t proof[32];
	struct buf control = BUF_INIT, env = BUF_INIT;
	struct rec r = { .type = REC_ROUTE };
	char mail[256];

	snprintf(mail, sizeof(mail), "From: labo.central@labo.example\r\n"
	    "To: infirmiere.petit@petit.example\r\n\r\nMARK-%u.\r\n",
	    m->n + 1);
	rec_meta(&control, NOW, 0, A_YEAR);
	T_CHECK(identity_parse_name(petit, strlen(petit), &r.route.name));
	rec_to(&control, &r);
	r = (struct rec){ .type = REC_WITNESS };
	r.witness.proof = proof;
	rec_to(&control, &r);
	forge(A_LABO, A_HUB, A_YEAR, &control, mail, &env);
	post_envelope(m, &env);
	snprintf(mail, sizeof(mail), "From: labo.central@labo.example\r\n"
	    "To: passerelle@demo.example\r\n\r\nMARK-%u.\r\n", m->n + 1);
	forge_plain(A_LABO, A_HUB, mail, &env);
	post_envelope(m, &env);
	buf_free(&control);
	buf_free(&env);
}

static void
hub_judge(unsigned from, bool lied)
{
	struct buf all = BUF_INIT;
	int64_t n = store_says(&desk, "SELECT count(*) FROM queue "
	    "WHERE CAST(name AS TEXT) LIKE '%petit%'");
	int64_t of = store_says(&desk, "SELECT count(DISTINCT d) FROM queue "
	    "WHERE CAST(name AS TEXT) LIKE '%petit%'");

	if (n != of || of > desk.n / 2 || (!lied && of != desk.n / 2))
		fail_msg("%lld relayed, %lld of them twice, of %u",
		    (long long)of, (long long)(n - of), desk.n / 2);
	member_files(&desk, "box", &all);
	for (unsigned i = from; i <= desk.n; i++) {
		char mark[32];
		unsigned has;

		snprintf(mark, sizeof(mark), "MARK-%u.", i);
		has = times_in(&all, mark);
		if (has > (i % 2 == 0) || (has == 0 && i % 2 == 0 && !lied))
			fail_msg("%s %u times", mark, has);
	}
	buf_free(&all);
}

static void
test_hub(void **state)
{
	(void)state;
	open_as(A_HUB, true);
	post(&desk);
	settle(&desk);
	hub_judge(1, false);
	each(T_MEMORY, PART_KEEPER, L_N, steps(37), post, a_pass);
	each(T_MEMORY, PART_VAULT, L_N, steps(23), post, a_pass);
	each(T_SQL, PART_KEEPER, L_N, steps(41), post, a_pass);
	hub_judge(1, false);
	for (enum lie how = L_EMPTY; how < L_N; how++) {
		each(T_LIE, PART_KEEPER, how, steps(13), post, a_pass);
		each(T_LIE, PART_VAULT, how, steps(13), post, a_pass);
	}
	hub_judge(1, true);
	member_close(&desk);
}

/* Where the operator has forgotten that it is the gateway. */
static void
test_hub_that_does_not_know(void **state)
{
	(void)state;
	open_as(A_HUB, false);
	post(&desk);
	settle(&desk);
	hub_judge(1, false);
	each(T_LIE, PART_KEEPER, L_SHORT, steps(13), post, a_pass);
	each(T_SQL, PART_KEEPER, L_N, steps(67), post, a_pass);
	member_close(&desk);
}

/* ---- the watch desk ---------------------------------------------------- */

/* Somebody more on the list, of whom all must hear. */
static void
bar_one(struct member *m)
{
	struct gate_barring out;
	struct err e = ERR_INIT;
	char who[64];

	/* As if all were sent, and it were the first: behind too many of them
	 * it waits, and the list must not be ever longer. */
	store_do(m, "DELETE FROM queue; DELETE FROM bar; "
	    "DELETE FROM row WHERE CAST(key AS TEXT) LIKE '%@x.example'");
	snprintf(who, sizeof(who), "demo/x%u@x.example", ++m->n);
	if (barring_note(&m->p, who, 0, "lost", &out, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static int
list_act(const struct member *m)
{
	struct store_bar *bars;
	struct err e = ERR_INIT;
	size_t n;
	enum rc rc = barring_list(&m->p, &bars, &n, &e);

	if (rc == RC_OK && n != 1)
		return 99;
	free(bars);
	return rc_exit(rc);
}

/* Nothing of it is left to be done: since the last bar each of the six others
 * has been given it. */
static void
watch_judge(void)
{
	assert_int_equal(store_says(&desk,
	    "SELECT count(*) FROM desk WHERE due <> 0 OR going <> 0"), 0);
	assert_int_equal(store_says(&desk, "SELECT count(DISTINCT name) "
	    "FROM queue WHERE queued_at >= (SELECT max(at) FROM bar)"), 6);
	assert_int_equal(store_says(&desk, "SELECT count(*) FROM bar"), 1);
}

static void
test_watch(void **state)
{
	(void)state;
	open_as(A_WATCH, false);
	bar_one(&desk);
	settle(&desk);
	watch_judge();
	each(T_MEMORY, PART_KEEPER, L_N, steps(37), bar_one, a_pass);
	each(T_MEMORY, PART_VAULT, L_N, steps(23), bar_one, a_pass);
	each(T_SQL, PART_KEEPER, L_N, steps(41), bar_one, a_pass);
	for (enum lie how = L_EMPTY; how < L_N; how++) {
		each(T_LIE, PART_KEEPER, how, steps(13), bar_one, a_pass);
		each(T_LIE, PART_VAULT, how, steps(13), bar_one, a_pass);
		each(T_LIE, PART_N, how, 1, bar_one, list_act);
		watch_judge();
	}
	each(T_MEMORY, PART_N, L_N, steps(3), bar_one, list_act);
	each(T_SQL, PART_N, L_N, steps(3), bar_one, list_act);
	member_close(&desk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hub),
		cmocka_unit_test(test_hub_that_does_not_know),
		cmocka_unit_test(test_watch),
	};

	return cmocka_run_group_tests(tests, gate_setup, NULL);
}
