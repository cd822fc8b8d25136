/* Many messages, many remembered: right, and without a scan. */
#include "config.h"

#include "store_unit.h"

#include "store/db.h"

#define BATCH 100

static void
put_batch(struct world *w, uint32_t first)
{
	static uint8_t bytes[600];
	struct store_in_put m[BATCH];

	for (uint32_t i = 0; i < BATCH; i++)
		m[i] = (struct store_in_put){ make_uid(1, first + i),
		    { 0, bytes, sizeof(bytes) }, 0 };
	OK(w, store_in_put(w->st, "a", NOW, m, BATCH, &w->e));
}

static void
open_batch(struct world *w, size_t *n)
{
	static struct store_in in[BATCH];
	static struct store_done d[BATCH];
	struct store_msg m[BATCH];
	const char *names[BATCH];
	struct buf body = BUF_INIT;

	OK(w, store_in_next(w->st, 0, in, BATCH, n, &w->e));
	for (size_t i = 0; i < *n; i++) {
		uint32_t t = get_be32(in[i].uid.p + 4);
		struct store_t j;

		d[i] = make_done(in[i].id, t);
		d[i].msg.sender = t % 2 ? LABO : EVE;
		m[i] = d[i].msg;
		names[i] = "new/x";
		OK(w, store_t_find(w->st, m[i].t, &j, &w->e));
		assert_int_equal(j.state, STORE_T_NONE);
		OK(w, store_body_part(w->st, in[i].body, 0, &body, &w->e));
		assert_int_equal(body.len, 600);
	}
	OK(w, store_in_intent(w->st, m, names, *n, &w->e));
	OK(w, store_in_delivered(w->st, d, *n, NOW, &w->e));
	for (size_t i = 0; i < *n; i++)
		assert_int_equal(d[i].msg.result, STORE_OK);
	buf_free(&body);
}

static void
release_all(struct world *w)
{
	static struct store_in in[BATCH];
	int64_t ids[BATCH];
	size_t n;

	for (;;) {
		OK(w, store_release_due(w->st, "a", NOW, 0, in, BATCH, &n,
		    &w->e));
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i++)
			ids[i] = in[i].id;
		OK(w, store_released(w->st, ids, n, &w->e));
	}
}

static void
send_and_hear(struct world *w, uint64_t n)
{
	struct store_out_put m[BATCH];
	static struct store_out out[BATCH];
	struct store_out_end end[BATCH];
	struct store_ack_in acks[BATCH];
	struct store_done d = make_done(put_one_of(w, "b", (uint32_t)n), n);
	int64_t submission;
	size_t got;

	memset(acks, 0, sizeof(acks));
	memset(end, 0, sizeof(end));
	for (uint64_t i = 0; i < BATCH; i++) {
		m[i] = make_out(n + i, DR);
		make_t(acks[i].t, n + i);
		make_d(acks[i].d, n + i);
		acks[i].state = 2;
		acks[i].peer = DR;
	}
	OK(w, store_out_submit(w->st, NOW, NULL, m, BATCH, &submission,
	    &w->e));
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 60, out, BATCH, &got,
	    &w->e));
	assert_int_equal(got, BATCH);
	for (size_t i = 0; i < BATCH; i++)
		end[i].id = out[i].id;
	OK(w, store_out_sent(w->st, end, BATCH, NOW, &w->e));
	d.ack_state = 0;
	d.acks = acks;
	d.nacks = BATCH;
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	for (size_t i = 0; i < BATCH; i++)
		assert_int_equal(acks[i].result, STORE_ACK_APPLIED);
}

/* No statement walked through a table: its cost does not grow with it. */
static void
no_scan(struct world *w)
{
	for (size_t i = 0; i < DB_STMTS; i++) {
		sqlite3_stmt *s = w->st->stmt[i].s;

		if (s != NULL && sqlite3_stmt_status(s,
		    SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) > 1000)
			fail_msg("walks through a table: %s", sqlite3_sql(s));
	}
}

static void
test_many(void **state)
{
	struct world *w = *state;
	const uint32_t total = getenv("SCEAU_LONG") != NULL ? 20000 : 3000;
	const struct store_keep keep = { .events_s = 1, .sent_s = 99999999,
	    .hub_s = 99999999, .watch_s = 9999999, .budget = 1000 };
	struct store_list *l;
	struct store_uid u;
	struct store_counts c;
	size_t n, wanted, opened = 0;
	bool more;

	world_close(w);
	sql_do(w, "INSERT INTO peer (id, identity) VALUES (1, x'61');"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 100000) INSERT INTO journal (t, state, peer, year, "
	    "forget_at) SELECT randomblob(32), 2, 1, 2026, 1900000000 "
	    "FROM n");
	world_reopen(w);
	for (uint32_t i = 0; i < total; i += BATCH)
		put_batch(w, i);
	for (n = 1; n != 0; opened += n)
		open_batch(w, &n);
	assert_int_equal(opened, total);
	for (uint64_t i = 0; i < total; i += BATCH)
		send_and_hear(w, 10000000 + i);
	release_all(w);
	OK(w, store_expire(w->st, NOW, &keep, &more, &w->e));
	no_scan(w);
	OK(w, store_list_begin(w->st, "a", &l, &w->e));
	for (uint32_t i = 0; i < total + 5; i++) {
		u = make_uid(1, i);
		OK(w, store_list_add(l, &u, 1, &w->e));
	}
	OK(w, store_list_end(l, &wanted, &w->e));
	/* 5 are new; the others were released: these are their names again */
	assert_int_equal(wanted, total + 5);
	store_list_free(&l);
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	assert_int_equal(c.to_open, 0);
	/* those that brought acknowledgements */
	assert_int_equal(c.to_release, total / BATCH);
	assert_int_equal(c.undelivered, 0);
	assert_int_equal(c.acks_waiting, total);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM journal"),
	    100000 + total + total / BATCH);
	OK(w, store_check(w->st, &w->e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
