#include "store_unit.h"

#define DR_NAME "demo/dr.martin@cabinet.example"
#define EVE_NAME "demo/eve@autre.example"
#define LABO_NAME "demo/labo.central@labo.example"

static int64_t
sent(struct world *w, struct store_out_put *m)
{
	struct store_out out[4];
	struct store_out_end end = { .result = STORE_NOT };
	size_t n;

	end.id = submit(w, m, NULL);
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 9, out, 4, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_out_sent(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(end.result, STORE_OK);
	return end.id;
}

/* --- That came --------------------------------------------------------- */

static void
test_ack_only_forward(void **state)
{
	static const struct {
		uint8_t			state;
		enum store_ack_result	result;
	} steps[] = {
		{ 0x11, STORE_ACK_APPLIED },
		{ 0x11, STORE_ACK_REPEATED },	/* resent once, no more */
		{ 0x10, STORE_ACK_APPLIED },
		{ 0x11, STORE_ACK_REPEATED },
		{ 2, STORE_ACK_APPLIED },
		{ 2, STORE_ACK_REPEATED },
		{ 0x10, STORE_ACK_REPEATED },
		{ 3, STORE_ACK_APPLIED },
		{ 2, STORE_ACK_REPEATED },
		{ 0, STORE_ACK_WRONG_STATE },
		{ 1, STORE_ACK_WRONG_STATE },
		{ 4, STORE_ACK_WRONG_STATE },
	};
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);

	(void)sent(w, &m);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_int_equal(acked(w, 1, steps[i].state, DR, NULL),
		    steps[i].result);
	assert_int_equal(get_out(w, m.id).ack_state, 3);
	assert_int_equal(get_out(w, m.id).ack_at, NOW + 5);
}

static void
test_ack_by_name_not_by_generation(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);

	(void)sent(w, &m);
	assert_int_equal(acked(w, 1, 2, EVE, NULL), STORE_ACK_WRONG_PEER);
	assert_int_equal(acked(w, 2, 2, DR, NULL), STORE_ACK_UNKNOWN);
	assert_int_equal(get_out(w, m.id).ack_state, 0);
	assert_int_equal(acked(w, 1, 2, DR2, NULL), STORE_ACK_APPLIED);
}

static void
test_ack_of_another_mail_is_refused(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);

	make_d(m.d, 2);
	(void)sent(w, &m);
	assert_int_equal(acked(w, 1, 2, DR, NULL), STORE_ACK_WRONG_D);
	assert_int_equal(acked(w, 1, 3, DR, NULL), STORE_ACK_WRONG_D);
	assert_true(get_out(w, m.id).body != 0);
	/* D is unknown to him who could not read it */
	assert_int_equal(acked(w, 1, 0x11, DR, NULL), STORE_ACK_APPLIED);
}

static void
test_received_drops_the_body(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR), q = make_out(2, DR);

	(void)sent(w, &m);
	assert_int_equal(acked(w, 1, 2, DR, NULL), STORE_ACK_APPLIED);
	assert_int_equal(get_out(w, m.id).body, 0);
	(void)sent(w, &q);
	assert_int_equal(acked(w, 2, 0x10, DR, NULL), STORE_ACK_APPLIED);
	assert_int_equal(get_out(w, q.id).body, 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part"), 0);
}

static void
test_damaged_is_due_again_with_the_same_body(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[2];
	int64_t body;
	size_t n;

	(void)sent(w, &m);
	body = get_out(w, m.id).body;
	assert_int_equal(acked(w, 1, 0x11, DR, NULL), STORE_ACK_APPLIED);
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 9, out, 2, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(out[0].body, body);
	assert_string_equal(out[0].message_id, m.message_id);
}

