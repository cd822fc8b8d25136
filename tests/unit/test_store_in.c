#include "store_unit.h"

/* --- Listing ----------------------------------------------------------- */

static size_t
list(struct world *w, const char *account, uint32_t validity, uint32_t from,
    uint32_t n, struct store_uid *out, size_t max, size_t *given)
{
	struct store_list *l;
	struct store_uid u;
	size_t wanted, got;

	OK(w, store_list_begin(w->st, account, &l, &w->e));
	for (uint32_t i = 0; i < n; i++) {
		u = make_uid(validity, from + i);
		OK(w, store_list_add(l, &u, 1, &w->e));
	}
	OK(w, store_list_end(l, &wanted, &w->e));
	*given = 0;
	do {
		OK(w, store_list_wanted(l, out + *given,
		    max - *given < 3 ? max - *given : 3, &got, &w->e));
		*given += got;
	} while (got != 0);
	store_list_free(&l);
	assert_null(l);
	return wanted;
}

static size_t
due(struct world *w, const char *account, int64_t now)
{
	struct store_in in[20];
	size_t n;

	OK(w, store_release_due(w->st, account, now, 0, in, 20, &n, &w->e));
	return n;
}

static void
test_list_wants_the_unknown_in_order(void **state)
{
	struct world *w = *state;
	struct store_uid out[20];
	size_t given;

	(void)put_one_of(w, "a", 3);
	(void)put_one_of(w, "b", 4);
	assert_int_equal(list(w, "a", 1, 1, 10, out, 20, &given), 9);
	assert_int_equal(given, 9);
	assert_int_equal(get_be32(out[0].p + 4), 1);
	assert_int_equal(get_be32(out[2].p + 4), 4);
	assert_int_equal(get_be32(out[8].p + 4), 10);
	/* the same again: a listing leaves nothing behind */
	assert_int_equal(list(w, "a", 1, 1, 10, out, 20, &given), 9);
	assert_int_equal(list(w, "b", 1, 4, 1, out, 20, &given), 0);
}

static void
test_list_forgets_only_what_is_gone_twice(void **state)
{
	struct world *w = *state;
	struct store_uid out[20];
	size_t given;
	int64_t id = put_one_of(w, "a", 1);

	assert_int_equal(deliver(w, id, 1), STORE_OK);
	assert_int_equal(due(w, "a", NOW), 1);
	/* not listed: the server has it no more, or it failed */
	(void)list(w, "a", 1, 2, 0, out, 20, &given);
	assert_int_equal(due(w, "a", NOW), 0);
	assert_true(get_in(w, id).gone);
	(void)list(w, "a", 1, 2, 0, out, 20, &given);
	assert_int_equal(get_in(w, id).id, 0);
}

/* Else mail that was shown would be wanted again, and filed once more. */
static void
test_list_that_lacks_some_calls_nothing_gone(void **state)
{
	struct world *w = *state;
	struct store_list *l;
	int64_t id = put_one_of(w, "a", 1);
	size_t wanted;

	assert_int_equal(deliver(w, id, 1), STORE_OK);
	for (int i = 0; i < 2; i++) {
		OK(w, store_list_begin(w->st, "a", &l, &w->e));
		store_list_lacks(l);
		OK(w, store_list_end(l, &wanted, &w->e));
		store_list_free(&l);
		assert_int_equal(due(w, "a", NOW), 1);
		assert_false(get_in(w, id).gone);
	}
}

