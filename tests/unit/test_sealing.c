/* Verdicts and orders between processes, and a process that is in a
 * stranger's hands: each truncation is refused, and so is what claims more. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "flow/ipc.h"
#include "flow/sealing.h"

static struct gate_ack acks[2] = { { .state = GATE_ACK_RECEIVED },
    { .state = GATE_ACK_OPENED } };
static struct gate_route routes[1] = { { .name = "demo/a@b.example" } };
static struct gate_alarm alarms[1] = { { GATE_AL_DENIED, "demo/x@y.example" }
};

static void
make(struct gate_verdict *v, struct gate_row rows[2])
{
	memset(v, 0, sizeof(*v));
	v->acks = acks;
	v->nacks = 2;
	v->relayed_acks = acks;
	v->nrelayed_acks = 1;
	v->routes = routes;
	v->nroutes = 1;
	v->alarms = alarms;
	v->nalarms = 1;
	memset(rows, 0, 2 * sizeof(*rows));
	snprintf(rows[0].key, sizeof(rows[0].key), "self");
	T_CHECK(buf_adds(&rows[0].sealed, "sealed"));
	snprintf(rows[1].key, sizeof(rows[1].key), "demo/a@b.example");
	v->rows = rows;
	v->nrows = 2;
}

static void
test_a_verdict_whole_and_cut(void **state)
{
	struct gate_verdict v, back;
	struct gate_row rows[2];
	struct buf b = BUF_INIT;
	struct rd r;

	(void)state;
	make(&v, rows);
	T_CHECK(verdict_pack(&b, &v));
	r = rd_of(b.p, b.len);
	T_CHECK(verdict_unpack(&r, &back) && rd_done(&r));
	T_CHECK(back.nacks == 2 && back.acks[1].state == GATE_ACK_OPENED);
	T_CHECK(back.nrelayed_acks == 1 && back.nroutes == 1 &&
	    back.nalarms == 1 && back.nrows == 2);
	T_STR(back.rows[1].key, "demo/a@b.example");
	T_CHECK(back.rows[0].sealed.len == 6);
	verdict_free(&back);
	for (size_t len = 0; len < b.len; len++) {
		r = rd_of(b.p, len);
		T_CHECK(!verdict_unpack(&r, &back));
		/* Nothing is lent by whoever sent it. */
		T_CHECK(back.nacks == 0 || back.acks != acks);
		verdict_free(&back);
	}
	buf_free(&rows[0].sealed);
	buf_free(&b);
}

/* A number of things that the rest could not hold, at each place of one. */
static void
test_a_verdict_that_claims_more(void **state)
{
	struct gate_verdict v, back;
	struct gate_row rows[2];
	struct buf b = BUF_INIT;
	struct rd r;
	size_t at = sizeof(v);
	const size_t sizes[] = { 2 * sizeof(acks[0]), sizeof(acks[0]),
	    sizeof(routes[0]), sizeof(alarms[0]), 0 };

	(void)state;
	make(&v, rows);
	T_CHECK(verdict_pack(&b, &v));
	for (size_t i = 0; i < 5; i++) {
		uint32_t was = get_be32(b.p + at);

		for (uint32_t n = 1; n < 1U << 15; n <<= 1) {
			put_be32(b.p + at, was + n * 100000U);
			r = rd_of(b.p, b.len);
			T_CHECK(!verdict_unpack(&r, &back));
			verdict_free(&back);
		}
		put_be32(b.p + at, was);
		at += 4 + sizes[i];
	}
	r = rd_of(b.p, b.len);
	T_CHECK(verdict_unpack(&r, &back));
	verdict_free(&back);
	buf_free(&rows[0].sealed);
	buf_free(&b);
}

static void
test_an_order_whole_and_cut(void **state)
{
	char names[2][GATE_ID_BYTES] = { "demo/a@b.example", "demo/c@d.de" };
	struct flow_seal s = { .acks = acks, .nacks = 1, .relayed_acks = acks,
	    .nrelayed_acks = 2, .routes = names, .nroutes = 2 }, back;
	struct buf b = BUF_INIT;
	struct rd r;

	(void)state;
	T_CHECK(seal_pack(&b, &s));
	r = rd_of(b.p, b.len);
	T_CHECK(seal_unpack(&r, &back) && rd_done(&r));
	T_CHECK(back.nacks == 1 && back.nrelayed_acks == 2);
	T_STR(back.routes[1], "demo/c@d.de");
	seal_free(&back);
	for (size_t len = 0; len < b.len; len++) {
		r = rd_of(b.p, len);
		T_CHECK(!seal_unpack(&r, &back));
		seal_free(&back);
	}
	buf_free(&b);
}

