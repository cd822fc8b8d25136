#include "store_unit.h"

#define DR_NAME "demo/dr.martin@cabinet.example"
#define EVE_NAME "demo/eve@autre.example"

static const struct store_hub_refusal barred = { "demo/ex@parti.example",
	STORE_ACK_REFUSED };

static enum rc
relayed(struct world *w, struct store_done *in, struct store_out_put *out,
    size_t n, const struct store_hub_refusal *refused, int64_t now)
{
	struct store_hub_put m = { in, out, n, refused, refused != NULL };

	return store_hub_relay(w->st, &m, 1, now, &w->e);
}

static struct store_done
relay(struct world *w, uint32_t uid, struct store_out_put out[2])
{
	struct store_done in = make_done(put_one_of(w, "a", uid), 1);

	in.ack_state = STORE_ACK_RELAYED;
	out[0] = make_out(101, DR);
	out[1] = make_out(102, EVE);
	OK(w, relayed(w, &in, out, 2, &barred, NOW));
	return in;
}

static void
test_relay_is_one_transaction(void **state)
{
	struct world *w = *state;
	struct store_out_put out[2];
	struct store_done in = relay(w, 1, out);
	struct store_origin o;
	struct store_ack acks[4];
	struct store_t t;
	size_t n;

	assert_int_equal(in.msg.result, STORE_OK);
	world_reopen(w);
	OK(w, store_t_find(w->st, in.msg.t, &t, &w->e));
	assert_int_equal(t.state, STORE_T_DONE);
	assert_int_equal(get_in(w, in.msg.id).state, STORE_DELIVERED);
	assert_int_equal(get_out(w, out[0].id).state, STORE_QUEUED);
	assert_int_equal(get_out(w, out[1].id).state, STORE_QUEUED);
	OK(w, store_hub_origin(w->st, out[0].t, DR2, &o, &w->e));
	assert_true(o.known);
	assert_memory_equal(o.t, in.msg.t, 32);
	assert_memory_equal(o.d, in.d, 32);
	assert_string_equal(o.identity, LABO);
	OK(w, store_hub_origin(w->st, out[0].t, EVE, &o, &w->e));
	assert_false(o.known);
	OK(w, store_ack_list(w->st, LABO, acks, 4, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(acks[0].state, 1);
	assert_string_equal(acks[0].routed, "");
	assert_int_equal(acks[1].state, 0x10);
	assert_string_equal(acks[1].routed, barred.name);
}

static void
test_relay_of_a_duplicate_does_nothing(void **state)
{
	struct world *w = *state;
	struct store_out_put out[2];
	struct store_counts c;
	struct store_done in = relay(w, 1, out);
	int64_t body;

	in = make_done(put_one_of(w, "a", 2), 1);
	OK(w, store_body_begin(w->st, &body, &w->e));
	OK(w, store_body_append(w->st, body, "x", 1, &w->e));
	out[0] = make_out(201, DR);
	out[0].body = (struct store_body){ body, NULL, 0 };
	OK(w, relayed(w, &in, out, 1, NULL, NOW));
	assert_int_equal(in.msg.result, STORE_DUPLICATE);
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	assert_int_equal(c.queued, 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 3);
}

static void
test_relay_that_fails_does_nothing(void **state)
{
	struct world *w = *state;
	struct store_out_put out[2] = { make_out(1, DR), make_out(1, EVE) };
	struct store_done in = make_done(put_one_of(w, "a", 1), 9);
	struct store_t t;

	T_RC(relayed(w, &in, out, 2, NULL, NOW), RC_TEMP);
	assert_int_equal(get_in(w, in.msg.id).state, STORE_FETCHED);
	OK(w, store_t_find(w->st, in.msg.t, &t, &w->e));
	assert_int_equal(t.state, STORE_T_NONE);
}

/* Several at once: what is known already changes nothing for the others, and
 * one that fails undoes all. */
static void
test_several_are_one_transaction(void **state)
{
	struct world *w = *state;
	struct store_out_put one[2] = { make_out(101, DR), make_out(102, EVE) };
	struct store_out_put two = make_out(103, DR), three = make_out(104, DR);
	struct store_done in[3];
	struct store_hub_put put[3] = { { &in[0], one, 2, &barred, 1 },
	    { &in[1], &two, 1, NULL, 0 }, { &in[2], &three, 1, NULL, 0 } };

	for (uint32_t i = 0; i < 3; i++)
		in[i] = make_done(put_one_of(w, "a", i + 1), i | 1);
	in[0].event = "hub.relayed";
	in[0].event_text = "from=" LABO;
	OK(w, store_hub_relay(w->st, put, 3, NOW, &w->e));
	assert_int_equal(in[0].msg.result, STORE_OK);
	assert_int_equal(in[1].msg.result, STORE_DUPLICATE);
	assert_int_equal(in[2].msg.result, STORE_OK);
	world_reopen(w);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM queue"), 3);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM event WHERE "
	    "name = 'hub.relayed'"), 1);

	in[0] = make_done(put_one_of(w, "a", 4), 4);
	in[1] = make_done(put_one_of(w, "a", 5), 5);
	one[0] = make_out(105, DR);
	put[0] = (struct store_hub_put){ &in[0], one, 1, NULL, 0 };
	two = make_out(101, DR);
	T_RC(store_hub_relay(w->st, put, 2, NOW, &w->e), RC_TEMP);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM queue"), 3);
	assert_int_equal(get_in(w, in[0].msg.id).state, STORE_FETCHED);
}

