#include "vault_unit.h"

static const uint8_t k1[KDF_KEY_BYTES] = { 1 }, k2[KDF_KEY_BYTES] = { 2 };

#define NAME "demo/dr.martin@cabinet.example"

/* One good value of each record that has one. */
static size_t
samples(struct rec out[16])
{
	size_t n = 0;

	out[n++] = (struct rec){ REC_META, .meta = { SEALED_AT, 7, 2026, 1 } };
	out[n++] = (struct rec){ REC_GRANT, .grant = { 2026, k1, who(DR) } };
	out[n++] = (struct rec){ REC_ACK, .ack = { k1, REC_ACK_OPENED, 9, k2,
	    { 0 } } };
	out[n++] = (struct rec){ REC_ASK, .ask = { name(NAME) } };
	out[n++] = (struct rec){ REC_DENY, .deny = { REC_DENY_EXCLUDED,
	    name(NAME) } };
	out[n++] = (struct rec){ REC_BULLETIN, .bulletin = { 0xfffffffe } };
	out[n++] = (struct rec){ REC_BAR, .bar = { 255, name(NAME) } };
	out[n++] = (struct rec){ REC_ENTRY, .entry = { REC_ENTRY_DESK,
	    who(DR), run("dr@fai.example", 14), run("H\xc3\xa9l", 4) } };
	out[n++] = (struct rec){ REC_SELF, .self = { 2026, 0, 5, INT64_MAX,
	    k1, who(DR) } };
	out[n++] = (struct rec){ REC_ROLE, .role = { REC_ROLE_WATCH,
	    who(DR) } };
	out[n++] = (struct rec){ REC_RELAYED, .relayed = { k1, 3,
	    who(LABO) } };
	out[n++] = (struct rec){ REC_ROUTE, .route = { name(NAME) } };
	out[n++] = (struct rec){ REC_RELAYED_ACK, .ack = { k1,
	    REC_ACK_REFUSED, 9, k2, name(NAME) } };
	out[n++] = (struct rec){ REC_WITNESS, .witness = { k2 } };
	return n;
}

static enum rc
parse(uint8_t type, const struct buf *v, struct rec *r)
{
	struct err e = ERR_INIT;
	enum rc rc = rec_parse(type, run(v->p, v->len), r, &e);

	T_CHECK(rc == RC_OK || (rc == RC_INPUT && e.class == EC_RECORD));
	return rc;
}

/* Value to octets to value to octets: the same, and fixed where fixed. */
static void
test_round_trip(void **state)
{
	struct rec in[16], out;
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = samples(in);
	struct rd rd;

	(void)state;
	T_CHECK(n == 14);
	for (size_t i = 0; i < n; i++) {
		buf_wipe(&a);
		buf_wipe(&b);
		T_RC(rec_add(&a, &in[i], &e), RC_OK);
		rd = rd_of(a.p, a.len);
		T_RC(rec_next(&rd, &out, &e), RC_OK);
		T_CHECK(rd.left == 0 && out.type == in[i].type);
		T_RC(rec_add(&b, &out, &e), RC_OK);
		T_CHECK(bytes_eq(run(a.p, a.len), run(b.p, b.len)));
	}
	buf_free(&a);
	buf_free(&b);
}

/* The table of 2.5, octet by octet. */
static void
test_layouts(void **state)
{
	struct rec in[16];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	samples(in);
	T_RC(rec_add(&b, &in[0], &e), RC_OK);
	assert_memory_equal(b.p, "\x01\0\0\0\x0f" "\0\0\0\0\x69\x56\x1b\x70"
	    "\0\0\0\x07\x07\xea\x01", 20);
	buf_wipe(&b);
	T_RC(rec_add(&b, &in[6], &e), RC_OK);
	assert_memory_equal(b.p, "\x07\0\0\0\x1f\xff" NAME, 36);
	buf_wipe(&b);
	T_RC(rec_add(&b, &in[7], &e), RC_OK);
	assert_memory_equal(b.p, "\x08\0\0\0\x35\x04\x20" DR
	    "\x0e" "dr@fai.example" "H\xc3\xa9l", 58);
	buf_wipe(&b);
	T_RC(rec_add(&b, &in[12], &e), RC_OK);
	T_CHECK(b.len == 5 + 73 + strlen(NAME) && b.p[5 + 32] == 0x10);
	buf_free(&b);
}

/* Fixed lengths are exact; nothing is read past the end, nothing left. */
static void
test_truncations(void **state)
{
	struct rec in[16], out;
	struct buf a = BUF_INIT, v;
	struct err e = ERR_INIT;
	size_t n = samples(in);
	struct rd rd;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		buf_wipe(&a);
		T_RC(rec_add(&a, &in[i], &e), RC_OK);
		for (size_t cut = 0; cut < a.len; cut++) {
			rd = rd_of(a.p, cut);
			T_RC(rec_next(&rd, &out, &e), RC_INPUT);
		}
		/* A name may be the beginning of another: not the others. */
		v = (struct buf){ a.p + 5, a.len - 5, a.cap };
		while (v.len-- > 0)
			if (in[i].type == REC_META || in[i].type == REC_ACK ||
			    in[i].type == REC_BULLETIN ||
			    in[i].type == REC_WITNESS)
				T_RC(parse(in[i].type, &v, &out), RC_INPUT);
		T_CHECK(buf_add8(&a, 0));
		v = (struct buf){ a.p + 5, a.len - 5, a.cap };
		T_RC(parse(in[i].type, &v, &out), RC_INPUT);
	}
	buf_free(&a);
}