/* Texts without an end would be read past it, in the process of the keys. */
static void
test_texts_that_do_not_end(void **state)
{
	char names[1][GATE_ID_BYTES] = { "" };
	struct flow_seal s = { .acks = acks, .nacks = 1, .relayed_acks = acks,
	    .nrelayed_acks = 1, .routes = names, .nroutes = 1 };
	struct gate_dest d;
	struct buf b = BUF_INIT;
	struct rd r;

	(void)state;
	T_CHECK(seal_pack(&b, &s));
	memset(b.p, 'x', sizeof(s));
	memset(b.p + sizeof(s) + 4, 'x', sizeof(acks[0]));
	memset(b.p + b.len - sizeof(names), 'x', sizeof(names));
	r = rd_of(b.p, b.len);
	T_CHECK(seal_unpack(&r, &s) && s.nroutes == 1);
	T_CHECK(memchr(s.dest.own, 0, sizeof(s.dest.own)) != NULL);
	T_CHECK(memchr(s.dest.to, 0, sizeof(s.dest.to)) != NULL);
	T_CHECK(memchr(s.acks[0].name, 0, sizeof(s.acks[0].name)) != NULL);
	T_CHECK(memchr(s.routes[0], 0, sizeof(s.routes[0])) != NULL);
	seal_free(&s);
	r = rd_of(b.p, sizeof(d));
	dest_unpack(&r, &d);
	T_CHECK(rd_done(&r));
	T_CHECK(memchr(d.name, 0, sizeof(d.name)) != NULL &&
	    memchr(d.route, 0, sizeof(d.route)) != NULL &&
	    memchr(d.to_address, 0, sizeof(d.to_address)) != NULL &&
	    memchr(d.show, 0, sizeof(d.show)) != NULL);
	buf_free(&b);
}

static void
test_texts_and_errors(void **state)
{
	struct err e = ERR_INIT, said = ERR_INIT;
	struct buf b = BUF_INIT;
	char text[8];
	struct rd r;

	(void)state;
	/* As long as there is room, without a NUL. */
	T_CHECK(pack_str(&b, "1234567"));
	r = rd_of(b.p, b.len);
	unpack_str(&r, text, sizeof(text));
	T_CHECK(rd_done(&r));
	T_STR(text, "1234567");
	r = rd_of(b.p, b.len);
	unpack_str(&r, text, 7);
	T_CHECK(r.bad);
	T_STR(text, "");
	b.p[5] = '\0';
	r = rd_of(b.p, b.len);
	unpack_str(&r, text, sizeof(text));
	T_CHECK(r.bad);
	T_STR(text, "");
	buf_wipe(&b);
	T_CHECK(pack_str(&b, NULL));
	r = rd_of(b.p, b.len);
	unpack_str(&r, text, sizeof(text));
	T_CHECK(rd_done(&r));
	T_STR(text, "");
	/* An error of a kind that there is. */
	buf_wipe(&b);
	err_class(&said, EC_BARRED, "no");
	T_CHECK(pack_err(&b, RC_INPUT, &said));
	r = rd_of(b.p, b.len);
	T_RC(unpack_err(&r, &e), RC_INPUT);
	T_CHECK(e.class == EC_BARRED && rd_done(&r));
	b.p[0] = RC_NOMEM + 1;
	r = rd_of(b.p, b.len);
	T_RC(unpack_err(&r, &e), RC_TEMP);
	T_CHECK(r.bad);
	b.p[0] = RC_INPUT;
	b.p[1] = EC_N;
	r = rd_of(b.p, b.len);
	T_RC(unpack_err(&r, &e), RC_TEMP);
	for (size_t len = 0; len < b.len; len++) {
		r = rd_of(b.p, len);
		T_RC(unpack_err(&r, &e), RC_TEMP);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_verdict_whole_and_cut),
		cmocka_unit_test(test_a_verdict_that_claims_more),
		cmocka_unit_test(test_an_order_whole_and_cut),
		cmocka_unit_test(test_texts_that_do_not_end),
		cmocka_unit_test(test_texts_and_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