/* What a recipient says to us goes on to the sender. */
static void
test_acknowledgement_passed_on(void **state)
{
	struct world *w = *state;
	struct store_out_put out[2];
	struct store_done in = relay(w, 1, out), again;
	struct store_ack acks[8];
	struct store_out_put control = make_out(500, LABO);
	size_t n;

	/* the mail that we relayed has the fingerprint 101 in this test */
	assert_int_equal(acked(w, 101, 0x11, DR, NULL), STORE_ACK_APPLIED);
	OK(w, store_ack_list(w->st, LABO, acks, 8, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(acked(w, 101, 2, DR, NULL), STORE_ACK_APPLIED);
	OK(w, store_ack_list(w->st, LABO, acks, 8, &n, &w->e));
	assert_int_equal(n, 3);
	assert_string_equal(acks[2].routed, DR_NAME);
	assert_memory_equal(acks[2].t, in.msg.t, 32);
	assert_memory_equal(acks[2].d, in.d, 32);
	assert_int_equal(acks[2].state, 2);
	assert_int_equal(acks[2].at, NOW + 5);
	/* all said; the sender, who heard nothing, sends it once more */
	control.kind = STORE_CONTROL;
	control.acks = acks;
	control.nacks = n;
	(void)submit(w, &control, NULL);
	again = make_done(put_one_of(w, "a", 2), 1);
	OK(w, store_in_duplicate(w->st, &again, 1, NOW, &w->e));
	OK(w, store_ack_list(w->st, LABO, acks, 8, &n, &w->e));
	assert_int_equal(n, 2);
	assert_int_equal(acks[0].state, 1);
	assert_string_equal(acks[1].routed, DR_NAME);
}

/* ---- how much a day ---------------------------------------------------- */

static struct store_hub_day
day(struct world *w, const char *who, int64_t now)
{
	struct store_hub_day d;

	OK(w, store_hub_day(w->st, who, now, &d, &w->e));
	return d;
}

static void
test_counted_by_sender_and_day(void **state)
{
	const int64_t next = NOW + 86400;
	struct world *w = *state;
	struct store_out_put out[2];
	struct store_hub_day d[2];
	struct store_done in;
	size_t n;

	T_CHECK(day(w, LABO, NOW).messages == 0);
	relay(w, 1, out);
	world_reopen(w);
	T_CHECK(day(w, LABO, NOW).messages == 2 &&
	    day(w, LABO, NOW).bytes > 0);
	/* Another generation is the same member, another name is not. */
	T_CHECK(day(w, "demo/labo.central@labo.example#7", NOW).messages ==
	    2 && day(w, DR, NOW).messages == 0);
	OK(w, store_hub_over(w->st, LABO, NOW + 5, &w->e));
	OK(w, store_hub_over(w->st, LABO, NOW + 9, &w->e));
	OK(w, store_hub_overs(w->st, NOW, d, 2, &n, &w->e));
	T_CHECK(n == 1 && d[0].over_at == NOW + 5 && d[0].messages == 2);
	/* The next day begins anew, and so does its first message. */
	OK(w, store_hub_overs(w->st, next, d, 2, &n, &w->e));
	T_CHECK(n == 0 && day(w, LABO, next).messages == 0);
	in = make_done(put_one_of(w, "a", 2), 2);
	out[0] = make_out(103, DR);
	OK(w, relayed(w, &in, out, 1, NULL, next));
	T_CHECK(day(w, LABO, next).messages == 1 &&
	    day(w, LABO, next).over_at == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_relay_is_one_transaction),
		WORLD_TEST(test_relay_of_a_duplicate_does_nothing),
		WORLD_TEST(test_relay_that_fails_does_nothing),
		WORLD_TEST(test_several_are_one_transaction),
		WORLD_TEST(test_acknowledgement_passed_on),
		WORLD_TEST(test_counted_by_sender_and_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
