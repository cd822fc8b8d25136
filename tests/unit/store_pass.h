/* One pass through every intent, and what must hold however it ended. */
#ifndef SC_TESTS_STORE_PASS_H
#define SC_TESTS_STORE_PASS_H

#include "store_unit.h"

#include <sys/mman.h>

#define MAILS 4
#define T_ACKED 500

/*
 * What the process says it was told, in memory that outlives it. Each is set
 * only after the call that promised it has returned.
 */
struct told {
	bool	put, intent, delivered[MAILS], held, released;
	bool	submitted, sent, relayed, all;
	char	error[300];
};

/* A pass: fetch, intend, deliver, hold, release; submit, relay, hear. Each
 * step looks at what is there first, as a pass after a crash does. */
static inline enum rc
pass_put(struct store *st, struct told *told, struct err *e)
{
	static uint8_t part[100000];
	struct store_in_put m[MAILS];
	enum rc rc;

	memset(m, 0, sizeof(m));
	for (uint32_t i = 0; i < MAILS; i++) {
		m[i].uid = make_uid(1, i + 1);
		m[i].body.p = part;
		m[i].body.len = 700;
	}
	/* the last one is large, in parts */
	if ((rc = store_body_begin(st, &m[MAILS - 1].body.id, e)) != RC_OK)
		return rc;
	for (int i = 0; i < 6; i++)
		if ((rc = store_body_append(st, m[MAILS - 1].body.id, part,
		    sizeof(part), e)) != RC_OK)
			return rc;
	if ((rc = store_in_put(st, "a", NOW, m, MAILS, e)) == RC_OK)
		told->put = true;
	return rc;
}

static inline enum rc
pass_deliver(struct store *st, struct told *told, struct err *e)
{
	struct store_in in[MAILS];
	struct store_msg msg;
	struct store_done d;
	struct store_ack_in ack;
	struct store_patient who = { .named = true, .born = true };
	struct store_filing filing = { .sender = LABO, .places = "inbox",
	    .reports = 1, .patients = &who, .npatients = 1, .at = NOW };
	const char *names = "Maildir/new/x";
	size_t n, i;
	uint64_t t;
	enum rc rc;

	if ((rc = store_in_next(st, 0, in, MAILS, &n, e)) != RC_OK)
		return rc;
	for (i = 0; i < n; i++) {
		t = get_be32(in[i].uid.p + 4);
		if (t == 2)
			continue;
		msg = make_msg(in[i].id, t);
		/* One name, each time with another birth date. */
		who.birth[0] = (uint8_t)t;
		msg.filing = &filing;
		if ((rc = store_in_intent(st, &msg, &names, 1, e)) != RC_OK)
			return rc;
		told->intent = true;
		if (store_odd(filing.odd, 0) != (t > 1))
			return err_set(e, RC_CONF, "another answer");
		d = make_done(in[i].id, t);
		d.filed = true;
		memset(&ack, 0, sizeof(ack));
		make_t(ack.t, T_ACKED);
		make_d(ack.d, T_ACKED);
		ack.state = 2;
		ack.peer = DR;
		d.acks = &ack;
		d.nacks = t == 3;
		if ((rc = store_in_delivered(st, &d, 1, NOW, e)) != RC_OK)
			return rc;
		told->delivered[t - 1] = true;
	}
	return RC_OK;
}

