#include "store_unit.h"

#define GIVE_UP (5 * 86400)

static size_t
claim(struct world *w, const char *relay, int64_t now, int64_t until,
    struct store_out *out, size_t max)
{
	size_t n;

	OK(w, store_out_claim(w->st, relay, now, until, out, max, &n, &w->e));
	return n;
}

static struct store_out_end
ending(int64_t id)
{
	struct store_out_end m = { id, "450 later", 0, NULL, NULL,
	    STORE_NOT, false };

	return m;
}

/* --- Submission -------------------------------------------------------- */

static void
test_submit_all_or_none(void **state)
{
	struct world *w = *state;
	struct store_out_put m[3] = { make_out(1, DR), make_out(2, EVE),
		make_out(1, LABO) };	/* the same T as the first */
	struct store_counts c;
	int64_t submission, body;

	OK(w, store_body_begin(w->st, &body, &w->e));
	OK(w, store_body_append(w->st, body, "abc", 3, &w->e));
	m[0].body = (struct store_body){ body, NULL, 0 };
	T_RC(store_out_submit(w->st, NOW, NULL, m, 3, &submission, &w->e),
	    RC_TEMP);
	assert_int_equal(submission, 0);
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	assert_int_equal(c.queued, 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 0);
	OK(w, store_out_submit(w->st, NOW, NULL, m + 1, 2, &submission,
	    &w->e));
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	assert_int_equal(c.queued, 2);
	assert_int_equal(c.oldest_queued_at, NOW);
}

static void
test_submit_keeps_every_field(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out;
	struct buf b = BUF_INIT;

	m.relay = "main";
	(void)submit(w, &m, "anne@localhost");
	world_reopen(w);
	OK(w, store_out_find(w->st, m.t, &out, &w->e));
	assert_int_equal(out.id, m.id);
	assert_int_equal(out.state, STORE_QUEUED);
	assert_int_equal(out.kind, STORE_MAIL);
	assert_memory_equal(out.t, m.t, 32);
	assert_memory_equal(out.d, m.d, 32);
	assert_string_equal(out.identity, DR);
	assert_string_equal(out.from_route, m.from_route);
	assert_string_equal(out.to_route, m.to_route);
	assert_string_equal(out.date, m.date);
	assert_string_equal(out.message_id, m.message_id);
	assert_string_equal(out.boundary, m.boundary);
	assert_string_equal(out.relay, "main");
	assert_string_equal(out.notice_to, "anne@localhost");
	assert_int_equal(out.meta_at, NOW);
	assert_int_equal(out.size, 5000);
	OK(w, store_body_part(w->st, out.body, 0, &b, &w->e));
	assert_int_equal(b.len, 5000);
	buf_free(&b);
}

/* --- Claims ------------------------------------------------------------ */

/* It may be sent, and waits for its end to be written: it is no one's to
 * send, though the session has taken long, or the clock has leapt. */
static void
test_own_claim_never_lapses(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), other = make_out(2, EVE);
	struct store_out out[4];
	struct store_out_end end;

	(void)submit(w, &m, NULL);
	assert_int_equal(claim(w, "r", NOW - 1, NOW, out, 4), 0);
	assert_int_equal(claim(w, "r", NOW, NOW + 60, out, 4), 1);
	assert_int_equal(out[0].state, STORE_CLAIMED);
	assert_string_equal(out[0].relay, "r");
	assert_int_equal(claim(w, "r", NOW + 59, NOW + 90, out, 4), 0);
	assert_int_equal(claim(w, "q", NOW + 60, NOW + 90, out, 4), 0);
	(void)submit(w, &other, NULL);
	assert_int_equal(claim(w, "q", NOW + 60, NOW + 90, out, 4), 1);
	assert_int_equal(out[0].id, other.id);
	end = ending(m.id);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(end.result, STORE_OK);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(end.result, STORE_NOT);
}

