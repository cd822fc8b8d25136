/* The steps of what is followed and kept; and the order of them all. */
#ifndef SC_TESTS_STORE_STEPS_ALL_H
#define SC_TESTS_STORE_STEPS_ALL_H

#include "store_steps_out.h"

/* --- Followed ---------------------------------------------------------- */

STEP(step_steps)
{
	struct store_steps s;
	int64_t at;
	enum rc rc = store_steps(st, out_id[0], DR, &s, e);

	return rc != RC_OK ? rc : store_heard(st, DR, &at, e);
}

STEP(step_follow)
{
	struct store_out out[4];
	size_t n;

	return store_follow_list(st, NOW + 9, 0, out, 4, &n, e);
}

static const struct store_alarm own_alarm = { .rule = STORE_RULE_RELAY,
	.subject = "main", .since = NOW, .text = "no route" };

STEP(step_alarm)
{
	const struct store_alarm_at at = { NOW + 9, NOW + 9, NOW + 9, NOW };

	return store_alarm_update(st, NOW, &at, &own_alarm, 1, e);
}

STEP(step_alarm_ends)
{
	const struct store_alarm_at at = { 0, 0, 0, NOW + 9 };

	return store_alarm_update(st, NOW + 9, &at, NULL, 0, e);
}

STEP(step_alarm_ask)
{
	uint64_t counts[STORE_RULE_N];
	struct store_alarm a[8];
	size_t n;
	enum rc rc = store_alarm_list(st, 0, a, 8, &n, e);

	return rc != RC_OK ? rc : store_alarm_counts(st, counts, e);
}

STEP(step_alarm_tell)
{
	struct store_alarm a[8];
	size_t n;
	enum rc rc = store_alarm_untold(st, a, 8, &n, e);

	return rc != RC_OK ? rc : store_alarm_told(st, NOW, a, n, e);
}

STEP(step_digest)
{
	int64_t day, at;
	enum rc rc = store_digest(st, &day, &at, e);

	return rc != RC_OK ? rc : store_digest_done(st, 20000, NOW, e);
}

STEP(step_down)
{
	char text[STORE_TEXT_BYTES];
	int64_t since;
	bool known;
	enum rc rc = store_down(st, "a", &since, text, e);

	return rc != RC_OK ? rc :
	    store_down_set(st, "a", NOW, "no answer", &known, e);
}

STEP(step_up)
{
	return store_down_up(st, "a", e);
}

STEP(step_keys)
{
	struct store_key k[STORE_KEYS_MAX];
	int64_t looked_at;
	bool known;
	size_t n;
	enum rc rc = store_keys(st, k, &n, &looked_at, e);

	return rc != RC_OK ? rc : store_keys_known(st, &known, e);
}

STEP(step_keys_put)
{
	static const struct store_key k[2] = { { DR, NOW + 9, false },
		{ LABO, NOW + 9, true } };

	return store_keys_put(st, NOW, k, 2, e);
}

STEP(step_passes)
{
	struct store_pass p[4];
	size_t n;

	return store_pass_list(st, 0, p, 4, &n, e);
}

static struct store_pass a_pass;

STEP(step_pass_begin)
{
	memset(&a_pass, 0, sizeof(a_pass));
	a_pass.began_at = a_pass.seen_at = NOW;
	return store_pass_begin(st, &a_pass, e);
}

STEP(step_pass_seen)
{
	a_pass.ended_at = NOW + 1;
	return store_pass_seen(st, &a_pass, e);
}

/* --- The rest ---------------------------------------------------------- */

STEP(step_row_get)
{
	const struct bytes key = { (const uint8_t *)"key", 3 };
	struct buf b = BUF_INIT;
	uint32_t version;
	enum rc rc = store_row_get(st, key, &b, &version, e);

	buf_free(&b);
	return rc;
}

STEP(step_row_next)
{
	const struct bytes first = { NULL, 0 };
	struct buf k = BUF_INIT, v = BUF_INIT;
	uint32_t version;
	enum rc rc = store_row_next(st, "dr@cabinet.example", first, &k, &v,
	    &version, e);

	if (rc == RC_OK)
		rc = store_row_next(st, NULL, first, &k, &v, &version, e);
	buf_free(&k);
	buf_free(&v);
	return rc;
}

STEP(step_row_put)
{
	const struct store_row rows[2] = {
		{ { (const uint8_t *)"key", 3 },
		    { (const uint8_t *)"two", 3 }, NULL, 1 },
		{ { (const uint8_t *)"bar", 3 }, { NULL, 0 }, NULL, 1 } };

	return store_row_put(st, rows, 2, e);
}

STEP(step_event)
{
	return store_event_add(st, NOW, "x", "y=z", e);
}

STEP(step_events)
{
	struct store_event v[4];
	size_t n;

	return store_event_list(st, 0, 0, v, 4, &n, e);
}

static inline void
hash_of(const void *p, size_t len, uint8_t out[STORE_HASH_BYTES])
{
	memset(out, (int)(len & 0xff), STORE_HASH_BYTES);
	out[0] ^= *(const uint8_t *)p;
}

