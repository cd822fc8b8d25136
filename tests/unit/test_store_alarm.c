/* Each alarm begins, is told once, tells what changed, and ends; what is done
 * costs nothing. */
#include "store_unit.h"

#include "store/db.h"

#define HOUR 3600
#define DAY 86400
#define DR_NAME "demo/dr.martin@cabinet.example"
#define EVE_NAME "demo/eve@autre.example"
#define MAX 16

static struct store_alarm_at
limits(int64_t now)
{
	return (struct store_alarm_at){ .late_before = now - 4 * HOUR,
	    .unopened_before = now - 72 * HOUR, .silent_before = now - 3 * DAY,
	    .refused_since = now - 7 * DAY };
}

/* The alarms that last at ${now}. */
static size_t
look(struct world *w, int64_t now, struct store_alarm a[MAX])
{
	struct store_alarm_at at = limits(now);
	size_t n;

	OK(w, store_alarm_update(w->st, now, &at, NULL, 0, &w->e));
	OK(w, store_alarm_list(w->st, 0, a, MAX, &n, &w->e));
	return n;
}

static size_t
untold(struct world *w, int64_t now, struct store_alarm a[MAX])
{
	size_t n;

	OK(w, store_alarm_untold(w->st, a, MAX, &n, &w->e));
	OK(w, store_alarm_told(w->st, now, a, n, &w->e));
	return n;
}

static void
leave(struct world *w, struct store_out_put *m)
{
	struct store_out out[4];
	struct store_out_end end = { .id = submit(w, m, NULL) };
	size_t n;

	OK(w, store_out_claim(w->st, "r", NOW, NOW + 9, out, 4, &n, &w->e));
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
}

static void
test_late_begins_is_told_once_and_ends(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), other = make_out(2, DR);
	struct store_alarm a[MAX];

	(void)submit(w, &m, NULL);
	assert_int_equal(look(w, NOW + 4 * HOUR, a), 0);
	assert_int_equal(look(w, NOW + 4 * HOUR + 1, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_LATE);
	assert_string_equal(a[0].subject, DR_NAME);
	assert_int_equal(a[0].since, NOW);
	assert_int_equal(a[0].n, 1);
	assert_int_equal(a[0].began_at, NOW + 4 * HOUR + 1);
	assert_int_equal(untold(w, NOW + 4 * HOUR + 1, a), 1);
	assert_int_equal(untold(w, NOW + 4 * HOUR + 2, a), 0);
	(void)submit(w, &other, NULL);
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 1);
	assert_int_equal(a[0].n, 2);
	assert_int_equal(untold(w, NOW + 5 * HOUR, a), 0);
	(void)acked(w, 1, 2, DR, NULL);
	assert_int_equal(look(w, NOW + 6 * HOUR, a), 1);
	(void)acked(w, 2, 0x10, DR, NULL);
	assert_int_equal(look(w, NOW + 6 * HOUR, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_REFUSED);
	assert_int_equal(untold(w, NOW + 6 * HOUR, a), 2);
	assert_int_equal(a[0].rule, STORE_RULE_REFUSED);
	assert_int_equal(a[1].rule, STORE_RULE_LATE);
	assert_int_equal(a[1].ended_at, NOW + 6 * HOUR);
	assert_int_equal(untold(w, NOW + 6 * HOUR, a), 0);
	/* a refusal is told for a week */
	assert_int_equal(look(w, NOW + 7 * DAY, a), 1);
	assert_int_equal(look(w, NOW + 7 * DAY + 1, a), 0);
}