static void
test_claim_dies_with_its_process(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[4];
	int status;
	pid_t pid;

	(void)submit(w, &m, NULL);
	world_close(w);
	if ((pid = fork()) == 0) {
		struct store *st;
		size_t n = 0;

		_exit(store_open(w->dir, STORE_WRITE, &st, &w->e) == RC_OK &&
		    store_out_claim(st, "r", NOW, NOW + 99999, out, 4, &n,
		    &w->e) == RC_OK && n == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	world_reopen(w);
	assert_int_equal(claim(w, "r", NOW, NOW + 60, out, 4), 1);
}

/* Another process, which has claimed all until NOW + 999, and ends with
 * other_end(). */
struct other {
	pid_t	pid;
	int	end;
};

static struct other
other_claims(struct world *w)
{
	struct store_out out[4];
	int up[2], down[2];
	char c = 0;
	pid_t pid;

	world_close(w);
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	if ((pid = fork()) == 0) {
		struct store *st;
		size_t n = 0;

		(void)close(down[1]);
		if (store_open(w->dir, STORE_WRITE, &st, &w->e) != RC_OK ||
		    store_out_claim(st, "r", NOW, NOW + 999, out, 4, &n,
		    &w->e) != RC_OK || write(up[1], "x", 1) != 1 ||
		    read(down[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	(void)close(down[0]);
	assert_int_equal(read(up[0], &c, 1), 1);
	(void)close(up[0]);
	(void)close(up[1]);
	world_reopen(w);
	return (struct other){ pid, down[1] };
}

static void
other_end(const struct other *o)
{
	int status;

	(void)close(o->end);
	assert_int_equal(waitpid(o->pid, &status, 0), o->pid);
	assert_int_equal(status, 0);
}

static void
test_claim_of_a_live_process_stands(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[4];
	struct other o;

	(void)submit(w, &m, NULL);
	o = other_claims(w);
	assert_int_equal(claim(w, "r", NOW, NOW + 60, out, 4), 0);
	other_end(&o);
	OK(w, store_sweep(w->st, &w->e));
	assert_int_equal(claim(w, "r", NOW, NOW + 60, out, 4), 1);
}

static void
test_claim_of_a_live_process_lapses(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[4];
	struct other o;

	(void)submit(w, &m, NULL);
	o = other_claims(w);
	assert_int_equal(claim(w, "q", NOW + 998, NOW + 1200, out, 4), 0);
	assert_int_equal(claim(w, "q", NOW + 999, NOW + 1200, out, 4), 1);
	other_end(&o);
}

static void
test_claim_follows_a_bound_relay(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), any = make_out(2, EVE);
	struct store_out out[4];

	m.relay = "main";
	(void)submit(w, &m, NULL);
	(void)submit(w, &any, NULL);
	assert_int_equal(claim(w, "other", NOW, NOW + 1, out, 4), 1);
	assert_int_equal(out[0].id, any.id);
	assert_int_equal(claim(w, "main", NOW, NOW + 1, out, 4), 1);
	assert_int_equal(out[0].id, m.id);
	assert_int_equal(claim(w, "main", NOW, NOW + 1, out, 0), 0);
}

/* --- Ends -------------------------------------------------------------- */

static void
test_sent_keeps_mail_and_drops_control(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), c = make_out(2, DR);
	struct store_out out[4];
	struct store_out_end end[2];

	c.kind = STORE_CONTROL;
	(void)submit(w, &m, NULL);
	(void)submit(w, &c, NULL);
	assert_int_equal(claim(w, "r", NOW, NOW + 1, out, 4), 2);
	end[0] = ending(m.id);
	end[1] = ending(c.id);
	end[1].event = "out.sent";
	end[1].event_text = "id=2";
	OK(w, store_out_sent(w->st, end, 2, NOW + 3, &w->e));
	assert_int_equal(sql_number(w, "SELECT count(*) FROM event WHERE "
	    "name = 'out.sent' AND text = CAST('id=2' AS BLOB)"), 1);
	assert_int_equal(get_out(w, m.id).state, STORE_SENT);
	assert_int_equal(get_out(w, m.id).sent_at, NOW + 3);
	assert_true(get_out(w, m.id).body != 0);
	assert_int_equal(get_out(w, c.id).body, 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 1);
}

static void
test_defer_backs_off_then_gives_up(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[4];
	struct store_out_end end;
	int64_t now = NOW, ids[1];
	size_t n;
	int tries = 0;

	(void)submit(w, &m, "anne@localhost");
	do {
		assert_int_equal(claim(w, "r", now, now + 60, out, 4), 1);
		assert_int_equal(out[0].tries, tries);
		end = ending(m.id);
		OK(w, store_out_defer(w->st, &end, 1, now, GIVE_UP, &w->e));
		assert_int_equal(end.result, STORE_OK);
		if (end.failed)
			break;
		tries++;
		assert_int_equal(claim(w, "r", now, now + 60, out, 4), 0);
		assert_true(get_out(w, m.id).next_at > now);
		now = get_out(w, m.id).next_at;
	} while (tries < 100);
	assert_in_range(tries, 30, 45);
	assert_true(now - NOW >= GIVE_UP);
	assert_int_equal(get_out(w, m.id).state, STORE_FAILED);
	assert_string_equal(get_out(w, m.id).text, "450 later");
	OK(w, store_notice_next(w->st, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_string_equal(out[0].notice_to, "anne@localhost");
	ids[0] = out[0].id;
	OK(w, store_notice_done(w->st, ids, 1, &w->e));
	OK(w, store_notice_next(w->st, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_fail_never_notices_a_notice(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), q = make_out(2, DR),
	    none = make_out(3, DR);
	struct store_out out[4];
	struct store_out_end end[3];
	size_t n;

	q.kind = STORE_NOTICE;
	(void)submit(w, &m, "anne@localhost");
	(void)submit(w, &q, "anne@localhost");
	(void)submit(w, &none, NULL);
	assert_int_equal(claim(w, "r", NOW, NOW + 1, out, 4), 3);
	for (int i = 0; i < 3; i++)
		end[i] = ending(out[i].id);
	OK(w, store_out_fail(w->st, end, 3, NOW, &w->e));
	assert_true(end[0].failed && end[2].failed);
	OK(w, store_notice_next(w->st, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(out[0].id, m.id);
}

static void
test_overdue_without_a_try(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[2];
	size_t n;

	(void)submit(w, &m, "anne@localhost");
	OK(w, store_out_overdue(w->st, NOW + GIVE_UP - 1, GIVE_UP, "old", &n,
	    &w->e));
	assert_int_equal(n, 0);
	OK(w, store_out_overdue(w->st, NOW + GIVE_UP, GIVE_UP, "old", &n,
	    &w->e));
	assert_int_equal(n, 1);
	OK(w, store_notice_next(w->st, 0, out, 2, &n, &w->e));
	assert_int_equal(n, 1);
}

static void
test_unclaim_counts_no_try(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[2];

	(void)submit(w, &m, NULL);
	assert_int_equal(claim(w, "r", NOW, NOW + 100, out, 2), 1);
	OK(w, store_out_unclaim(w->st, &m.id, 1, &w->e));
	assert_int_equal(claim(w, "r", NOW, NOW + 100, out, 2), 1);
	assert_int_equal(out[0].tries, 0);
}

/* No end without a claim. */
static void
test_ends_need_a_claim(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out_end end;

	(void)submit(w, &m, NULL);
	end = ending(m.id);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(end.result, STORE_NOT);
	OK(w, store_out_fail(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(end.result, STORE_NOT);
	OK(w, store_out_defer(w->st, &end, 1, NOW, 1, &w->e));
	assert_int_equal(end.result, STORE_NOT);
	assert_int_equal(get_out(w, m.id).state, STORE_QUEUED);
	end = ending(4711);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(end.result, STORE_NOT);
}

static void
test_backoff_doubles_to_four_hours(void **state)
{
	(void)state;
	assert_in_range(store_backoff(1, 0), 262, 300);
	assert_in_range(store_backoff(1, UINT32_MAX), 262, 338);
	assert_in_range(store_backoff(2, 75), 525, 675);
	assert_in_range(store_backoff(7, 3), 12600, 16200);
	assert_in_range(store_backoff(UINT32_MAX, 3), 12600, 16200);
	for (uint32_t j = 0; j < 5000; j++)
		assert_in_range(store_backoff(99, j), 12600, 16200);
}

/* --- Routes ------------------------------------------------------------ */

static void
test_relay_suspended_gives_nothing(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[2];
	struct store_relay r;
	int64_t until, again;

	(void)submit(w, &m, NULL);
	OK(w, store_relay_suspend(w->st, "r", NOW, 5, "no route", &until,
	    &w->e));
	assert_true(until > NOW);
	/* a second session that failed in the same way */
	OK(w, store_relay_suspend(w->st, "r", NOW, 9, "no route", &again,
	    &w->e));
	assert_int_equal(again, until);
	assert_int_equal(claim(w, "r", until - 1, until + 9, out, 2), 0);
	assert_int_equal(claim(w, "q", NOW, NOW + 1, out, 2), 1);
	OK(w, store_out_unclaim(w->st, &m.id, 1, &w->e));
	OK(w, store_relay_get(w->st, "r", &r, &w->e));
	assert_int_equal(r.since, NOW);
	assert_int_equal(r.tries, 1);
	assert_string_equal(r.text, "no route");
	assert_int_equal(claim(w, "r", until, until + 9, out, 2), 1);
	OK(w, store_relay_suspend(w->st, "r", until, 5, "x", &again, &w->e));
	assert_true(again - until > until - NOW);
	OK(w, store_relay_ok(w->st, "r", &w->e));
	OK(w, store_relay_get(w->st, "r", &r, &w->e));
	assert_int_equal(r.since, 0);
}

/* --- What people ask --------------------------------------------------- */

static size_t
ask(struct world *w, enum store_ask what, const char *peer,
    struct store_out *out)
{
	const struct store_filter f = { what, peer, 0, 0, false };
	size_t n;

	OK(w, store_out_list(w->st, &f, 0, out, 10, &n, &w->e));
	return n;
}

static void
test_list_by_question_and_peer(void **state)
{
	struct world *w = *state;
	struct store_out_put m[4] = { make_out(1, DR), make_out(2, EVE),
		make_out(3, DR2), make_out(4, HUB) };
	const char *routed[] = { "demo/dr.martin@cabinet.example" };
	const struct store_filter mail = { STORE_ASK_ALL, NULL, NOW, NOW + 1,
		true };
	const struct store_filter older = { STORE_ASK_ALL, NULL, 0, NOW,
		false };
	struct store_out out[10];
	struct store_out_end end;
	struct store_counts c;
	bool known;
	size_t n;

	m[1].kind = STORE_CONTROL;
	m[3].routed = routed;
	m[3].nrouted = 1;
	for (int i = 0; i < 4; i++)
		(void)submit(w, &m[i], NULL);
	assert_int_equal(ask(w, STORE_ASK_ALL, NULL, out), 4);
	assert_int_equal(ask(w, STORE_ASK_ALL, DR, out), 3);
	assert_int_equal(out[2].id, m[3].id);
	assert_int_equal(out[2].nrouted, 1);
	OK(w, store_out_list(w->st, &mail, 0, out, 10, &n, &w->e));
	assert_int_equal(n, 3);
	OK(w, store_out_list(w->st, &older, 0, out, 10, &n, &w->e));
	assert_int_equal(n, 0);
	assert_int_equal(claim(w, "r", NOW, NOW + 50, out, 2), 2);
	end = ending(m[0].id);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	end = ending(m[1].id);
	OK(w, store_out_fail(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(ask(w, STORE_ASK_WAITING, NULL, out), 2);
	assert_int_equal(ask(w, STORE_ASK_UNDELIVERED, NULL, out), 1);
	assert_int_equal(ask(w, STORE_ASK_TROUBLE, NULL, out), 1);
	OK(w, store_out_bounced(w->st, m[2].t, 0, 0, NOW, &known, &w->e));
	assert_true(known);
	assert_int_equal(ask(w, STORE_ASK_TROUBLE, NULL, out), 2);
	assert_int_equal(acked(w, 1, 2, DR, NULL), STORE_ACK_APPLIED);
	assert_int_equal(ask(w, STORE_ASK_RECEIVED, NULL, out), 1);
	assert_int_equal(ask(w, STORE_ASK_OPENED, NULL, out), 0);
	OK(w, store_counts(w->st, NOW + 1, &c, &w->e));
	assert_int_equal(c.queued, 2);
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.bounced, 1);
	assert_int_equal(c.undelivered, 0);
	assert_int_equal(c.late, 2);
}

static void
test_late_until_received(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[4];
	size_t n;

	(void)submit(w, &m, NULL);
	OK(w, store_out_late(w->st, NOW, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 0);
	OK(w, store_out_late(w->st, NOW + 1, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 1);
	(void)acked(w, 1, 2, DR, NULL);
	OK(w, store_out_late(w->st, NOW + 1, 0, out, 4, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_retry_and_drop(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[4];
	struct store_out_end end;
	enum store_result r;

	(void)submit(w, &m, "anne@localhost");
	assert_int_equal(claim(w, "r", NOW, NOW + 50, out, 4), 1);
	OK(w, store_out_retry(w->st, m.id, NULL, NOW, &r, &w->e));
	assert_int_equal(r, STORE_NOT);
	OK(w, store_out_drop(w->st, m.id, &r, &w->e));
	assert_int_equal(r, STORE_NOT);
	end = ending(m.id);
	OK(w, store_out_fail(w->st, &end, 1, NOW, &w->e));
	OK(w, store_out_retry(w->st, m.id, NULL, NOW + 9, &r, &w->e));
	assert_int_equal(r, STORE_OK);
	assert_int_equal(get_out(w, m.id).tries, 0);
	assert_string_equal(get_out(w, m.id).to_route, m.to_route);
	OK(w, store_out_retry(w->st, m.id, "new@box.example", NOW + 9, &r,
	    &w->e));
	OK(w, store_out_retry(w->st, m.id, NULL, NOW + 9, &r, &w->e));
	assert_string_equal(get_out(w, m.id).to_route, "new@box.example");
	assert_int_equal(claim(w, "r", NOW + 9, NOW + 50, out, 4), 1);
	OK(w, store_out_retry(w->st, m.id, "x@box.example", NOW, &r, &w->e));
	assert_int_equal(r, STORE_NOT);
	assert_string_equal(out[0].to_route, "new@box.example");
	assert_string_equal(get_out(w, m.id).to_route, "new@box.example");
	end = ending(m.id);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	(void)acked(w, 1, 2, DR, NULL);
	OK(w, store_out_retry(w->st, m.id, NULL, NOW, &r, &w->e));
	assert_int_equal(r, STORE_NOT);		/* its body is gone */
	OK(w, store_out_drop(w->st, m.id, &r, &w->e));
	assert_int_equal(r, STORE_OK);
	assert_int_equal(get_out(w, m.id).id, 0);
	OK(w, store_out_drop(w->st, m.id, &r, &w->e));
	assert_int_equal(r, STORE_NOT);
}

static void
test_bounce_marks_and_drops_the_copy(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	int64_t in = put_one_of(w, "a", 1), other = put_one_of(w, "a", 2);
	uint8_t t[32];
	bool known;

	(void)submit(w, &m, NULL);
	make_t(t, 2);
	OK(w, store_out_bounced(w->st, t, other, 1, NOW, &known, &w->e));
	assert_false(known);
	assert_int_equal(get_in(w, other).state, STORE_FETCHED);
	OK(w, store_out_bounced(w->st, m.t, in, 1, NOW, &known, &w->e));
	assert_true(known);
	assert_true(get_out(w, m.id).bounced);
	assert_int_equal(get_in(w, in).state, STORE_PASSED);
	assert_int_equal(get_in(w, in).action, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_submit_all_or_none),
		WORLD_TEST(test_submit_keeps_every_field),
		WORLD_TEST(test_own_claim_never_lapses),
		WORLD_TEST(test_claim_dies_with_its_process),
		WORLD_TEST(test_claim_of_a_live_process_stands),
		WORLD_TEST(test_claim_of_a_live_process_lapses),
		WORLD_TEST(test_claim_follows_a_bound_relay),
		WORLD_TEST(test_sent_keeps_mail_and_drops_control),
		WORLD_TEST(test_defer_backs_off_then_gives_up),
		WORLD_TEST(test_fail_never_notices_a_notice),
		WORLD_TEST(test_overdue_without_a_try),
		WORLD_TEST(test_unclaim_counts_no_try),
		WORLD_TEST(test_ends_need_a_claim),
		WORLD_TEST(test_backoff_doubles_to_four_hours),
		WORLD_TEST(test_relay_suspended_gives_nothing),
		WORLD_TEST(test_list_by_question_and_peer),
		WORLD_TEST(test_late_until_received),
		WORLD_TEST(test_retry_and_drop),
		WORLD_TEST(test_bounce_marks_and_drops_the_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