/* Sets the octet at ${at} of a good value; what then? */
static enum rc
with(const struct rec *r, size_t at, uint8_t v)
{
	struct buf b = BUF_INIT, value;
	struct err e = ERR_INIT;
	struct rec out;
	enum rc rc;

	T_RC(rec_add(&b, r, &e), RC_OK);
	b.p[5 + at] = v;
	value = (struct buf){ b.p + 5, b.len - 5, b.cap };
	rc = parse(r->type, &value, &out);
	buf_free(&b);
	return rc;
}

static void
test_values(void **state)
{
	struct rec in[16];

	(void)state;
	samples(in);
	/* Dates above 2^63-1 (2.19.9). */
	T_RC(with(&in[0], 0, 0x7f), RC_OK);
	T_RC(with(&in[0], 0, 0x80), RC_INPUT);
	T_RC(with(&in[2], 33, 0x80), RC_INPUT);
	T_RC(with(&in[8], 2, 0x80), RC_INPUT);
	T_RC(with(&in[8], 10, 0x80), RC_INPUT);
	T_RC(with(&in[8], 18, 0x80), RC_INPUT);
	T_RC(with(&in[10], 32, 0x80), RC_INPUT);
	T_RC(with(&in[12], 33, 0x80), RC_INPUT);
	/* from <= send-until <= read-until */
	T_RC(with(&in[8], 9, 5), RC_OK);
	T_RC(with(&in[8], 9, 6), RC_INPUT);
	T_RC(with(&in[8], 10, 0x7f), RC_OK);
	in[8].self.read_until_at = 5;
	T_RC(with(&in[8], 25, 6), RC_OK);
	T_RC(with(&in[8], 25, 4), RC_INPUT);
	for (int v = 0; v < 256; v++) {
		bool ack = (v >= 1 && v <= 3) || v == 0x10 || v == 0x11;
		uint8_t c = (uint8_t)v;

		T_RC(with(&in[2], 32, c), ack ? RC_OK : RC_INPUT);
		T_RC(with(&in[12], 32, c), ack ? RC_OK : RC_INPUT);
		T_RC(with(&in[4], 0, c), v >= 1 && v <= 3 ? RC_OK : RC_INPUT);
		T_RC(with(&in[6], 0, c), v >= 1 ? RC_OK : RC_INPUT);
		T_RC(with(&in[7], 0, c), v <= 4 ? RC_OK : RC_INPUT);
		T_RC(with(&in[9], 0, c), v >= 1 && v <= 3 ? RC_OK : RC_INPUT);
	}
	/* The grammar of identities holds inside. */
	T_RC(with(&in[1], 34, 'D'), RC_INPUT);
	T_RC(with(&in[3], 0, 'D'), RC_INPUT);
	T_RC(with(&in[7], 2, 'D'), RC_INPUT);
	T_RC(with(&in[11], 4, '#'), RC_INPUT);
	T_RC(with(&in[7], 1, 31), RC_INPUT);
	T_RC(with(&in[7], 34, 255), RC_INPUT);
}

static enum rc
entry(const char *route, const char *display, size_t dlen)
{
	struct rec r = { REC_ENTRY, .entry = { REC_ENTRY_OTHER, who(DR),
	    run(route, strlen(route)), run(display, dlen) } };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	enum rc rc = rec_add(&b, &r, &e);

	T_CHECK(rc == RC_OK || (rc == RC_INPUT && b.len == 0));
	buf_free(&b);
	return rc;
}

static void
test_entries(void **state)
{
	static const char *const bad[] = {
		"dr", "@x", "dr@", "d@r@x", "d r@x", "d\rr@x", "d\xc3\xa9@x",
		"<dr@x>", "dr@x>", "\"d\"@x", "d,e@x", "dr@x;", "d\x7f@x",
	};
	char s[260];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(entry(bad[i], "x", 1), RC_INPUT);
	T_RC(entry("", "", 0), RC_OK);
	T_RC(entry("Dr+Tag@Localhost", "", 0), RC_OK);
	memset(s, 'x', sizeof(s));
	s[1] = '@';
	s[254] = '\0';
	T_RC(entry(s, "x", 1), RC_OK);
	s[254] = 'x';
	s[255] = '\0';
	T_RC(entry(s, "x", 1), RC_INPUT);
	T_RC(entry("a@b", s, 200), RC_OK);
	T_RC(entry("a@b", s, 201), RC_INPUT);
	T_RC(entry("a@b", "\xe9", 1), RC_INPUT);
	T_RC(entry("a@b", "a\nb", 3), RC_INPUT);
	T_RC(entry("a@b", "a\0b", 3), RC_INPUT);
	T_RC(entry("a@b", "\xc2\x85", 2), RC_INPUT);
}

static void
test_types(void **state)
{
	struct rec r;
	struct buf none = BUF_INIT;

	(void)state;
	for (int t = 0; t < 256; t++) {
		uint8_t type = (uint8_t)t;

		if (rec_known(type)) {
			T_CHECK(!rec_skipped(type));
			T_CHECK(strcmp(rec_name(type), "?") != 0);
			T_RC(parse(type, &none, &r), RC_INPUT);
		} else {
			T_CHECK(rec_skipped(type) == (t >= 0x80 && t < 0xff));
			T_RC(parse(type, &none, &r),
			    rec_skipped(type) ? RC_OK : RC_INPUT);
		}
	}
	T_STR(rec_name(REC_RELAYED_ACK), "RELAYED-ACK");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