static void
test_what_ended_untold_is_not_told(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_alarm a[MAX];
	size_t n;

	(void)submit(w, &m, NULL);
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 1);
	(void)acked(w, 1, 2, DR, NULL);
	assert_int_equal(look(w, NOW + 6 * HOUR, a), 0);
	assert_int_equal(untold(w, NOW + 6 * HOUR, a), 0);
	OK(w, store_alarm_list(w->st, NOW, a, MAX, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(look(w, NOW + 37 * DAY, a), 0);
	OK(w, store_alarm_list(w->st, NOW, a, MAX, &n, &w->e));
	assert_int_equal(n, 0);
}

/* Each of those behind the gateway has an alarm of his own. */
static void
test_late_of_one_behind_the_gateway(void **state)
{
	struct world *w = *state;
	const char *const names[] = { DR_NAME, EVE_NAME };
	struct store_out_put m = make_out(1, HUB);
	struct store_alarm a[MAX];

	m.routed = names;
	m.nrouted = 2;
	leave(w, &m);
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 2);
	(void)acked(w, 1, 1, HUB, NULL);
	(void)acked(w, 1, 2, HUB, EVE_NAME);
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 1);
	assert_string_equal(a[0].subject, DR_NAME);
	(void)acked(w, 1, 0x10, HUB, DR_NAME);
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_REFUSED);
}

static void
test_silent_until_there_is_news(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), other = make_out(2, DR);
	struct store_alarm a[MAX];
	int64_t at;

	leave(w, &m);
	(void)acked(w, 1, 2, DR, NULL);
	OK(w, store_heard(w->st, DR, &at, &w->e));
	assert_int_equal(at, NOW);
	sql_do(w, "UPDATE heard SET at = at - 9");
	leave(w, &other);
	assert_int_equal(look(w, NOW + 3 * DAY, a), 1);		/* late */
	assert_int_equal(look(w, NOW + 3 * DAY + 1, a), 2);
	assert_int_equal(a[0].rule, STORE_RULE_SILENT);
	assert_int_equal(a[0].since, NOW - 9);
	/* any news will do: that mail may still be late */
	sql_do(w, "UPDATE heard SET at = at + 9");
	assert_int_equal(look(w, NOW + 3 * DAY + 1, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_LATE);
}

