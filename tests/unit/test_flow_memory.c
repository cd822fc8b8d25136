/* Memory ends at each word of what the passes say to people and to one
 * another: nothing is said by half that goes on as if it were whole. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate_unit.h"
#include "no_memory.h"

#include "document/hprim.h"
#include "flow/alarm_text.h"
#include "flow/clerk_report.h"
#include "flow/field.h"
#include "flow/ipc.h"
#include "flow/keeper.h"
#include "flow/metrics.h"
#include "flow/outmail.h"
#include "flow/patients.h"
#include "flow/sealing.h"

static struct buf whole;	/* of the run before */

/* Appended whole, and then the same each time. */
static enum rc
all_of(bool ok, struct buf *out, struct err *e)
{
	if (!ok) {
		buf_free(out);
		return err_nomem(e);
	}
	if (whole.len > 0)
		T_CHECK(whole.len == out->len &&
		    memcmp(whole.p, out->p, out->len) == 0);
	buf_free(&whole);
	whole = *out;
	return RC_OK;
}

static void
each(const char *name, enum rc (*act)(struct err *e))
{
	buf_free(&whole);
	T_RC(act(&(struct err)ERR_INIT), RC_OK);
	T_CHECK(whole.len > 0);
	T_CHECK(each_allocation(name, act) > 0);
	buf_free(&whole);
}

/* ---- to people --------------------------------------------------------- */

static struct store_alarm alarms[2 * (STORE_RULE_N - 1)];

/* One of each kind that lasts, and one that is over. */
static void
make_alarms(void)
{
	for (int i = 0; i < STORE_RULE_N - 1; i++) {
		struct store_alarm *a = &alarms[i];

		a->rule = (enum store_rule)(i + 1);
		snprintf(a->subject, sizeof(a->subject), "%s",
		    a->rule == STORE_RULE_CLOCK ? "" :
		    "demo/dr.martin@cabinet.example");
		a->since = NOW;
		a->n = 2;
		snprintf(a->text, sizeof(a->text), "why");
		alarms[STORE_RULE_N - 1 + i] = *a;
		alarms[STORE_RULE_N - 1 + i].ended_at = NOW + 60;
	}
}

static enum rc
news(struct err *e)
{
	struct buf b = BUF_INIT;

	return all_of(alarm_news(alarms, 2 * (STORE_RULE_N - 1),
	    "labo@fai.example", &b), &b, e);
}

static enum rc
day_mail(struct err *e)
{
	const struct alarm_digest d = { .now = NOW,
	    .from = "labo@fai.example", .to = "anne@fai.example",
	    .alarms = alarms, .n = STORE_RULE_N - 1,
	    .ended = alarms + STORE_RULE_N - 1, .nended = STORE_RULE_N - 1,
	    .all = STORE_RULE_N + 3 };
	struct buf b = BUF_INIT;

	return all_of(alarm_mail(&d, &b), &b, e);
}

static enum rc
quiet_day_mail(struct err *e)
{
	const struct alarm_digest d = { .now = NOW,
	    .from = "labo@fai.example", .to = "anne@fai.example" };
	struct buf b = BUF_INIT;

	return all_of(alarm_mail(&d, &b), &b, e);
}

static enum rc
figures(struct err *e)
{
	const struct metrics m = { .keys = { { "demo/a@b.example", NOW,
	    false } }, .nkeys = 1 };
	struct buf b = BUF_INIT;

	return all_of(metrics_say(&m, &b), &b, e);
}

static enum rc
marks(struct err *e)
{
	struct field f = { .address = "" };
	struct buf b = BUF_INIT;

	memset(f.flag, true, sizeof(f.flag));
	return all_of(field_say(&f, &b), &b, e);
}

static void
test_to_people(void **state)
{
	(void)state;
	make_alarms();
	each("news", news);
	each("mail", day_mail);
	each("quiet mail", quiet_day_mail);
	each("figures", figures);
	each("marks", marks);
}

/* ---- to one another ---------------------------------------------------- */

