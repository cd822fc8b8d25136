/* Days of a store, function by function, each as one step that can be taken
 * again when it has failed. */
#ifndef SC_TESTS_STORE_STEPS_H
#define SC_TESTS_STORE_STEPS_H

#include "store_unit.h"

#include "store/store_alarm.h"
#include "store/store_bar.h"
#include "store/store_kept.h"
#include "store/store_outbox.h"
#include "store/store_register.h"

enum step_how {
	STEP_ONE,	/* it fails, and nothing has changed */
	STEP_MANY,	/* several transactions */
	STEP_ANYHOW	/* the same, and some of it may fail unsaid */
};

struct step {
	const char	*name;
	enum rc		(*run)(struct store *st, struct err *e);
	enum step_how	 how;
};

#define STEP(name) \
	static inline enum rc name(struct store *st, struct err *e)

/* Numbers that the store has given: in both worlds the same. */
static int64_t in_id[10], out_id[10], body_id;

/* --- Fetched ----------------------------------------------------------- */

STEP(step_body_begin)
{
	return store_body_begin(st, &body_id, e);
}

STEP(step_body_append)
{
	return store_body_append(st, body_id, "0123456789", 10, e);
}

STEP(step_body_size)
{
	uint64_t size;

	return store_body_size(st, body_id, &size, e);
}

STEP(step_body_part)
{
	struct buf b = BUF_INIT;
	enum rc rc = store_body_part(st, body_id, 0, &b, e);

	buf_free(&b);
	return rc;
}

STEP(step_body_abandon)
{
	return store_body_abandon(st, body_id, e);
}

static inline enum rc
large(struct store *st, int64_t *body, struct err *e)
{
	enum rc rc = store_body_begin(st, body, e);

	struct err ignored = ERR_INIT;

	for (int i = 0; rc == RC_OK && i < 6; i++)
		rc = store_body_append(st, *body, "0123456789", 10, e);
	if (rc != RC_OK)
		(void)store_body_abandon(st, *body, &ignored);
	return rc;
}

STEP(step_put_large)
{
	struct store_in_put m = { make_uid(1, 9), { 0, NULL, 0 }, 0 };
	enum rc rc = large(st, &m.body.id, e);

	if (rc == RC_OK)
		rc = store_in_put(st, "a", NOW, &m, 1, e);
	in_id[9] = m.id;
	return rc;
}

STEP(step_put)
{
	static const uint8_t bytes[500];
	struct store_in_put m[8];
	enum rc rc;

	memset(m, 0, sizeof(m));
	for (uint32_t i = 0; i < 8; i++) {
		m[i].uid = make_uid(1, i + 1);
		m[i].body.p = bytes;
		m[i].body.len = sizeof(bytes);
	}
	rc = store_in_put(st, "a", NOW, m, 8, e);
	for (size_t i = 0; i < 8; i++)
		in_id[i + 1] = m[i].id;
	return rc;
}

STEP(step_pass)
{
	const struct store_uid uid = make_uid(1, 50);

	return store_in_pass(st, "a", NOW, &uid, 1, EC_FORMAT,
	    STORE_ACTION_RELEASE, NOW, e);
}

STEP(step_account)
{
	bool other;

	return store_account_at(st, "a", "imap.example/INBOX", &other, e);
}

STEP(step_account_moves)
{
	bool other;

	return store_account_at(st, "a", "imap.example/Archive", &other, e);
}

static inline enum rc
listing(struct store *st, uint32_t first, uint32_t last, struct err *e)
{
	struct store_list *l = NULL;
	struct store_uid uid;
	size_t n;
	enum rc rc = store_list_begin(st, "a", &l, e);

	for (uint32_t i = first; rc == RC_OK && i <= last; i++) {
		uid = make_uid(1, i);
		rc = store_list_add(l, &uid, 1, e);
	}
	if (rc == RC_OK)
		rc = store_list_end(l, &n, e);
	if (rc == RC_OK && n > 0)
		rc = store_list_wanted(l, &uid, 1, &n, e);
	store_list_free(&l);
	return rc;
}

STEP(step_listed)
{
	return listing(st, 1, 51, e);
}

STEP(step_listed_less)
{
	return listing(st, 3, 4, e);
}

STEP(step_waiting)
{
	size_t n;

	return store_in_waiting(st, &n, e);
}

STEP(step_next)
{
	struct store_in in[10];
	size_t n;

	return store_in_next(st, 0, in, 10, &n, e);
}

STEP(step_get)
{
	struct store_in in;

	return store_in_get(st, in_id[1], &in, e);
}

/* --- Opened ------------------------------------------------------------ */

/* Two of one name, who were born on other days. */
STEP(step_intent)
{
	static const struct store_patient who[2] = {
		{ true, true, { 1 }, { 1 } }, { true, true, { 1 }, { 2 } } };
	struct store_filing filing = { .sender = LABO, .places = "inbox",
	    .reports = 2, .patients = who, .npatients = 2, .at = NOW };
	const char *names[2] = { "new/1", "new/2" };
	struct store_msg m[2] = { make_msg(in_id[1], 1),
		make_msg(in_id[2], 2) };

	m[0].filing = &filing;
	m[1].original = LABO;
	make_t(m[1].original_t, 77);
	return store_in_intent(st, m, names, 2, e);
}