static void
test_silent_waits_for_what_has_left(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_alarm a[MAX];

	(void)submit(w, &m, NULL);
	assert_int_equal(look(w, NOW + 4 * DAY, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_LATE);
}

static void
test_unopened_only_of_who_says_opened(void **state)
{
	struct world *w = *state;
	struct store_out_put m[3] = { make_out(1, DR), make_out(2, DR),
	    make_out(3, EVE) };
	struct store_alarm a[MAX];
	struct store_out out[4];
	struct store_steps s;
	size_t n;

	for (size_t i = 0; i < 3; i++)
		leave(w, &m[i]);
	(void)acked(w, 1, 2, DR, NULL);
	(void)acked(w, 3, 2, EVE, NULL);
	assert_int_equal(look(w, NOW + 4 * DAY, a), 1);		/* late: 2 */
	(void)acked(w, 1, 3, DR, NULL);
	(void)acked(w, 2, 2, DR, NULL);
	assert_int_equal(look(w, NOW + 72 * HOUR, a), 0);
	assert_int_equal(look(w, NOW + 72 * HOUR + 1, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_UNOPENED);
	assert_string_equal(a[0].subject, DR_NAME);
	OK(w, store_follow_list(w->st, NOW + 1, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(out[0].id, m[1].id);
	OK(w, store_steps(w->st, m[1].id, DR, &s, &w->e));
	assert_int_equal(s.unopened_at, NOW);
	assert_int_equal(s.received_at, NOW + 5);
	assert_int_equal(s.opened_at, 0);
	(void)acked(w, 2, 3, DR, NULL);
	OK(w, store_steps(w->st, m[1].id, DR, &s, &w->e));
	assert_int_equal(s.unopened_at, 0);
	assert_int_equal(s.received_at, NOW + 5);
	assert_int_equal(s.opened_at, NOW + 5);
	assert_int_equal(look(w, NOW + 5 * DAY, a), 0);
}

static void
test_failed_with_the_first_reason(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out_end end = { .id = submit(w, &m, NULL),
	    .text = "550 no" };
	struct store_alarm a[MAX];
	struct store_out out[1];
	enum store_result result;
	size_t n;

	OK(w, store_out_claim(w->st, "r", NOW, NOW + 9, out, 1, &n, &w->e));
	OK(w, store_out_fail(w->st, &end, 1, NOW + 3, &w->e));
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 1);
	assert_int_equal(a[0].rule, STORE_RULE_FAILED);
	assert_int_equal(a[0].since, NOW + 3);
	assert_string_equal(a[0].text, "550 no");
	OK(w, store_out_drop(w->st, end.id, &result, &w->e));
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 0);
}

static void
test_one_that_gets_worse_is_told_again(void **state)
{
	struct world *w = *state;
	struct store_alarm_at at = limits(NOW);
	struct store_alarm own = { .rule = STORE_RULE_KEY,
	    .subject = "demo/labo", .since = NOW + 9, .level = 60 };
	struct store_alarm a[MAX];

	for (int i = 0; i < 2; i++) {
		OK(w, store_alarm_update(w->st, NOW, &at, &own, 1, &w->e));
		assert_int_equal(untold(w, NOW, a), i == 0);
	}
	own.level = 30;
	OK(w, store_alarm_update(w->st, NOW, &at, &own, 1, &w->e));
	assert_int_equal(untold(w, NOW, a), 1);
	assert_int_equal(a[0].level, 30);
	assert_int_equal(a[0].began_at, NOW);
	own.level = 60;
	OK(w, store_alarm_update(w->st, NOW, &at, &own, 1, &w->e));
	assert_int_equal(untold(w, NOW, a), 0);
}

static void
test_nothing_new_writes_nothing(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_alarm a[MAX];
	int64_t before;

	(void)submit(w, &m, NULL);
	(void)look(w, NOW + 5 * HOUR, a);
	before = sql_number(w, "SELECT sum(began_at + since + n) FROM alarm");
	world_close(w);
	OK(w, store_open(w->dir, STORE_READ, &w->st, &w->e));
	/* a store that may not be written to would complain */
	assert_int_equal(look(w, NOW + 6 * HOUR, a), 1);
	assert_int_equal(sql_number(w, "SELECT sum(began_at + since + n) "
	    "FROM alarm"), before);
}

static int
one_step(void *arg)
{
	++*(int64_t *)arg;
	return 0;
}

static int64_t
steps_of_a_look(struct world *w)
{
	struct store_alarm a[MAX];
	int64_t n = 0;

	(void)look(w, NOW + 5 * HOUR, a);
	sqlite3_progress_handler(w->st->db, 1, one_step, &n);
	assert_int_equal(look(w, NOW + 5 * HOUR, a), 1);
	sqlite3_progress_handler(w->st->db, 0, NULL, NULL);
	return n;
}

/* 20,000 messages received, and refused a year ago. */
static void
test_cost_follows_what_is_unfinished(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	int64_t few, many;

	(void)submit(w, &m, NULL);
	few = steps_of_a_look(w);
	sql_do(w, "WITH RECURSIVE c(i) AS (SELECT 10 UNION ALL SELECT i + 1 "
	    "FROM c WHERE i < 20000) INSERT INTO queue (id, submission, "
	    "state, kind, t, d, identity, name, from_route, to_route, date, "
	    "message_id, boundary, meta_at, size, bound, queued_at, since, "
	    "next_at, done, ack_state) SELECT i, 1, 4, 1, "
	    "CAST(printf('%032d', i) AS BLOB), zeroblob(32), x'61', x'61', "
	    "x'', x'', x'', x'', x'', 0, 1, 0, 1, 1, 1, 1 + i % 2, "
	    "2 + 14 * (i % 2) FROM c;"
	    "INSERT INTO follow SELECT id, name, 8, 1 FROM queue "
	    "WHERE id >= 10 AND ack_state = 16;"
	    "INSERT INTO heard SELECT CAST(id AS BLOB), 1, 0 FROM queue");
	many = steps_of_a_look(w);
	if (many > few + few / 4)
		fail_msg("%lld steps, with 20000 done %lld", (long long)few,
		    (long long)many);
}

static void
test_passes_are_remembered_up_to_a_number(void **state)
{
	struct world *w = *state;
	static struct store_pass all[STORE_PASSES + 5];
	struct store_pass p[3], one = { .began_at = NOW };
	size_t n;

	for (int i = 0; i < STORE_PASSES + 5; i++) {
		one.began_at = NOW + i;
		OK(w, store_pass_begin(w->st, &one, &w->e));
	}
	one.seen_at = one.ended_at = NOW + 9 * HOUR;
	one.code = 75;
	snprintf(one.text, sizeof(one.text), "why");
	OK(w, store_pass_seen(w->st, &one, &w->e));
	OK(w, store_pass_list(w->st, NOW, p, 3, &n, &w->e));
	assert_int_equal(n, 3);
	assert_int_equal(p[0].code, 75);
	assert_string_equal(p[0].text, "why");
	assert_int_equal(p[1].ended_at, 0);
	assert_int_equal(p[1].began_at, NOW + STORE_PASSES + 3);
	OK(w, store_pass_list(w->st, 0, all, STORE_PASSES + 5, &n, &w->e));
	assert_int_equal(n, STORE_PASSES);
	OK(w, store_pass_list(w->st, NOW + HOUR, p, 3, &n, &w->e));
	assert_int_equal(n, 1);
}

static void
test_keys_accounts_and_digest(void **state)
{
	struct world *w = *state;
	struct store_key k[STORE_KEYS_MAX] = { { "a", 5, false },
	    { "a", 9, false }, { "b", 1, true } };
	char text[STORE_TEXT_BYTES];
	int64_t at, day;
	bool known;
	size_t n;

	OK(w, store_keys_put(w->st, NOW, k, 3, &w->e));
	OK(w, store_keys(w->st, k, &n, &at, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(k[0].until, 9);
	assert_true(!k[0].barred && k[1].barred);
	assert_int_equal(at, NOW);
	OK(w, store_keys_put(w->st, NOW, k, 0, &w->e));
	OK(w, store_keys(w->st, k, &n, &at, &w->e));
	assert_int_equal(at, 0);
	OK(w, store_down_set(w->st, "box", NOW, "one", &known, &w->e));
	assert_false(known);
	OK(w, store_down_set(w->st, "box", NOW + 9, "two", &known, &w->e));
	assert_false(known);
	OK(w, store_down_set(w->st, "box", NOW + 9 + STORE_SAID_S - 1, "two",
	    &known, &w->e));
	assert_true(known);
	OK(w, store_down_set(w->st, "box", NOW + 9 + STORE_SAID_S, "two",
	    &known, &w->e));
	assert_false(known);
	OK(w, store_down(w->st, "box", &at, text, &w->e));
	assert_int_equal(at, NOW);
	assert_string_equal(text, "two");
	OK(w, store_down_up(w->st, "box", &w->e));
	OK(w, store_down(w->st, "box", &at, text, &w->e));
	assert_int_equal(at, 0);
	OK(w, store_digest(w->st, &day, &at, &w->e));
	assert_int_equal(day, 0);
	OK(w, store_digest_done(w->st, 20000, NOW, &w->e));
	OK(w, store_digest_done(w->st, 20001, NOW + 1, &w->e));
	OK(w, store_digest(w->st, &day, &at, &w->e));
	assert_int_equal(day, 20001);
	assert_int_equal(at, NOW + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_late_begins_is_told_once_and_ends),
		WORLD_TEST(test_what_ended_untold_is_not_told),
		WORLD_TEST(test_late_of_one_behind_the_gateway),
		WORLD_TEST(test_silent_until_there_is_news),
		WORLD_TEST(test_silent_waits_for_what_has_left),
		WORLD_TEST(test_unopened_only_of_who_says_opened),
		WORLD_TEST(test_failed_with_the_first_reason),
		WORLD_TEST(test_one_that_gets_worse_is_told_again),
		WORLD_TEST(test_nothing_new_writes_nothing),
		WORLD_TEST(test_cost_follows_what_is_unfinished),
		WORLD_TEST(test_passes_are_remembered_up_to_a_number),
		WORLD_TEST(test_keys_accounts_and_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