static void
test_list_a_name_used_again_is_another_message(void **state)
{
	struct world *w = *state;
	struct store_uid out[20];
	size_t given;
	int64_t id = put_one_of(w, "a", 1), other = put_one_of(w, "a", 2);

	assert_int_equal(deliver(w, id, 1), STORE_OK);
	OK(w, store_released(w->st, &id, 1, &w->e));
	world_reopen(w);
	assert_int_equal(due(w, "a", NOW), 0);
	assert_int_equal(list(w, "a", 1, 1, 2, out, 20, &given), 1);
	assert_int_equal(get_in(w, id).id, 0);
	assert_int_equal(due(w, "a", NOW), 0);
	/* one that is not done yet keeps its octets and loses its name */
	(void)list(w, "a", 1, 1, 1, out, 20, &given);
	assert_true(get_in(w, other).gone);
	assert_int_equal(list(w, "a", 1, 2, 1, out, 20, &given), 1);
	assert_int_equal(get_in(w, other).state, STORE_FETCHED);
	assert_int_equal(deliver(w, other, 2), STORE_OK);
	assert_int_equal(due(w, "a", NOW), 0);
}

static void
test_marked_is_not_asked_for_again(void **state)
{
	struct world *w = *state;
	struct store_uid out[20];
	size_t given;
	int64_t id = put_one_of(w, "a", 1);

	assert_int_equal(deliver(w, id, 1), STORE_OK);
	OK(w, store_marked(w->st, &id, 1, &w->e));
	assert_int_equal(list(w, "a", 1, 1, 1, out, 20, &given), 0);
	assert_int_equal(due(w, "a", NOW), 0);
}

static void
test_list_empty_or_new_loses_nothing(void **state)
{
	struct world *w = *state;
	struct store_uid out[20];
	struct store_hold h;
	size_t given;
	int64_t f = put_one_of(w, "a", 1), i = put_one_of(w, "a", 2);
	int64_t held = put_one_of(w, "a", 3);

	assert_int_equal(intend(w, i, 2, "x"), STORE_OK);
	h = make_hold(held, EC_NOKEY);
	h.action = STORE_ACTION_RELEASE;
	OK(w, store_in_hold(w->st, &h, 1, NOW, &w->e));
	for (int n = 0; n < 3; n++)
		(void)list(w, "a", 1, 1, 0, out, 20, &given);
	/* UIDVALIDITY changed: the same messages under other names */
	assert_int_equal(list(w, "a", 2, 1, 3, out, 20, &given), 3);
	assert_int_equal(get_in(w, f).state, STORE_FETCHED);
	assert_int_equal(get_in(w, i).state, STORE_INTENT);
	assert_int_equal(get_in(w, held).state, STORE_HELD);
	assert_int_equal(due(w, "a", NOW), 0);
}

static void
test_list_without_end_changes_nothing(void **state)
{
	struct world *w = *state;
	struct store_list *l;
	int64_t id = put_one_of(w, "a", 1);

	assert_int_equal(deliver(w, id, 1), STORE_OK);
	OK(w, store_list_begin(w->st, "a", &l, &w->e));
	store_list_free(&l);
	assert_int_equal(due(w, "a", NOW), 1);
	assert_false(get_in(w, id).gone);
}

static void
test_list_two_accounts_at_once(void **state)
{
	struct world *w = *state;
	struct store_list *a, *b;
	struct store_uid u = make_uid(1, 1), out[4];
	size_t wanted, n;

	(void)put_one_of(w, "a", 1);
	OK(w, store_list_begin(w->st, "a", &a, &w->e));
	OK(w, store_list_begin(w->st, "b", &b, &w->e));
	OK(w, store_list_add(a, &u, 1, &w->e));
	OK(w, store_list_add(b, &u, 1, &w->e));
	OK(w, store_list_add(b, &u, 1, &w->e));
	OK(w, store_list_end(a, &wanted, &w->e));
	assert_int_equal(wanted, 0);
	OK(w, store_list_end(b, &wanted, &w->e));
	assert_int_equal(wanted, 1);
	store_list_free(&a);
	OK(w, store_list_wanted(b, out, 4, &n, &w->e));
	assert_int_equal(n, 1);
	store_list_free(&b);
}

/* --- Fetched ----------------------------------------------------------- */