/* The relay's answer was lost, the recipient's was not. */
static void
test_received_while_still_queued(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[2];
	struct store_out_end end = { .text = "lost", .result = STORE_OK };
	size_t n;

	end.id = submit(w, &m, NULL);
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 9, out, 2, &n, &w->e));
	assert_int_equal(acked(w, 1, 2, DR, NULL), STORE_ACK_APPLIED);
	assert_int_equal(get_out(w, m.id).state, STORE_SENT);
	OK(w, store_out_defer(w->st, &end, 1, NOW, 9999, &w->e));
	assert_int_equal(end.result, STORE_NOT);
	OK(w, store_out_claim(w->st, "r", NOW + 99999, NOW + 999999, out, 2,
	    &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_received_after_a_failure_withdraws_the_notice(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, DR);
	struct store_out out[2];
	struct store_out_end end = { .text = "5xx", .result = STORE_OK };
	size_t n;

	end.id = submit(w, &m, "anne@localhost");
	OK(w, store_out_claim(w->st, "r", NOW, NOW + 9, out, 2, &n, &w->e));
	OK(w, store_out_fail(w->st, &end, 1, NOW, &w->e));
	assert_int_equal(acked(w, 1, 2, DR, NULL), STORE_ACK_APPLIED);
	assert_int_equal(get_out(w, m.id).state, STORE_SENT);
	OK(w, store_notice_next(w->st, 0, out, 2, &n, &w->e));
	assert_int_equal(n, 0);
}

/* --- Through the hub --------------------------------------------------- */

static void
test_routed_each_name_by_itself(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, HUB);
	const char *routed[] = { DR_NAME, EVE_NAME };
	struct store_routed r[STORE_ROUTES_MAX];
	struct store_out out[2];
	size_t n;

	m.routed = routed;
	m.nrouted = 2;
	(void)sent(w, &m);
	/* the hub itself may say 1, 0x10, 0x11; only of the whole */
	assert_int_equal(acked(w, 1, 2, HUB, NULL), STORE_ACK_WRONG_STATE);
	assert_int_equal(acked(w, 1, 1, HUB, NULL), STORE_ACK_APPLIED);
	assert_int_equal(acked(w, 1, 1, HUB, DR_NAME), STORE_ACK_WRONG_STATE);
	assert_int_equal(acked(w, 1, 0x11, HUB, DR_NAME),
	    STORE_ACK_WRONG_STATE);
	/* only the hub, only of names it was asked for */
	assert_int_equal(acked(w, 1, 2, DR, DR_NAME), STORE_ACK_WRONG_PEER);
	assert_int_equal(acked(w, 1, 2, HUB, LABO_NAME), STORE_ACK_UNKNOWN);
	assert_int_equal(acked(w, 1, 2, HUB, DR_NAME), STORE_ACK_APPLIED);
	assert_int_equal(acked(w, 1, 2, HUB, DR_NAME), STORE_ACK_REPEATED);
	OK(w, store_out_routed(w->st, m.id, r, &n, &w->e));
	assert_int_equal(n, 2);
	assert_string_equal(r[0].name, DR_NAME);
	assert_int_equal(r[0].ack_state, 2);
	assert_int_equal(r[1].ack_state, 0);
	assert_true(get_out(w, m.id).body != 0);
	OK(w, store_out_late(w->st, NOW + 1, 0, out, 2, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(acked(w, 1, 0x10, HUB, EVE_NAME), STORE_ACK_APPLIED);
	assert_int_equal(get_out(w, m.id).body, 0);
	assert_int_equal(get_out(w, m.id).ack_state, 1);
	OK(w, store_out_late(w->st, NOW + 1, 0, out, 2, &n, &w->e));
	assert_int_equal(n, 0);
}

static void
test_routed_ack_of_direct_mail_is_refused(void **state)
{
	struct world *w = *state;
	struct store_out_put m = make_out(1, HUB);

	(void)sent(w, &m);
	assert_int_equal(acked(w, 1, 2, HUB, DR_NAME), STORE_ACK_UNKNOWN);
	assert_int_equal(acked(w, 1, 2, HUB, NULL), STORE_ACK_APPLIED);
}

/* --- To send ----------------------------------------------------------- */

static void
test_acks_wait_for_their_time_by_peer(void **state)
{
	struct world *w = *state;
	char names[4][STORE_IDENTITY_BYTES];
	struct store_ack acks[8];
	struct store_done d;
	size_t n;

	for (uint32_t i = 1; i <= 3; i++) {
		d = make_done(put_one_of(w, "a", i), i);
		d.msg.sender = i == 3 ? EVE : LABO;
		d.ack_due_at = NOW + 100 * i;
		OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	}
	OK(w, store_ack_peers(w->st, NOW, "", names, 4, &n, &w->e));
	assert_int_equal(n, 0);
	OK(w, store_ack_peers(w->st, NOW + 100, "", names, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_string_equal(names[0], LABO_NAME);
	OK(w, store_ack_peers(w->st, NOW + 300, "", names, 1, &n, &w->e));
	assert_int_equal(n, 1);
	assert_string_equal(names[0], EVE_NAME);
	OK(w, store_ack_peers(w->st, NOW + 300, names[0], names, 4, &n,
	    &w->e));
	assert_int_equal(n, 1);
	/* what is not due yet rides along */
	OK(w, store_ack_list(w->st, LABO_NAME, acks, 8, &n, &w->e));
	assert_int_equal(n, 2);
	OK(w, store_ack_defer(w->st, LABO, NOW + 900, &w->e));
	OK(w, store_ack_peers(w->st, NOW + 300, "", names, 4, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_ack_drop(w->st, EVE, &w->e));
	OK(w, store_ack_peers(w->st, NOW + 900, "", names, 4, &n, &w->e));
	assert_int_equal(n, 1);
}

/* Sealed while it changed: the new one is not cleared with the old. */
static void
test_cleared_only_if_unchanged(void **state)
{
	struct world *w = *state;
	struct store_ack acks[4];
	struct store_out_put m = make_out(50, LABO);
	struct store_done d;
	struct buf b = BUF_INIT;
	int64_t in = put_one_of(w, "a", 1), id = 0;
	size_t n;

	assert_int_equal(intend(w, in, 1, "f"), STORE_OK);
	d = make_done(in, 1);
	d.watch = true;
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	OK(w, store_ack_list(w->st, LABO, acks, 4, &n, &w->e));
	assert_int_equal(n, 1);
	OK(w, store_watch_next(w->st, &id, &b, &w->e));
	OK(w, store_watch_taken(w->st, &id, 1, true, NOW, NOW, &w->e));
	m.acks = acks;
	m.nacks = 1;
	(void)submit(w, &m, NULL);
	OK(w, store_ack_list(w->st, LABO, acks, 4, &n, &w->e));
	assert_int_equal(n, 1);
	assert_int_equal(acks[0].state, STORE_ACK_OPENED);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_ack_only_forward),
		WORLD_TEST(test_ack_by_name_not_by_generation),
		WORLD_TEST(test_ack_of_another_mail_is_refused),
		WORLD_TEST(test_received_drops_the_body),
		WORLD_TEST(test_damaged_is_due_again_with_the_same_body),
		WORLD_TEST(test_received_while_still_queued),
		WORLD_TEST(test_received_after_a_failure_withdraws_the_notice),
		WORLD_TEST(test_routed_each_name_by_itself),
		WORLD_TEST(test_routed_ack_of_direct_mail_is_refused),
		WORLD_TEST(test_acks_wait_for_their_time_by_peer),
		WORLD_TEST(test_cleared_only_if_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
