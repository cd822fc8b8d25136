/* Memory ends at each allocation of each call of the gate: it says so, gives
 * nothing away, and the same call again does what it would have done. */
#include "config.h"

#include "gate_unit.h"
#include "no_memory.h"
#include "vault/keyfile.h"

#define MARTIN "dr.martin@cabinet.example"
#define PETIT "infirmiere.petit@petit.example"
#define PETIT_NAME "demo/infirmiere.petit@petit.example"
#define DURAND "demo/cabinet.durand@durand.example"

static struct gate *labo, *martin, *hub, *petit, *watch;
static struct rows r_labo, r_martin, r_hub, r_petit, r_watch;
static struct buf env, control;

static int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	labo = gate_for(A_LABO);
	martin = gate_for(A_MARTIN);
	hub = gate_for(A_HUB);
	petit = gate_for(A_PETIT);
	watch = gate_for(A_WATCH);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gate_free(&labo);
	gate_free(&martin);
	gate_free(&hub);
	gate_free(&petit);
	gate_free(&watch);
	rows_free(&r_labo);
	rows_free(&r_martin);
	rows_free(&r_hub);
	rows_free(&r_petit);
	rows_free(&r_watch);
	buf_free(&env);
	buf_free(&control);
	return 0;
}

/* ---- callers whose own memory may end too ------------------------------ */

static enum rc
put(void *arg, const void *p, size_t len, struct err *e)
{
	return buf_add(arg, p, len) ? RC_OK : err_nomem(e);
}

static enum rc
get(void *arg, const char *key, struct buf *out, struct err *e)
{
	const struct gate_row *r = rows_find(arg, key);

	return r == NULL || buf_add(out, r->sealed.p, r->sealed.len) ?
	    RC_OK : err_nomem(e);
}

static struct gate_rows
lent(struct rows *rows, bool keep)
{
	return (struct gate_rows){ get, rows, keep };
}

/* Open ${in}; nothing of it is committed, and nothing is remembered. */
static enum rc
opened(struct gate *g, struct rows *rows, enum gate_mode mode,
    const struct buf *in, struct buf *out, struct err *e)
{
	const struct gate_open_args args = { mode, lent(rows, true), NOW };
	const struct gate_sink sink = { put, out };
	struct gate_verdict v;
	struct gate_head head;
	struct gate_open *o;
	enum rc rc;

	buf_wipe(out);
	gate_forget(g);
	rc = gate_open_begin(g, &args, in->p, in->len < GATE_HEADER_MAX ?
	    in->len : GATE_HEADER_MAX, &head, &o, e);
	if (rc != RC_OK)
		return rc;
	gate_open_flag(o, GATE_F_DUPLICATE);
	rc = gate_open_body(o, in->p + head.len, in->len - head.len, &sink,
	    e);
	if (rc == RC_OK || rc == RC_NOMEM)
		rc = gate_open_end(o, &sink, &v, e);
	if (rc != RC_OK && (v.nrows > 0 || v.nacks > 0 || v.nroutes > 0))
		fail_msg("a verdict of what did not open");
	gate_open_free(&o);
	return rc;
}

/* Seal ${mail} (NULL: none) as ${args} say more, into ${out}. */
static enum rc
sealed(struct gate *g, struct rows *rows, const char *who, const char *mail,
    struct gate_seal_args *args, struct buf *out, struct err *e)
{
	const struct gate_resolve_args whom = { .who = who,
	    .rows = lent(rows, false), .now = NOW };
	const struct gate_sink sink = { put, out };
	struct gate_dest dest;
	struct gate_seal *s;
	uint8_t t[GATE_T_BYTES];
	enum rc rc;

	gate_forget(g);
	buf_free(out);
	if ((rc = gate_resolve(g, &whom, &dest, e)) != RC_OK)
		return rc;
	args->dest = &dest;
	args->rows = lent(rows, false);
	args->at = NOW;
	if (mail == NULL)
		return gate_seal_control(g, args, out, t, e);
	args->has_mail = true;
	args->mail_len = strlen(mail);
	kdf_hash_of(mail, (size_t)args->mail_len, args->d);
	if ((rc = gate_seal_begin(g, args, out, t, &s, e)) != RC_OK)
		return rc;
	rc = gate_seal_mail(s, mail, (size_t)args->mail_len, &sink, e);
	if (rc == RC_OK)
		rc = gate_seal_end(s, &sink, e);
	gate_seal_free(&s);
	return rc;
}

/* ---- mail -------------------------------------------------------------- */

static enum rc
seal_mail(struct err *e)
{
	static const struct gate_ack acks[2] = {
		{ .t = { 1 }, .state = GATE_ACK_RECEIVED, .at = NOW },
		{ .t = { 2 }, .state = GATE_ACK_OPENED, .at = NOW } };
	struct gate_seal_args args = { .acks = acks, .nacks = 2 };

	return sealed(labo, &r_labo, MARTIN, MAIL_LABO, &args, &env, e);
}