STEP(step_names)
{
	struct buf b = BUF_INIT;
	enum rc rc = store_in_names(st, in_id[1], &b, e);

	buf_free(&b);
	return rc;
}

STEP(step_odd)
{
	uint8_t odd[STORE_ODD_BYTES], t[STORE_T_BYTES];

	make_t(t, 1);
	return store_inbox_odd(st, t, odd, e);
}

STEP(step_delivered)
{
	static const uint8_t proof[STORE_PROOF_BYTES];
	struct store_row row = { { (const uint8_t *)"key", 3 },
	    { (const uint8_t *)"value", 5 }, "dr@cabinet.example", 0 };
	struct store_done d = make_done(in_id[1], 1);

	d.filed = d.watch = true;
	d.keep_until = NOW + 100;
	d.witness = (struct store_proof){ LABO, DR, 2026, NOW, proof };
	d.rows = &row;
	d.nrows = 1;
	d.news = (struct store_news){ 1, 7, 0 };
	return store_in_delivered(st, &d, 1, NOW, e);
}

STEP(step_delivered_relayed)
{
	struct store_done d = make_done(in_id[2], 2);

	d.filed = true;
	d.msg.original = LABO;
	make_t(d.msg.original_t, 77);
	d.news = (struct store_news){ 0, 0, 9 };
	return store_in_delivered(st, &d, 1, NOW, e);
}

STEP(step_duplicate)
{
	struct store_done d = make_done(in_id[3], 1);

	return store_in_duplicate(st, &d, 1, NOW, e);
}

static inline enum rc
hold(struct store *st, size_t i, enum store_t_state t, uint8_t ack,
    struct err *e)
{
	struct store_hold h = make_hold(in_id[i], EC_BODY);

	h.t_state = t;
	h.ack_state = ack;
	make_t(h.t, 100 + i);
	return store_in_hold(st, &h, 1, NOW, e);
}

STEP(step_hold_damaged)
{
	return hold(st, 4, STORE_T_DAMAGED, STORE_ACK_DAMAGED, e);
}

STEP(step_hold_refused)
{
	return hold(st, 5, STORE_T_REFUSED, STORE_ACK_REFUSED, e);
}

STEP(step_hold)
{
	return hold(st, 6, STORE_T_NONE, STORE_ACK_NONE, e);
}

STEP(step_held_list)
{
	struct store_in in[4];
	size_t n;

	return store_held_list(st, 0, in, 4, &n, e);
}

STEP(step_held_fresh)
{
	size_t n;

	return store_held_fresh(st, NOW, &n, e);
}

STEP(step_retry)
{
	size_t n;

	return store_held_retry(st, in_id[4], EC_NONE, &n, e);
}

STEP(step_retry_class)
{
	size_t n;

	return store_held_retry(st, 0, EC_BODY, &n, e);
}

STEP(step_drop)
{
	enum store_result result;

	return store_held_drop(st, in_id[5], STORE_ACTION_RELEASE, NOW,
	    &result, e);
}

STEP(step_t)
{
	uint8_t key[STORE_T_BYTES], original[STORE_T_BYTES];
	struct store_t t;
	bool seen;
	enum rc rc;

	make_t(key, 1);
	make_t(original, 77);
	rc = store_t_find(st, key, &t, e);
	return rc != RC_OK ? rc :
	    store_t_relayed(st, LABO, original, key, &seen, e);
}

STEP(step_due)
{
	struct store_in in[4];
	size_t n;

	return store_release_due(st, "a", NOW, 0, in, 4, &n, e);
}

STEP(step_released)
{
	return store_released(st, &in_id[1], 2, e);
}

STEP(step_marked)
{
	return store_marked(st, &in_id[3], 1, e);
}

STEP(step_refile)
{
	const struct store_kept_ask ask = { { 0 }, 0, 0 };
	struct store_in in[10];
	size_t n;
	enum rc rc = store_refile(st, &ask, NOW, &n, e);

	if (rc == RC_OK)
		rc = store_in_next(st, 0, in, 10, &n, e);
	if (rc == RC_OK)
		in_id[0] = in[n - 1].id;
	return rc;
}

STEP(step_refiled)
{
	const struct store_filing filing = { .sender = LABO,
	    .places = "inbox", .reports = 1, .at = NOW };

	return store_refiled(st, in_id[0], &filing, e);
}

STEP(step_inbox)
{
	struct store_inbox x[4];
	size_t n;

	return store_inbox_list(st, 0, 0, 0, x, 4, &n, e);
}

STEP(step_watch)
{
	struct buf b = BUF_INIT;
	int64_t id = 0;
	enum rc rc = store_watch_next(st, &id, &b, e);

	buf_free(&b);
	return rc;
}

STEP(step_taken)
{
	const int64_t id = 1;

	return store_watch_taken(st, &id, 1, true, NOW, NOW + 60, e);
}

#endif