static void
test_put_keeps_the_octets(void **state)
{
	struct world *w = *state;
	struct store_in_put m[2] = {
		{ make_uid(1, 1), { 0, "SCEAU\0one", 9 }, 0 },
		{ make_uid(1, 2), { 0, "two", 3 }, 0 } };
	struct store_in in[4];
	struct buf b = BUF_INIT;
	size_t n;

	OK(w, store_in_put(w->st, "a", NOW, m, 2, &w->e));
	world_reopen(w);
	OK(w, store_in_next(w->st, 0, in, 4, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(in[0].id, m[0].id);
	assert_int_equal(in[0].size, 9);
	assert_string_equal(in[0].account, "a");
	assert_int_equal(in[0].uid.len, 8);
	assert_int_equal(in[0].put_at, NOW);
	OK(w, store_body_part(w->st, in[0].body, 0, &b, &w->e));
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.p, "SCEAU\0one", 9);
	OK(w, store_body_part(w->st, in[0].body, 1, &b, &w->e));
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

/* What is read between begin and end is of one moment; others may write, and
 * a write of our own ends it. */
static void
test_reading_is_of_one_moment(void **state)
{
	struct world *w = *state, other = *w;
	size_t n;

	(void)put_one_of(w, "a", 1);
	OK(w, store_read_begin(w->st, &w->e));
	OK(w, store_read_begin(w->st, &w->e));
	OK(w, store_in_waiting(w->st, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_open(w->dir, STORE_WRITE, &other.st, &w->e));
	(void)put_one_of(&other, "a", 2);
	OK(w, store_in_waiting(w->st, &n, &w->e));
	assert_int_equal(n, 1);
	(void)put_one_of(w, "a", 3);
	OK(w, store_in_waiting(w->st, &n, &w->e));
	assert_int_equal(n, 3);
	OK(w, store_read_begin(w->st, &w->e));
	store_read_end(w->st);
	store_read_end(w->st);
	(void)put_one_of(&other, "a", 4);
	OK(w, store_in_waiting(w->st, &n, &w->e));
	assert_int_equal(n, 4);
	world_close(&other);
}

static void
test_put_again_keeps_the_first(void **state)
{
	struct world *w = *state;
	int64_t first = put_one_of(w, "a", 1), body;
	struct store_in_put m = { make_uid(1, 1), { 0, "new", 3 }, 0 };

	OK(w, store_in_put(w->st, "a", NOW, &m, 1, &w->e));
	assert_int_equal(m.id, first);
	assert_int_equal(get_in(w, first).size, 600);
	OK(w, store_body_begin(w->st, &body, &w->e));
	OK(w, store_body_append(w->st, body, "large", 5, &w->e));
	m.body = (struct store_body){ body, NULL, 0 };
	OK(w, store_in_put(w->st, "a", NOW, &m, 1, &w->e));
	assert_int_equal(m.id, first);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 1);
}

static void
test_pass_is_not_wanted_again(void **state)
{
	struct world *w = *state;
	struct store_uid out[4], u = make_uid(1, 1), bad = make_uid(1, 2);
	size_t given, n;

	OK(w, store_in_pass(w->st, "a", NOW, &u, 1, EC_NONE, 7, 0,
	    &w->e));
	OK(w, store_in_pass(w->st, "a", NOW, &bad, 1, EC_FORMAT,
	    STORE_ACTION_KEEP, 0, &w->e));
	assert_int_equal(list(w, "a", 1, 1, 2, out, 4, &given), 0);
	assert_int_equal(due(w, "a", NOW), 1);
	OK(w, store_held_fresh(w->st, NOW, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_held_fresh(w->st, NOW + 1, &n, &w->e));
	assert_int_equal(n, 0);
}

/* --- Intent ------------------------------------------------------------ */

static void
test_intent_records_names_and_T(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1);
	struct buf b = BUF_INIT;
	struct store_in in[2];
	struct store_t t;
	uint8_t key[32];
	size_t n;

	make_t(key, 1);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_NONE);
	assert_int_equal(intend(w, id, 1, "Maildir/new/abc"), STORE_OK);
	world_reopen(w);
	OK(w, store_in_next(w->st, 0, in, 2, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(in[0].state, STORE_INTENT);
	assert_true(in[0].has_t);
	assert_string_equal(in[0].sender, LABO);
	OK(w, store_in_names(w->st, id, &b, &w->e));
	assert_string_equal(buf_str(&b), "Maildir/new/abc");
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, STORE_T_INTENT);
	assert_int_equal(t.in, id);
	assert_string_equal(t.sender, LABO);
	/* after a crash: the same message again, under other names */
	assert_int_equal(intend(w, id, 1, "other"), STORE_AGAIN);
	OK(w, store_in_names(w->st, id, &b, &w->e));
	assert_string_equal(buf_str(&b), "other");
	buf_free(&b);
}

static void
test_intent_of_two_copies_lets_one_through(void **state)
{
	struct world *w = *state;
	int64_t a = put_one_of(w, "a", 1), b = put_one_of(w, "a", 2);
	const char *names[2] = { "x", "y" };
	struct store_msg m[2] = { make_msg(a, 1), make_msg(b, 1) };
	struct store_done d = make_done(b, 1);

	OK(w, store_in_intent(w->st, m, names, 2, &w->e));
	assert_int_equal(m[0].result, STORE_OK);
	assert_int_equal(m[1].result, STORE_BUSY);
	assert_int_equal(deliver(w, b, 1), STORE_BUSY);
	assert_int_equal(deliver(w, a, 1), STORE_OK);
	assert_int_equal(intend(w, b, 1, "y"), STORE_DUPLICATE);
	assert_int_equal(deliver(w, b, 1), STORE_DUPLICATE);
	OK(w, store_in_duplicate(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
	assert_int_equal(get_in(w, b).state, STORE_DELIVERED);
}

static void
test_relayed_original_under_another_T_is_a_copy(void **state)
{
	struct world *w = *state;
	int64_t a = put_one_of(w, "a", 1), b = put_one_of(w, "a", 2);
	struct store_done da = make_done(a, 1), db = make_done(b, 2);
	struct store_msg m[2];
	const char *names[2] = { "x", "y" };
	bool seen;

	da.msg.original = db.msg.original = EVE;
	make_t(da.msg.original_t, 77);
	make_t(db.msg.original_t, 77);
	m[0] = da.msg;
	m[1] = db.msg;
	OK(w, store_in_intent(w->st, m, names, 2, &w->e));
	assert_int_equal(m[0].result, STORE_OK);
	assert_int_equal(m[1].result, STORE_BUSY);
	OK(w, store_t_relayed(w->st, EVE, da.msg.original_t, db.msg.t, &seen,
	    &w->e));
	assert_false(seen);
	OK(w, store_in_delivered(w->st, &da, 1, NOW, &w->e));
	assert_int_equal(da.msg.result, STORE_OK);
	OK(w, store_t_relayed(w->st, EVE, da.msg.original_t, db.msg.t, &seen,
	    &w->e));
	assert_true(seen);
	OK(w, store_t_relayed(w->st, EVE, da.msg.original_t, da.msg.t, &seen,
	    &w->e));
	assert_false(seen);
	OK(w, store_t_relayed(w->st, LABO, da.msg.original_t, db.msg.t, &seen,
	    &w->e));
	assert_false(seen);
	OK(w, store_in_intent(w->st, &m[1], names, 1, &w->e));
	assert_int_equal(m[1].result, STORE_COPY);
	OK(w, store_in_delivered(w->st, &db, 1, NOW, &w->e));
	assert_int_equal(db.msg.result, STORE_OK);
}

/* --- Delivered --------------------------------------------------------- */

static void
test_delivered_is_one_transaction(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1);
	struct store_done d = make_done(id, 1);
	struct store_row row = { { (const uint8_t *)"k", 1 },
	    { (const uint8_t *)"v", 1 }, "labo@labo.example", 0 };
	struct store_ack acks[4];
	struct store_t t;
	struct buf b = BUF_INIT;
	uint32_t version;
	size_t n;

	d.rows = &row;
	d.nrows = 1;
	d.event = "in.delivered";
	d.event_text = "account=a";
	assert_int_equal(intend(w, id, 1, "x"), STORE_OK);
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
	world_reopen(w);
	assert_int_equal(get_in(w, id).state, STORE_DELIVERED);
	assert_int_equal(get_in(w, id).body, 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM event "
	    "WHERE name = 'in.delivered'"), 1);
	OK(w, store_t_find(w->st, d.msg.t, &t, &w->e));
	assert_int_equal(t.state, STORE_T_DONE);
	assert_int_equal(t.ack_state, 2);
	assert_memory_equal(t.d, d.d, 32);
	OK(w, store_ack_list(w->st, LABO, acks, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_memory_equal(acks[0].t, d.msg.t, 32);
	assert_memory_equal(acks[0].d, d.d, 32);
	OK(w, store_row_get(w->st, row.key, &b, &version, &w->e));
	assert_int_equal(version, 1);
	/* and never twice */
	assert_int_equal(deliver(w, id, 1), STORE_NOT);
	assert_int_equal(intend(w, id, 1, "x"), STORE_NOT);
	buf_free(&b);
}

static void
test_delivered_with_an_old_row_changes_nothing(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1), id2 = put_one_of(w, "a", 2);
	struct store_row row = { { (const uint8_t *)"k", 1 },
	    { (const uint8_t *)"v", 1 }, NULL, 0 };
	struct store_row rows[2] = { row, row };
	struct store_done d[2] = { make_done(id, 1), make_done(id2, 2) };
	struct store_ack acks[4];
	size_t n;

	OK(w, store_row_put(w->st, &row, 1, &w->e));
	d[1].rows = &row;	/* made from version 0: another was faster */
	d[1].nrows = 1;
	T_RC(store_in_delivered(w->st, d, 2, NOW, &w->e), RC_TEMP);
	assert_int_equal(get_in(w, id).state, STORE_FETCHED);
	OK(w, store_ack_list(w->st, LABO, acks, 4, &n, &w->e));
	assert_int_equal(n, 0);
	/* two messages of one peer in one batch count on themselves */
	rows[0].version = 1;
	rows[1].version = 2;
	d[0].rows = &rows[0];
	d[1].rows = &rows[1];
	d[0].nrows = 1;
	OK(w, store_in_delivered(w->st, d, 2, NOW, &w->e));
	assert_int_equal(get_in(w, id2).state, STORE_DELIVERED);
}

static void
test_without_MAIL_no_acknowledgement(void **state)
{
	struct world *w = *state;
	struct store_done d = make_done(put_one_of(w, "a", 1), 1);
	struct store_ack acks[2];
	size_t n;

	d.ack_state = STORE_ACK_NONE;
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	OK(w, store_ack_list(w->st, LABO, acks, 2, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_duplicate_repeats_the_acknowledgement(void **state)
{
	struct world *w = *state;
	struct store_ack acks[2];
	struct store_out_put m = make_out(5, LABO);
	struct store_done d;
	size_t n;

	assert_int_equal(deliver(w, put_one_of(w, "a", 1), 1), STORE_OK);
	OK(w, store_ack_list(w->st, LABO, acks, 2, &n, &w->e));
	m.acks = acks;
	m.nacks = n;
	(void)submit(w, &m, NULL);
	OK(w, store_ack_list(w->st, LABO, acks, 2, &n, &w->e));
	assert_int_equal(n, 0);
	d = make_done(put_one_of(w, "a", 2), 1);
	OK(w, store_in_duplicate(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
	OK(w, store_ack_list(w->st, LABO, acks, 2, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(acks[0].state, 2);
	assert_memory_equal(acks[0].d, d.d, 32);
	/* of nothing */
	d = make_done(put_one_of(w, "a", 3), 99);
	OK(w, store_in_duplicate(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_NOT);
	assert_int_equal(get_in(w, d.msg.id).state, STORE_FETCHED);
}

static void
test_release_waits_for_its_time(void **state)
{
	struct world *w = *state;
	struct store_done d = make_done(put_one_of(w, "a", 1), 1);
	struct store_done keep = make_done(put_one_of(w, "a", 2), 2);

	d.release_at = NOW + 100;
	keep.action = STORE_ACTION_KEEP;
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	OK(w, store_in_delivered(w->st, &keep, 1, NOW, &w->e));
	assert_int_equal(due(w, "a", NOW + 99), 0);
	assert_int_equal(due(w, "a", NOW + 100), 1);
	assert_int_equal(due(w, "b", NOW + 100), 0);
}

static void
test_released_needs_an_end(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1);

	OK(w, store_released(w->st, &id, 1, &w->e));
	assert_false(get_in(w, id).gone);
}

static void
test_watch_becomes_opened(void **state)
{
	struct world *w = *state;
	int64_t in = put_one_of(w, "a", 1), id = 0;
	struct store_done d = make_done(in, 1);
	struct store_ack acks[2];
	struct buf b = BUF_INIT;
	struct store_t t;
	size_t n;

	d.watch = true;
	assert_int_equal(intend(w, in, 1, "folder/a.hpr"), STORE_OK);
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	OK(w, store_watch_next(w->st, &id, &b, &w->e));
	assert_string_equal(buf_str(&b), "folder/a.hpr");
	OK(w, store_watch_taken(w->st, &id, 1, true, NOW + 9, NOW + 9, &w->e));
	OK(w, store_t_find(w->st, d.msg.t, &t, &w->e));
	assert_int_equal(t.ack_state, STORE_ACK_OPENED);
	OK(w, store_ack_list(w->st, LABO, acks, 2, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(acks[0].state, STORE_ACK_OPENED);
	assert_memory_equal(acks[0].d, d.d, 32);
	id = 0;
	OK(w, store_watch_next(w->st, &id, &b, &w->e));
	assert_int_equal(id, 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_list_wants_the_unknown_in_order),
		WORLD_TEST(test_list_forgets_only_what_is_gone_twice),
		WORLD_TEST(test_list_that_lacks_some_calls_nothing_gone),
		WORLD_TEST(test_list_a_name_used_again_is_another_message),
		WORLD_TEST(test_marked_is_not_asked_for_again),
		WORLD_TEST(test_list_empty_or_new_loses_nothing),
		WORLD_TEST(test_list_without_end_changes_nothing),
		WORLD_TEST(test_list_two_accounts_at_once),
		WORLD_TEST(test_put_keeps_the_octets),
		WORLD_TEST(test_reading_is_of_one_moment),
		WORLD_TEST(test_put_again_keeps_the_first),
		WORLD_TEST(test_pass_is_not_wanted_again),
		WORLD_TEST(test_intent_records_names_and_T),
		WORLD_TEST(test_intent_of_two_copies_lets_one_through),
		WORLD_TEST(test_relayed_original_under_another_T_is_a_copy),
		WORLD_TEST(test_delivered_is_one_transaction),
		WORLD_TEST(test_delivered_with_an_old_row_changes_nothing),
		WORLD_TEST(test_without_MAIL_no_acknowledgement),
		WORLD_TEST(test_duplicate_repeats_the_acknowledgement),
		WORLD_TEST(test_release_waits_for_its_time),
		WORLD_TEST(test_released_needs_an_end),
		WORLD_TEST(test_watch_becomes_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