static enum rc
open_mail(struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc = opened(martin, &r_martin, GATE_DELIVER, &env, &out, e);

	if (rc == RC_OK)
		T_CHECK(out.len > sizeof(MAIL_LABO) - 1 && memcmp(out.p +
		    out.len - (sizeof(MAIL_LABO) - 1), MAIL_LABO,
		    sizeof(MAIL_LABO) - 1) == 0);
	buf_free(&out);
	return rc;
}

static enum rc
open_raw(struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc = opened(martin, &r_martin, GATE_RAW, &env, &out, e);

	buf_free(&out);
	return rc;
}

static void
test_mail(void **state)
{
	(void)state;
	T_CHECK(each_allocation("seal", seal_mail) > 2);
	T_CHECK(each_allocation("open", open_mail) > 2);
	T_CHECK(each_allocation("open raw", open_raw) > 2);
}

/* ---- through the gateway ----------------------------------------------- */

static enum rc
seal_routed(struct err *e)
{
	static const char *const routes[2] = { PETIT_NAME, DURAND };
	struct gate_seal_args args = { .routes = routes, .nroutes = 2 };

	return sealed(labo, &r_labo, PETIT, MAIL_LABO, &args, &env, e);
}

/* Opened twice and sealed for the first route, as the gateway does. */
static enum rc
relay(struct err *e)
{
	const struct gate_open_args args = { GATE_DIGEST, lent(&r_hub, true),
	    NOW };
	struct gate_verdict v;
	struct gate_head head;
	struct gate_open *o;
	struct gate_seal_args more;
	struct gate_dest none = { .year = 0 };
	struct buf mail = BUF_INIT;
	enum rc rc;

	gate_forget(hub);
	if ((rc = gate_open_begin(hub, &args, env.p, env.len <
	    GATE_HEADER_MAX ? env.len : GATE_HEADER_MAX, &head, &o, e)) !=
	    RC_OK)
		return rc;
	rc = gate_open_body(o, env.p + head.len, env.len - head.len, NULL, e);
	if (rc == RC_OK)
		rc = gate_open_end(o, NULL, &v, e);
	if (rc == RC_OK)
		rc = opened(hub, &r_hub, GATE_RELAY, &env, &mail, e);
	if (rc == RC_OK && buf_str(&mail) == NULL)
		rc = err_nomem(e);
	if (rc == RC_OK) {
		T_CHECK(v.nroutes == 2);
		gate_relay_args(&head, &v, 0, &none, &more);
		rc = sealed(hub, &r_hub, v.routes[0].name,
		    (const char *)mail.p, &more, &control, e);
	}
	gate_open_free(&o);
	buf_free(&mail);
	return rc;
}

static enum rc
open_relayed(struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc = opened(petit, &r_petit, GATE_DELIVER, &control, &out, e);

	buf_free(&out);
	return rc;
}

static void
test_relayed(void **state)
{
	(void)state;
	T_CHECK(each_allocation("seal routed", seal_routed) > 2);
	T_CHECK(each_allocation("relay", relay) > 2);
	T_CHECK(each_allocation("open relayed", open_relayed) > 2);
}

/* ---- what records change ----------------------------------------------- */

static enum rc
seal_bulletin(struct err *e)
{
	static const struct gate_bar bars[2] = { { DURAND, 2 },
		{ "demo/x@y.example", 255 } };
	struct gate_seal_args args = { .bulletin = 7, .bars = bars,
	    .nbars = 2 };

	return sealed(watch, &r_watch, MARTIN, NULL, &args, &env, e);
}

static enum rc
open_control(struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc = opened(martin, &r_martin, GATE_DELIVER, &env, &out, e);

	T_CHECK(out.len == 0);
	buf_free(&out);
	return rc;
}

/* The issuer's: a key, another one for whom we have one, a directory line. */
static void
forge_changes(void)
{
	static const uint8_t key[KDF_KEY_BYTES] = { 7 };
	struct rec r = { .type = REC_GRANT };

	rec_meta(&control, NOW, 9, A_YEAR);
	r.grant = (struct rec_grant){ A_YEAR, key,
	    assoc_id("demo/nouveau@neuf.example#1") };
	rec_to(&control, &r);
	r.grant.peer = assoc_id(A_LABO);
	rec_to(&control, &r);
	r = (struct rec){ .type = REC_ENTRY };
	r.entry.flag = REC_ENTRY_PRACTICE;
	r.entry.id = assoc_id("demo/nouveau@neuf.example#1");
	r.entry.route = (struct bytes){ (const uint8_t *)"a@b.example", 11 };
	r.entry.display = (struct bytes){ (const uint8_t *)"Dr Neuf", 7 };
	rec_to(&control, &r);
	forge(A_ISSUER, A_MARTIN, A_YEAR, &control, NULL, &env);
}

