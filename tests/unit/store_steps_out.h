/* The steps of what goes out, and of what is said of it. */
#ifndef SC_TESTS_STORE_STEPS_OUT_H
#define SC_TESTS_STORE_STEPS_OUT_H

#include "store_steps.h"

/* --- Queued ------------------------------------------------------------ */

STEP(step_submit)
{
	static const char *const routed[2] = { "demo/x@autre.example",
		"demo/y@autre.example" };
	static const uint8_t patients[2 * STORE_PATIENT_BYTES];
	struct store_out_put m[5] = { make_out(201, DR), make_out(202, EVE),
		make_out(203, HUB), make_out(204, DR), make_out(205, EVE) };
	int64_t submission;
	enum rc rc;

	m[0].patients = (struct bytes){ patients, sizeof(patients) };
	m[2].routed = routed;
	m[2].nrouted = 2;
	m[3].relay = "second";
	rc = store_out_submit(st, NOW, "anne@localhost", m, 5, &submission,
	    e);
	for (size_t i = 0; i < 5; i++)
		out_id[i] = m[i].id;
	return rc;
}

STEP(step_once)
{
	static const uint8_t once[STORE_D_BYTES] = { 5 };
	struct store_out_put m = make_out(206, EVE);
	struct store_ack acks[8];
	int64_t submission;
	size_t n;
	enum rc rc = store_ack_list(st, LABO, acks, 8, &n, e);

	m.kind = STORE_CONTROL;
	m.acks = acks;
	m.nacks = n;
	return rc != RC_OK ? rc : store_out_once(st, NOW, once, NULL, &m, 1,
	    &submission, e);
}

STEP(step_named)
{
	static const uint8_t once[STORE_D_BYTES] = { 5 };
	int64_t submission;

	return store_out_named(st, once, &submission, e);
}

static const struct bytes outbox_key = { (const uint8_t *)"k1", 2 };

STEP(step_outbox)
{
	struct store_out_put m = make_out(207, EVE);
	const struct store_outbox_put p = { NULL, NULL, &m, 1, &outbox_key,
	    1 };
	int64_t submission;
	enum rc rc = large(st, &m.body.id, e);

	return rc != RC_OK ? rc :
	    store_outbox_submit(st, NOW, &p, &submission, e);
}

STEP(step_outbox_known)
{
	bool known;

	return store_outbox_known(st, NOW + 9, outbox_key, &known, e);
}

STEP(step_outbox_forget)
{
	return store_outbox_forget(st, &outbox_key, 1, e);
}

STEP(step_outbox_sweep)
{
	const struct bytes k = { (const uint8_t *)"k", 1 };

	return store_outbox_sweep(st, k, NOW + 999, e);
}

STEP(step_claim)
{
	struct store_out out[8];
	size_t n;

	return store_out_claim(st, "main", NOW, NOW + 900, out, 8, &n, e);
}

STEP(step_claim_second)
{
	struct store_out out[8];
	size_t n;

	return store_out_claim(st, "second", NOW, NOW + 900, out, 8, &n, e);
}

STEP(step_claim_lapsed)
{
	struct store_out out[8];
	size_t n;

	return store_out_claim(st, "main", NOW + 9999, NOW + 19999, out, 8,
	    &n, e);
}

STEP(step_sent)
{
	struct store_out_end m[2] = { { .id = out_id[0] },
		{ .id = out_id[2] } };

	return store_out_sent(st, m, 2, NOW, e);
}

STEP(step_defer)
{
	struct store_out_end m = { .id = out_id[1], .text = "450 later" };

	return store_out_defer(st, &m, 1, NOW, 86400, e);
}

STEP(step_fail)
{
	struct store_out_end m = { .id = out_id[4], .text = "550 no" };

	return store_out_fail(st, &m, 1, NOW, e);
}