static enum rc
verdict(struct err *e)
{
	/* static: what lies between their parts is the same each time */
	static struct gate_ack ack = { .state = GATE_ACK_OPENED };
	static struct gate_route route = { .name = "demo/a@b.example" };
	static struct gate_alarm alarm = { GATE_AL_DENIED,
		"demo/x@y.example" };
	static uint8_t octets[1] = { 'x' };
	static struct gate_row row = { "self", { octets, 1, 1 } };
	struct gate_verdict v, back;
	struct buf b = BUF_INIT;
	struct rd r;
	bool ok;

	memset(&v, 0, sizeof(v));
	v.acks = v.relayed_acks = &ack;
	v.routes = &route;
	v.alarms = &alarm;
	v.rows = &row;
	v.nacks = v.nrelayed_acks = v.nroutes = v.nalarms = v.nrows = 1;
	ok = verdict_pack(&b, &v);
	r = rd_of(b.p, b.len);
	if (ok) {
		ok = verdict_unpack(&r, &back);
		T_CHECK(!ok || rd_done(&r));
		verdict_free(&back);
	}
	wipe(b.p, b.len < sizeof(v) ? b.len : sizeof(v));	/* pointers */
	return all_of(ok, &b, e);
}

static enum rc
order(struct err *e)
{
	static struct gate_ack ack = { .state = GATE_ACK_OPENED };
	static char names[1][GATE_ID_BYTES] = { "demo/a@b.example" };
	struct flow_seal s, back;
	struct buf b = BUF_INIT;
	struct rd r;
	bool ok;

	memset(&s, 0, sizeof(s));
	s.acks = s.relayed_acks = &ack;
	s.routes = names;
	s.nacks = s.nrelayed_acks = s.nroutes = 1;
	ok = seal_pack(&b, &s);
	r = rd_of(b.p, b.len);
	if (ok) {
		ok = seal_unpack(&r, &back);
		T_CHECK(!ok || rd_done(&r));
		seal_free(&back);
	}
	wipe(b.p, b.len < sizeof(s) ? b.len : sizeof(s));
	return all_of(ok, &b, e);
}

static enum rc
failure(struct err *e)
{
	struct err why = ERR_INIT;
	struct buf b = BUF_INIT;

	err_class(&why, EC_BARRED, "why");
	return all_of(pack_err(&b, RC_INPUT, &why), &b, e);
}

static struct gate *labo;

/* Names as the clerk says them become digests, in the vault. */
static enum rc
patients(struct err *e)
{
	struct buf forms = BUF_INIT, b = BUF_INIT;
	bool ok = buf_add32(&forms, 2) && pack_str(&forms, "MARTIN ANNE") &&
	    pack_str(&forms, "19500101") && pack_str(&forms, "PETIT") &&
	    pack_str(&forms, "");
	enum rc rc = ok ? patients_add(labo, (struct bytes){ forms.p,
	    forms.len }, &b, &ok, e) : RC_OK;

	buf_free(&forms);
	T_RC(rc, RC_OK);
	return all_of(ok, &b, e);
}

/* Two digests as the keeper reads them. */
static enum rc
unpacked(struct err *e)
{
	static const uint8_t one[2 * STORE_PATIENT_BYTES + 2] = { 1, 1, 7 };
	struct buf b = BUF_INIT;
	struct store_patient *p;
	struct rd r;
	size_t n = 0;
	bool ok = buf_add(&b, one, sizeof(one)) &&
	    buf_add(&b, one, sizeof(one));

	if (ok) {
		r = rd_of(b.p, b.len);
		ok = patients_unpack(&r, &p, &n);
		T_CHECK(!ok || (n == 2 && p[1].named && p[1].name[0] == 7));
		free(p);
	}
	return all_of(ok, &b, e);
}

static void
test_to_one_another(void **state)
{
	(void)state;
	each("verdict", verdict);
	each("order", order);
	each("failure", failure);
	each("patients", patients);
	each("unpacked", unpacked);
}