static void
test_changes(void **state)
{
	(void)state;
	T_CHECK(each_allocation("seal bulletin", seal_bulletin) > 2);
	T_CHECK(each_allocation("open bulletin", open_control) > 2);
	buf_wipe(&control);
	forge_changes();
	T_CHECK(each_allocation("open changes", open_control) > 2);
}

/* ---- whom one can write to, and what is held --------------------------- */

static enum rc
resolve(struct err *e)
{
	static const char whole[] = "demo/" MARTIN;
	static const char *const who[] = { MARTIN, whole, A_MARTIN, PETIT };
	struct gate_resolve_args args = { .rows = lent(&r_labo, true),
	    .now = NOW };
	struct gate_dest d;
	enum rc rc = RC_OK;

	gate_forget(labo);
	for (size_t i = 0; rc == RC_OK && i < 4; i++) {
		args.who = who[i];
		rc = gate_resolve(labo, &args, &d, e);
	}
	args.who = "dr martin";
	args.shown = true;
	return rc != RC_OK ? rc : gate_resolve(labo, &args, &d, e);
}

static enum rc
ask(struct err *e)
{
	const struct gate_rows rows = lent(&r_watch, false);
	struct gate_head head;
	struct gate_facts f;
	struct gate_dest d;
	bool barred;
	enum rc rc;

	gate_forget(martin);
	memset(&head, 0, sizeof(head));
	snprintf(head.sender, sizeof(head.sender), "%s", A_LABO);
	snprintf(head.recipient, sizeof(head.recipient), "%s", A_MARTIN);
	head.year = A_YEAR;
	if ((rc = gate_reply(martin, &head, &rows, NOW, &d, e)) != RC_OK)
		return rc;
	gate_forget(watch);
	if ((rc = gate_facts(watch, &rows, &f, e)) != RC_OK)
		return rc;
	return gate_self_barred(watch, &rows, 0, &barred, e);
}

static enum rc
write_self(struct err *e)
{
	const struct gate_rows rows = lent(&r_watch, false);
	struct gate_barring x;
	struct gate_row row;
	struct buf renewed = BUF_INIT;
	enum rc rc;

	gate_forget(watch);
	if ((rc = gate_issued(watch, &rows, 7, NOW, &row, e)) != RC_OK)
		return rc;
	gate_row_free(&row);
	if ((rc = gate_restored(watch, &rows, NOW, &row, e)) != RC_OK)
		return rc;
	rc = gate_row_renew(watch, row.key, &row.sealed, &renewed, e);
	gate_row_free(&row);
	buf_free(&renewed);
	if (rc != RC_OK)
		return rc;
	rc = gate_bar(watch, &rows, DURAND, 2, NOW, &x, e);
	gate_row_free(&x.row);
	return rc;
}

static void
test_asked(void **state)
{
	struct gate_rows rows = rows_of(&r_watch);
	struct gate_barring x;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(gate_bar(watch, &rows, DURAND, 2, NOW, &x, &e), RC_OK);
	rows_put(&r_watch, &x.row);
	gate_row_free(&x.row);
	each_allocation("resolve", resolve);
	each_allocation("ask", ask);
	each_allocation("write self", write_self);
	rows_free(&r_watch);
	each_allocation("write self", write_self);
}

static enum rc
spool(struct err *e)
{
	struct buf out = BUF_INIT, back = BUF_INIT;
	const struct gate_sink to = { put, &out }, from = { put, &back };
	struct gate_spool *s = gate_spool_new();
	struct gate_sum *sum = s == NULL ? NULL : gate_sum_new();
	enum rc rc = sum == NULL ? err_nomem(e) : gate_spool_put(s,
	    MAIL_LABO, sizeof(MAIL_LABO), &to, e);

	if (rc == RC_OK)
		rc = gate_spool_turn(s, &to, e);
	for (int i = 0; rc == RC_OK && i < 2; i++) {
		buf_wipe(&back);
		rc = gate_spool_get(s, out.p, out.len, &from, e);
		if (rc == RC_OK)
			rc = gate_spool_end(s, &from, e);
		T_CHECK(rc != RC_OK || (back.len == sizeof(MAIL_LABO) &&
		    memcmp(back.p, MAIL_LABO, back.len) == 0));
	}
	gate_sum_free(&sum);
	gate_spool_free(&s);
	buf_free(&out);
	buf_free(&back);
	return rc;
}

static void
test_spool(void **state)
{
	(void)state;
	T_CHECK(each_allocation("spool", spool) > 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_relayed),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_spool),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