/* All that is claimed still. */
STEP(step_sent_rest)
{
	struct store_out_end m[8];

	memset(m, 0, sizeof(m));
	for (int64_t i = 0; i < 8; i++)
		m[i].id = i + 1;
	return store_out_sent(st, m, 8, NOW + 20000, e);
}

STEP(step_unclaim)
{
	return store_out_unclaim(st, &out_id[3], 1, e);
}

STEP(step_overdue)
{
	size_t n;

	return store_out_overdue(st, NOW + 90000, 86400, "too old", &n, e);
}

STEP(step_suspend)
{
	int64_t until;

	return store_relay_suspend(st, "main", NOW, 0, "no route", &until, e);
}

STEP(step_relay_ok)
{
	return store_relay_ok(st, "main", e);
}

STEP(step_relay_get)
{
	struct store_relay r;

	return store_relay_get(st, "main", &r, e);
}

STEP(step_notice)
{
	struct store_out out[4];
	size_t n;

	return store_notice_next(st, 0, out, 4, &n, e);
}

STEP(step_notice_done)
{
	return store_notice_done(st, &out_id[4], 1, e);
}

STEP(step_bounced)
{
	uint8_t t[STORE_T_BYTES];
	bool known;

	make_t(t, 201);
	return store_out_bounced(st, t, in_id[7], STORE_ACTION_RELEASE, NOW,
	    &known, e);
}

STEP(step_ask)
{
	static const enum store_ask asks[] = { STORE_ASK_ALL,
		STORE_ASK_WAITING, STORE_ASK_UNDELIVERED, STORE_ASK_RECEIVED,
		STORE_ASK_OPENED, STORE_ASK_TROUBLE };
	struct store_filter f = { .peer = DR, .mail_only = true };
	struct store_out out[4];
	size_t n;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < 6; i++) {
		f.ask = asks[i];
		rc = store_out_list(st, &f, 0, out, 4, &n, e);
	}
	return rc;
}

STEP(step_ask_one)
{
	struct store_out out;
	uint8_t t[STORE_T_BYTES];
	enum rc rc = store_out_get(st, out_id[0], &out, e);

	make_t(t, 201);
	return rc != RC_OK ? rc : store_out_find(st, t, &out, e);
}

STEP(step_routed)
{
	static struct store_routed out[STORE_ROUTES_MAX];
	size_t n;

	return store_out_routed(st, out_id[2], out, &n, e);
}

STEP(step_counts)
{
	struct store_counts c;

	return store_counts(st, NOW + 1, &c, e);
}

STEP(step_late)
{
	struct store_out out[4];
	size_t n;

	return store_out_late(st, NOW + 1, 0, out, 4, &n, e);
}

STEP(step_out_retry)
{
	enum store_result result;

	return store_out_retry(st, out_id[4], NULL, NOW, &result, e);
}

STEP(step_out_drop)
{
	enum store_result result;

	return store_out_drop(st, out_id[4], &result, e);
}

/* --- Acknowledged ------------------------------------------------------ */

/* A message without MAIL, that says this of what was submitted. */
static inline enum rc
heard(struct store *st, uint32_t uid, uint64_t t, uint8_t state,
    const char *peer, const char *routed, struct err *e)
{
	static const uint8_t bytes[10];
	struct store_in_put m = { make_uid(2, uid), { 0, bytes, 10 }, 0 };
	struct store_ack_in a;
	struct store_done d;
	enum rc rc = store_in_put(st, "acks", NOW, &m, 1, e);

	memset(&a, 0, sizeof(a));
	make_t(a.t, t);
	make_d(a.d, t);
	a.state = state;
	a.at = NOW + 5;
	a.peer = peer;
	a.routed = routed;
	d = make_done(m.id, 5000 + uid);
	d.ack_state = STORE_ACK_NONE;
	d.acks = &a;
	d.nacks = 1;
	return rc != RC_OK ? rc : store_in_delivered(st, &d, 1, NOW, e);
}

STEP(step_ack_damaged)
{
	return heard(st, 1, 201, STORE_ACK_DAMAGED, DR, NULL, e);
}