static inline enum rc
pass_hold(struct store *st, struct told *told, struct err *e)
{
	struct store_in in[MAILS];
	struct store_hold h;
	size_t n;
	enum rc rc;

	if ((rc = store_in_next(st, 0, in, MAILS, &n, e)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		h = make_hold(in[i].id, EC_BODY);
		h.t_state = STORE_T_DAMAGED;
		h.ack_state = STORE_ACK_DAMAGED;
		make_t(h.t, 2);
		if ((rc = store_in_hold(st, &h, 1, NOW, e)) != RC_OK)
			return rc;
		told->held = true;
	}
	return RC_OK;
}

static inline enum rc
pass_release(struct store *st, struct told *told, struct err *e)
{
	struct store_in in[MAILS];
	int64_t ids[MAILS];
	size_t n;
	enum rc rc;

	if ((rc = store_release_due(st, "a", NOW, 0, in, MAILS, &n, e)) !=
	    RC_OK || n == 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		ids[i] = in[i].id;
	if ((rc = store_released(st, ids, n, e)) == RC_OK)
		told->released = true;
	return rc;
}

static inline enum rc
pass_send(struct store *st, struct told *told, struct err *e)
{
	struct store_out_put m[2] = { make_out(T_ACKED, DR),
		make_out(T_ACKED + 1, EVE) };
	struct store_out out[2], there;
	struct store_out_end end[2];
	int64_t submission;
	size_t n;
	enum rc rc;

	if ((rc = store_out_find(st, m[0].t, &there, e)) != RC_OK)
		return rc;
	if (there.id == 0 && (rc = store_out_submit(st, NOW, NULL, m, 2,
	    &submission, e)) != RC_OK)
		return rc;
	told->submitted = true;
	if ((rc = store_out_claim(st, "r", NOW, NOW + 900, out, 2, &n, e)) !=
	    RC_OK || n == 0)
		return rc;
	memset(end, 0, sizeof(end));
	for (size_t i = 0; i < n; i++)
		end[i].id = out[i].id;
	if ((rc = store_out_sent(st, end, n, NOW, e)) == RC_OK)
		told->sent = true;
	return rc;
}

static inline enum rc
pass(const char *dir, struct told *told)
{
	struct err e = ERR_INIT;
	struct store *st;
	bool more;
	const struct store_keep keep = { .events_s = 1, .sent_s = 99999999,
	    .hub_s = 99999999, .watch_s = 99999999, .inbox_s = 99999999,
	    .patients_s = 99999999, .budget = 10 };
	enum rc rc;

	if ((rc = store_open(dir, STORE_WRITE, &st, &e)) != RC_OK)
		goto out;
	if ((rc = pass_send(st, told, &e)) != RC_OK ||
	    (rc = pass_put(st, told, &e)) != RC_OK ||
	    (rc = pass_deliver(st, told, &e)) != RC_OK ||
	    (rc = pass_hold(st, told, &e)) != RC_OK ||
	    (rc = pass_release(st, told, &e)) != RC_OK ||
	    (rc = store_event_add(st, 1, "x", "y", &e)) != RC_OK ||
	    (rc = store_expire(st, NOW, &keep, &more, &e)) != RC_OK)
		goto out;
	told->all = true;
out:
	strcpy(told->error, e.text);
	store_close(&st);
	return rc;
}

static inline void
check_t(struct world *w, uint64_t n, enum store_t_state state)
{
	struct store_t t;
	uint8_t key[32];

	make_t(key, n);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, state);
}

/* Nothing that was told is missing. */
static inline void
check_told(struct world *w, const struct told *told)
{
	struct store_counts c;
	struct store_out out;
	uint8_t t[32];

	OK(w, store_check(w->st, &w->e));
	if (told->put)
		assert_int_equal(sql_number(w, "SELECT count(*) "
		    "FROM incoming WHERE account = 'a'"), MAILS);
	for (uint64_t i = 0; i < MAILS; i++)
		if (told->delivered[i])
			check_t(w, i + 1, STORE_T_DONE);
	if (told->held)
		check_t(w, 2, STORE_T_DAMAGED);
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	if (told->released)
		assert_int_equal(c.to_release, 0);
	if (told->submitted) {
		make_t(t, T_ACKED + 1);
		OK(w, store_out_find(w->st, t, &out, &w->e));
		assert_true(out.id != 0 && out.body != 0);
		if (told->sent)
			assert_int_equal(out.state, STORE_SENT);
	}
	/* no row without its body, no body without its row */
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body b "
	    "WHERE owner IS NULL AND NOT EXISTS (SELECT 1 FROM incoming i "
	    "WHERE i.body = b.id) AND NOT EXISTS (SELECT 1 FROM queue q "
	    "WHERE q.body = b.id)"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body b "
	    "WHERE owner IS NULL AND parts <> (SELECT count(*) "
	    "FROM body_part p WHERE p.id / 65536 = b.id)"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part p "
	    "WHERE NOT EXISTS (SELECT 1 FROM body b "
	    "WHERE b.id = p.id / 65536)"), 0);
}

/* A pass that nothing disturbs ends in this, whatever came before. */
static inline void
check_end(struct world *w)
{
	struct store_ack acks[8];
	struct store_out out;
	uint8_t t[32];
	size_t n;

	for (uint64_t i = 1; i <= MAILS; i++)
		check_t(w, i, i == 2 ? STORE_T_DAMAGED : STORE_T_DONE);
	OK(w, store_ack_list(w->st, LABO, acks, 8, &n, &w->e));
	assert_int_equal(n, MAILS);	/* one each, 0x11 too */
	make_t(t, T_ACKED);
	OK(w, store_out_find(w->st, t, &out, &w->e));
	assert_int_equal(out.ack_state, 2);
	assert_int_equal(out.body, 0);
	/* what is left: the mail not acknowledged, and what is held */
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM queue"), 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM incoming "
	    "WHERE gone = 1 AND state = 3"), MAILS - 1);
	/* each that was filed, once, and found as at its first intent */
	assert_int_equal(sql_number(w, "SELECT count(*) FROM inbox "
	    "WHERE filed = 1"), MAILS - 1);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM inbox "
	    "WHERE flags = 1"), MAILS - 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM patient"),
	    MAILS - 1);
}

/* `make check` takes samples; SCEAU_LONG=1 takes every point. */
static inline int
stride(int sample)
{
	return getenv("SCEAU_LONG") != NULL ? 1 : sample;
}

static inline struct told *
told_new(void)
{
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(t != MAP_FAILED);
	return t;
}

static inline void
fresh(struct world *w, struct told *told)
{
	world_close(w);
	dir_remove(w->dir);
	assert_int_equal(mkdir(w->dir, 0700), 0);
	memset(told, 0, sizeof(*told));
}

#endif