/* What was written without a hash until now is chained with the next. */
STEP(step_chain)
{
	enum rc rc;

	store_hash_with(st, hash_of);
	rc = store_event_add(st, NOW, "chained", "", e);
	store_hash_with(st, NULL);
	return rc;
}

STEP(step_register)
{
	struct store_entry x[8];
	struct store_witness w;
	uint8_t t[STORE_T_BYTES];
	size_t n;
	enum rc rc;

	make_t(t, 1);
	if ((rc = store_register_list(st, 0, t, 4, x, 8, &n, e)) == RC_OK &&
	    (rc = store_register_of(st, 0, "patient:0", x, 8, &n, e)) ==
	    RC_OK)
		rc = store_witness(st, t, &w, e);
	return rc;
}

STEP(step_sweep)
{
	return store_sweep(st, e);
}

STEP(step_check)
{
	return store_check(st, e);
}

STEP(step_clock)
{
	enum store_clock is;

	return store_clock(st, NOW, 20000, &is, e);
}

/* A year on, and back: what was put off meanwhile is due. */
STEP(step_clock_leaps)
{
	enum store_clock is;
	int64_t since;
	enum rc rc = store_clock(st, NOW - 9999999, 20000, &is, e);

	return rc != RC_OK ? rc : store_clock_since(st, &since, e);
}

STEP(step_erased)
{
	return store_erased(st, 2026, e);
}

STEP(step_expire)
{
	const struct store_keep keep = { .events_s = 1, .sent_s = 1,
	    .hub_s = 1, .watch_s = 1, .inbox_s = 1, .patients_s = 1,
	    .budget = 100 };
	bool more;

	return store_expire(st, NOW + 2000000, &keep, &more, e);
}

STEP(step_restored)
{
	const struct store_row row = { { (const uint8_t *)"restored", 8 },
	    { (const uint8_t *)"1", 1 }, NULL, 0 };
	struct store_restored r;

	return store_restored(st, NOW, &row, &r, e);
}

#define ONE(name) { #name, step_##name, STEP_ONE }
#define MANY(name) { #name, step_##name, STEP_MANY }
#define ANYHOW(name) { #name, step_##name, STEP_ANYHOW }

static const struct step steps[] = {
	MANY(clock), ONE(account), ONE(body_begin), ONE(body_append),
	ONE(body_append), ONE(body_append), ONE(body_append),
	ONE(body_append), ONE(body_size), ONE(body_part),
	ANYHOW(body_abandon), ONE(put), MANY(put_large), ONE(pass),
	ANYHOW(listed), ONE(waiting), MANY(next), ONE(get),
	ONE(submit), ONE(intent), ONE(intent), ONE(names), ONE(odd),
	ONE(delivered), ONE(delivered_relayed), ONE(duplicate), ONE(t),
	ONE(hold_damaged), ONE(hold_refused), ONE(hold), ONE(held_list),
	ONE(held_fresh), ONE(retry), ONE(retry_class), ONE(hold_refused),
	ONE(drop), ONE(due), ONE(released), ONE(marked), MANY(refile),
	ONE(refiled), ONE(inbox), ONE(watch), ONE(taken), ONE(once),
	ONE(named), MANY(outbox), ONE(outbox_known), ONE(outbox_forget),
	ONE(outbox_sweep), ONE(suspend), ONE(relay_get), ONE(relay_ok),
	ONE(claim), ONE(sent), ONE(defer), ONE(fail), ONE(notice),
	ONE(notice_done), ONE(claim_second), ONE(unclaim), ONE(ask),
	ONE(ask_one), ONE(routed), ONE(counts), ONE(late), ONE(pass_begin),
	ONE(keys), ONE(keys_put), ONE(keys), ONE(pass_seen), ONE(passes),
	MANY(ack_damaged), MANY(ack_relayed), MANY(ack_routed),
	MANY(ack_routed_refused), ONE(steps), ONE(follow), ONE(alarm),
	ONE(alarm_ask), ONE(alarm_tell), MANY(ack_opened),
	MANY(ack_received), ONE(alarm), ONE(alarm_ends), ONE(alarm_ask),
	ONE(digest), ONE(digest), ONE(down), ONE(up), ONE(ack_peers),
	ONE(hub), ONE(hub_over), ONE(hub_ask), MANY(ack_of_hub),
	ANYHOW(hub_again), ONE(ack_defer), ONE(ack_drop), ONE(bounced),
	ONE(bar), ONE(bar_list), ONE(desk_is), ONE(desk_begin),
	ONE(desk_sealed), ONE(desk_waiting), ONE(bulletin_expect),
	ONE(bulletin), MANY(claim_lapsed), ONE(sent_rest), ONE(out_retry),
	ONE(overdue), ONE(out_drop), ONE(row_get), ONE(row_next), ONE(row_put),
	ONE(event), ONE(events), ONE(chain), ONE(register), ONE(sweep),
	ONE(check), ANYHOW(listed_less), ONE(account_moves),
	MANY(clock_leaps), ONE(erased), ANYHOW(expire),
	ONE(restored), { NULL, NULL, STEP_ONE }
};

#endif