STEP(step_ack_opened)
{
	return heard(st, 2, 201, STORE_ACK_OPENED, DR, NULL, e);
}

STEP(step_ack_relayed)
{
	return heard(st, 3, 203, STORE_ACK_RELAYED, HUB, NULL, e);
}

STEP(step_ack_routed)
{
	return heard(st, 4, 203, STORE_ACK_RECEIVED, HUB,
	    "demo/x@autre.example", e);
}

STEP(step_ack_routed_refused)
{
	return heard(st, 5, 203, STORE_ACK_REFUSED, HUB,
	    "demo/y@autre.example", e);
}

STEP(step_ack_received)
{
	return heard(st, 6, 204, STORE_ACK_RECEIVED, DR, NULL, e);
}

STEP(step_ack_of_hub)
{
	return heard(st, 7, 301, STORE_ACK_RECEIVED, DR, NULL, e);
}

STEP(step_ack_peers)
{
	char names[4][STORE_IDENTITY_BYTES];
	size_t n;

	return store_ack_peers(st, NOW + 999, "", names, 4, &n, e);
}

STEP(step_ack_defer)
{
	return store_ack_defer(st, LABO, NOW + 500, e);
}

STEP(step_ack_drop)
{
	return store_ack_drop(st, LABO, e);
}

/* --- The gateway, the watch desk --------------------------------------- */

STEP(step_hub)
{
	static const struct store_hub_refusal barred = {
		"demo/ex@parti.example", STORE_ACK_REFUSED };
	struct store_done d = make_done(in_id[8], 8);
	struct store_out_put m = make_out(301, DR);

	d.ack_state = STORE_ACK_RELAYED;
	return store_hub_relay(st, &(struct store_hub_put){ &d, &m, 1,
	    &barred, 1 }, 1, NOW, e);
}

STEP(step_hub_again)
{
	struct store_done d = make_done(in_id[9], 8);

	return store_in_duplicate(st, &d, 1, NOW, e);
}

STEP(step_hub_over)
{
	return store_hub_over(st, LABO, NOW, e);
}

STEP(step_hub_ask)
{
	struct store_hub_day d[2];
	struct store_origin o;
	uint8_t t[STORE_T_BYTES];
	size_t n;
	enum rc rc = store_hub_overs(st, NOW, d, 2, &n, e);

	make_t(t, 301);
	return rc != RC_OK ? rc : store_hub_origin(st, t, DR, &o, e);
}

STEP(step_bar)
{
	struct store_bar b = { .name = "demo/eve@autre.example", .min = 2,
	    .desk = 1, .at = NOW, .reason = "stolen" };
	struct store_row row = { { (const uint8_t *)"bar", 3 },
	    { (const uint8_t *)"x", 1 }, NULL, 0 };

	return store_bar_put(st, &b, &row, e);
}

STEP(step_bar_list)
{
	struct store_bar b[2];
	size_t n;

	return store_bar_list(st, "", b, 2, &n, e);
}

STEP(step_desk_is)
{
	return store_desk_is(st, 1, e);
}

STEP(step_desk_begin)
{
	struct store_row row = { { (const uint8_t *)"facts", 5 },
	    { (const uint8_t *)"y", 1 }, NULL, 0 };

	return store_desk_begin(st, 1, &row, NOW, e);
}

STEP(step_desk_sealed)
{
	struct store_out_put m = make_out(401, DR);
	const struct store_desk d = { .gen = 1, .number = 1, .nth = 1 };

	m.kind = STORE_CONTROL;
	return store_desk_sealed(st, &d, &m, 1, NOW, e);
}

STEP(step_desk_waiting)
{
	size_t n;

	return store_desk_waiting(st, &n, e);
}

STEP(step_bulletin)
{
	struct store_bulletin b;

	return store_bulletin(st, &b, e);
}

STEP(step_bulletin_expect)
{
	return store_bulletin_expect(st, true, NOW, e);
}

#endif
