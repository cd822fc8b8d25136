#include "store_unit.h"

static struct store_hold
damaged(int64_t id, uint64_t n)
{
	struct store_hold h = make_hold(id, EC_BODY);

	h.t_state = STORE_T_DAMAGED;
	h.ack_state = STORE_ACK_DAMAGED;
	make_t(h.t, n);
	return h;
}

static void
hold(struct world *w, struct store_hold *h, int64_t now)
{
	OK(w, store_in_hold(w->st, h, 1, now, &w->e));
}

static enum store_t_state
state_of(struct world *w, uint64_t n)
{
	struct store_t t;
	uint8_t key[32];

	make_t(key, n);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	return t.state;
}

static size_t
acks_for(struct world *w, const char *peer, struct store_ack *acks)
{
	size_t n;

	OK(w, store_ack_list(w->st, peer, acks, 8, &n, &w->e));
	return n;
}

/* --- Hold -------------------------------------------------------------- */

static void
test_hold_keeps_the_octets_and_why(void **state)
{
	struct world *w = *state;
	struct store_hold h = make_hold(put_one_of(w, "a", 1), EC_NOKEY);
	struct store_in in[4];
	struct buf b = BUF_INIT;
	size_t n;

	h.action = STORE_ACTION_KEEP;
	hold(w, &h, NOW + 7);
	assert_int_equal(h.result, STORE_OK);
	assert_true(h.fresh);
	assert_false(h.said);
	world_reopen(w);
	OK(w, store_held_list(w->st, 0, in, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(in[0].class, EC_NOKEY);
	assert_int_equal(in[0].held_at, NOW + 7);
	assert_false(in[0].has_t);
	OK(w, store_body_part(w->st, in[0].body, 0, &b, &w->e));
	assert_int_equal(b.len, 600);
	OK(w, store_in_next(w->st, 0, in, 4, &n, &w->e));
	assert_int_equal(n, 0);
	buf_free(&b);
}

static void
test_held_again_is_not_news(void **state)
{
	struct world *w = *state;
	struct store_hold h = make_hold(put_one_of(w, "a", 1), EC_NOKEY);
	size_t n;

	hold(w, &h, NOW);
	OK(w, store_held_retry(w->st, 0, EC_VERSION, &n, &w->e));
	assert_int_equal(n, 0);
	OK(w, store_held_retry(w->st, 0, EC_NOKEY, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(get_in(w, h.id).state, STORE_FETCHED);
	hold(w, &h, NOW + 100);
	assert_false(h.fresh);
	OK(w, store_held_fresh(w->st, NOW + 1, &n, &w->e));
	assert_int_equal(n, 0);
	/* for another reason it is */
	OK(w, store_held_retry(w->st, h.id, EC_NONE, &n, &w->e));
	assert_int_equal(n, 1);
	h.class = EC_BARRED;
	hold(w, &h, NOW + 200);
	assert_true(h.fresh);
	OK(w, store_held_fresh(w->st, NOW + 1, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_held_retry(w->st, 4711, EC_NONE, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_hold_forbidden_moves(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1);
	struct store_hold h = make_hold(id, EC_NOKEY);
	enum store_result r;

	assert_int_equal(deliver(w, id, 1), STORE_OK);
	hold(w, &h, NOW);
	assert_int_equal(h.result, STORE_NOT);
	h.id = 4711;
	hold(w, &h, NOW);
	assert_int_equal(h.result, STORE_NOT);
	OK(w, store_held_drop(w->st, id, 1, NOW, &r, &w->e));
	assert_int_equal(r, STORE_NOT);
	assert_int_equal(get_in(w, id).state, STORE_DELIVERED);
}

static void
test_held_cannot_be_delivered_unless_retried(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1);
	struct store_hold h = make_hold(id, EC_INNER);
	size_t n;

	h.t_state = STORE_T_REFUSED;
	h.ack_state = STORE_ACK_REFUSED;
	make_t(h.t, 1);
	hold(w, &h, NOW);
	assert_int_equal(state_of(w, 1), STORE_T_REFUSED);
	assert_int_equal(intend(w, id, 1, "x"), STORE_NOT);
	assert_int_equal(deliver(w, id, 1), STORE_NOT);
	OK(w, store_held_retry(w->st, id, EC_NONE, &n, &w->e));
	assert_int_equal(intend(w, id, 1, "x"), STORE_OK);
	assert_int_equal(deliver(w, id, 1), STORE_OK);
	assert_int_equal(state_of(w, 1), STORE_T_DONE);
	assert_int_equal(get_in(w, id).class, EC_NONE);
}

static void
test_drop_is_not_fetched_again(void **state)
{
	struct world *w = *state;
	struct store_hold h = make_hold(put_one_of(w, "a", 1), EC_HEADER);
	struct store_list *l;
	struct store_uid u = make_uid(1, 1);
	enum store_result r;
	size_t wanted;

	hold(w, &h, NOW);
	OK(w, store_held_drop(w->st, h.id, STORE_ACTION_RELEASE, NOW, &r,
	    &w->e));
	assert_int_equal(r, STORE_OK);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 0);
	OK(w, store_list_begin(w->st, "a", &l, &w->e));
	OK(w, store_list_add(l, &u, 1, &w->e));
	OK(w, store_list_end(l, &wanted, &w->e));
	assert_int_equal(wanted, 0);
	store_list_free(&l);
}

/* --- What is said of it ------------------------------------------------ */

static void
test_damage_is_said_once_per_T_and_peer_and_hour(void **state)
{
	struct world *w = *state;
	struct store_ack acks[8];
	struct store_hold h = damaged(put_one_of(w, "a", 1), 1);

	hold(w, &h, NOW);
	assert_true(h.said);
	assert_int_equal(acks_for(w, LABO, acks), 1);
	assert_int_equal(acks[0].state, 0x11);
	/* the same T, much later */
	h = damaged(put_one_of(w, "a", 2), 1);
	hold(w, &h, NOW + 7200);
	assert_false(h.said);
	/* another T: within the hour, of another generation, then after */
	h = damaged(put_one_of(w, "a", 3), 3);
	hold(w, &h, NOW + 3599);
	assert_false(h.said);
	h = damaged(put_one_of(w, "a", 4), 4);
	h.sender = "demo/labo.central@labo.example#2";
	hold(w, &h, NOW + 3599);
	assert_false(h.said);
	/* another peer is not concerned */
	h = damaged(put_one_of(w, "a", 5), 5);
	h.sender = EVE;
	hold(w, &h, NOW + 3599);
	assert_true(h.said);
	/* what could not be said is said of the next copy, an hour after */
	h = damaged(put_one_of(w, "a", 6), 3);
	hold(w, &h, NOW + 3600);
	assert_true(h.said);
	assert_int_equal(acks_for(w, LABO, acks), 2);
}

static void
test_intact_copy_of_a_damaged_T(void **state)
{
	struct world *w = *state;
	struct store_ack acks[8];
	struct store_hold h = damaged(put_one_of(w, "a", 1), 1);
	int64_t good = put_one_of(w, "a", 2);

	hold(w, &h, NOW);
	assert_int_equal(state_of(w, 1), STORE_T_DAMAGED);
	assert_int_equal(intend(w, good, 1, "x"), STORE_OK);
	assert_int_equal(deliver(w, good, 1), STORE_OK);
	assert_int_equal(state_of(w, 1), STORE_T_DONE);
	/* one acknowledgement: the better one */
	assert_int_equal(acks_for(w, LABO, acks), 1);
	assert_int_equal(acks[0].state, 2);
	/* a damaged copy of what is done changes nothing */
	h = damaged(put_one_of(w, "a", 3), 1);
	hold(w, &h, NOW + 9999);
	assert_false(h.said);
	assert_int_equal(state_of(w, 1), STORE_T_DONE);
}

/* Its files may have got their names: who opens it again, or another copy of
 * it, has to look for them. */
static void
test_hold_after_intent_keeps_the_intent(void **state)
{
	struct world *w = *state;
	int64_t id = put_one_of(w, "a", 1), copy = put_one_of(w, "a", 2);
	struct store_hold h = make_hold(id, EC_POLICY);
	size_t n;

	assert_int_equal(intend(w, id, 1, "x"), STORE_OK);
	hold(w, &h, NOW);
	assert_int_equal(state_of(w, 1), STORE_T_INTENT);
	OK(w, store_held_retry(w->st, id, EC_NONE, &n, &w->e));
	assert_int_equal(intend(w, id, 1, "x"), STORE_AGAIN);
	hold(w, &h, NOW);
	assert_int_equal(intend(w, copy, 1, "y"), STORE_OK);
	assert_int_equal(deliver(w, copy, 1), STORE_OK);
	OK(w, store_held_retry(w->st, id, EC_NONE, &n, &w->e));
	assert_int_equal(intend(w, id, 1, "x"), STORE_DUPLICATE);
}

static void
test_hold_after_damage_and_intent(void **state)
{
	struct world *w = *state;
	struct store_hold h = damaged(put_one_of(w, "a", 1), 1);
	int64_t id = put_one_of(w, "a", 2);

	hold(w, &h, NOW);
	assert_int_equal(intend(w, id, 1, "x"), STORE_OK);
	h = make_hold(id, EC_POLICY);
	hold(w, &h, NOW);
	assert_int_equal(state_of(w, 1), STORE_T_INTENT);
	h = damaged(id, 1);
	hold(w, &h, NOW);
	assert_int_equal(state_of(w, 1), STORE_T_DAMAGED);
}

static void
test_refused_is_repeated_damage_is_not(void **state)
{
	struct world *w = *state;
	struct store_ack acks[8];
	struct store_hold h = damaged(put_one_of(w, "a", 1), 1);
	struct store_done d;

	hold(w, &h, NOW);
	OK(w, store_ack_drop(w->st, LABO, &w->e));
	d = make_done(put_one_of(w, "a", 2), 1);
	OK(w, store_in_duplicate(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
	assert_int_equal(acks_for(w, LABO, acks), 0);
	h = make_hold(put_one_of(w, "a", 3), EC_INNER);
	h.t_state = STORE_T_REFUSED;
	h.ack_state = STORE_ACK_REFUSED;
	make_t(h.t, 3);
	hold(w, &h, NOW);
	assert_true(h.said);
	OK(w, store_ack_drop(w->st, LABO, &w->e));
	d = make_done(put_one_of(w, "a", 4), 3);
	OK(w, store_in_duplicate(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(acks_for(w, LABO, acks), 1);
	assert_int_equal(acks[0].state, 0x10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_hold_keeps_the_octets_and_why),
		WORLD_TEST(test_held_again_is_not_news),
		WORLD_TEST(test_hold_forbidden_moves),
		WORLD_TEST(test_held_cannot_be_delivered_unless_retried),
		WORLD_TEST(test_drop_is_not_fetched_again),
		WORLD_TEST(test_damage_is_said_once_per_T_and_peer_and_hour),
		WORLD_TEST(test_intact_copy_of_a_damaged_T),
		WORLD_TEST(test_hold_after_intent_keeps_the_intent),
		WORLD_TEST(test_hold_after_damage_and_intent),
		WORLD_TEST(test_refused_is_repeated_damage_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