/* Patients that are none: what the clerk says is not to be trusted. */
static void
test_forms_that_are_none(void **state)
{
	struct buf forms = BUF_INIT, b = BUF_INIT;
	struct store_patient *p;
	struct err e = ERR_INIT;
	struct rd r;
	size_t n;
	bool ok = true;

	(void)state;
	T_CHECK(buf_add32(&forms, 1) && pack_str(&forms, "A") &&
	    pack_str(&forms, "B"));
	for (size_t len = 1; len < forms.len; len++)
		T_RC(patients_add(labo, (struct bytes){ forms.p, len }, &b,
		    &ok, &e), RC_TEMP);
	T_CHECK(buf_add8(&forms, 0));
	T_RC(patients_add(labo, (struct bytes){ forms.p, forms.len }, &b, &ok,
	    &e), RC_TEMP);
	put_be32(forms.p, STORE_REPORTS_MAX + 1);
	T_RC(patients_add(labo, (struct bytes){ forms.p, forms.len }, &b, &ok,
	    &e), RC_TEMP);
	T_RC(patients_add(labo, (struct bytes){ NULL, 0 }, &b, &ok, &e),
	    RC_OK);
	buf_wipe(&b);
	while (b.len < (STORE_REPORTS_MAX + 1) *
	    (2 * STORE_PATIENT_BYTES + 2U))
		T_CHECK(buf_add8(&b, 0));
	r = rd_of(b.p, b.len);
	T_CHECK(patients_unpack(&r, &p, &n));
	T_CHECK(r.bad && p == NULL && n == 0);
	buf_free(&forms);
	buf_free(&b);
}

/* ---- a mail of files --------------------------------------------------- */

static enum rc
gather(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(arg, p, len) ? RC_OK : err_nomem(e);
}

static enum rc
mail(struct err *e)
{
	static const struct outmail_part parts[2] = {
		{ "r.hpr", "text/plain", "iso-8859-1", -1,
		    { (const uint8_t *)"caf\xe9\r\n", 6 }, 0 },
		{ "\xc3\xa9 \".pdf", "application/pdf", NULL, -1,
		    { (const uint8_t *)"%PDF", 4 }, 0 } };
	const struct outmail m = { "labo@labo.example", "dr@cabinet.example",
	    "Thu, 26 Nov 2026 08:00:00 +0000", "1@labo.example",
	    "R\xc3\xa9sultats", "b0", parts, 2 };
	struct buf b = BUF_INIT;
	enum rc rc = outmail_write(&m, (struct sink){ gather, &b }, e);

	T_CHECK(rc == RC_OK || rc == RC_NOMEM);
	return all_of(rc == RC_OK, &b, e);
}

static void
test_a_mail_of_files(void **state)
{
	(void)state;
	each("mail of files", mail);
}

/* ---- a row that the vault waits for ------------------------------------ */

/* Read or not: nobody waits for a vault that waits for it. */
static void
test_a_row_that_cannot_be_read(void **state)
{
	static const struct conf conf;
	const struct pass pass = { .conf = &conf };
	const struct chan none = CHAN_INIT;
	struct pass_ends x = { none, none, none, none, none, none };
	struct keeper k = { .p = &pass, .x = &x };
	struct err e = ERR_INIT;
	struct chan vault;
	int fd[2];

	(void)state;
	k.vault.c = k.clerk.c = none;
	T_RC(chan_pair(fd, &e), RC_OK);
	chan_init(&vault, fd[0]);
	chan_init(&k.rows.c, fd[1]);
	T_RC(relays_new(&k, &e), RC_OK);
	T_RC(chan_send(&vault, IPC_ROW_GET, 0, "self", 4, &e), RC_OK);
	memory.left = 0;
	T_RC(keeper_turn(&k, 0, &e), RC_NOMEM);
	memory.left = -1;
	T_CHECK(memory.fired && k.vault.done && k.vault.rc == RC_NOMEM);
	relays_free(&k);
	chan_close(&k.rows.c);
	chan_close(&vault);
}

static int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	labo = gate_for(A_LABO);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gate_free(&labo);
	buf_free(&whole);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_people),
		cmocka_unit_test(test_to_one_another),
		cmocka_unit_test(test_forms_that_are_none),
		cmocka_unit_test(test_a_mail_of_files),
		cmocka_unit_test(test_a_row_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
