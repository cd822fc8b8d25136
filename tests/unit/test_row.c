/* Rows: sealed, bound to their key, and merged in any order (P20). */
#include "config.h"

#include <stdlib.h>

#include "unit.h"
#include "assoc.h"
#include "vault/row.h"

static const struct bytes own = {
	(const uint8_t *)A_MARTIN, sizeof(A_MARTIN) - 1
};
static const uint8_t local[KDF_KEY_BYTES] = { 7 };
static uint32_t seed = 1;

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return secret_init(&e) == RC_OK ? 0 : -1;
}

static uint32_t
next(uint32_t n)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % n;
}

static struct bytes
text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

/* One fact, always the same for one number. */
static void
learn(struct row_peer *r, uint32_t what)
{
	uint8_t key[KDF_KEY_BYTES], n = (uint8_t)(what / 8);

	memset(key, n, sizeof(key));
	switch (what % 8) {
	case 0:
		r->min = n > r->min ? n : r->min;
		break;
	case 1:
		r->direct = true;
		break;
	case 2:
		r->shown_year = 2020U + n > r->shown_year ?
		    (uint16_t)(2020 + n) : r->shown_year;
		break;
	case 3:
	case 4:
		row_bar(r, (uint8_t)(1 + n % 12), (uint8_t)(1 + n));
		break;
	case 5:
		row_enter(r, n % 3, (uint8_t)(1 + n % 2), 1,
		    text(n % 5 ? "a@b.example" : "c@d.example"),
		    text(n % 7 ? "" : "Nom"));
		break;
	default:
		row_grant(r, n % 2 ? own : text(A_DURAND),
		    (uint8_t)(1 + n % 7), (uint16_t)(2020 + n), key);
		break;
	}
}

static size_t
format(const struct row_peer *r, uint8_t *out)
{
	size_t len = row_peer_format(r, out);

	T_CHECK(len <= ROW_MAX_BYTES);
	return len;
}

/* P20: any order, any repetition, learnt one by one or merged: one row. */
static void
test_p20_any_order_gives_one_row(void **state)
{
	uint8_t *want = malloc(ROW_MAX_BYTES), *got = malloc(ROW_MAX_BYTES);
	struct row_peer *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	uint32_t facts[40];
	size_t len, n = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		n = 1 + next(40);
		memset(a, 0, sizeof(*a));
		for (size_t i = 0; i < n; i++)
			learn(a, facts[i] = next(8 * 100));
		len = format(a, want);
		for (int again = 0; again < 5; again++) {
			memset(a, 0, sizeof(*a));
			memset(b, 0, sizeof(*b));
			for (size_t i = n; i-- > 0;) {
				size_t j = next((uint32_t)i + 1);
				uint32_t f = facts[j];

				facts[j] = facts[i];
				facts[i] = f;
				learn(next(2) ? a : b, f);
				learn(next(2) ? a : b, facts[i + next(
				    (uint32_t)(n - i))]);
			}
			row_merge(a, b);
			row_merge(a, b);
			T_CHECK(format(a, got) == len);
			assert_memory_equal(got, want, len);
			row_merge(b, a);
			T_CHECK(format(b, got) == len);
			assert_memory_equal(got, want, len);
		}
	}
	free(want);
	free(got);
	free(a);
	free(b);
}

static void
test_formats_and_parses_back(void **state)
{
	uint8_t *one = malloc(ROW_MAX_BYTES), *two = malloc(ROW_MAX_BYTES);
	struct row_peer *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	size_t len;

	(void)state;
	for (int i = 0; i < 200; i++) {
		learn(a, next(800));
		len = format(a, one);
		T_CHECK(row_peer_parse((struct bytes){ one, len }, b));
		T_CHECK(format(b, two) == len);
		assert_memory_equal(one, two, len);
		/* Each truncation, and one octet more. */
		T_CHECK(!row_peer_parse((struct bytes){ one,
		    next((uint32_t)len) }, b));
		one[len] = 0;
		T_CHECK(!row_peer_parse((struct bytes){ one, len + 1 }, b));
	}
	free(one);
	free(two);
	free(a);
	free(b);
}

static void
test_never_another_key(void **state)
{
	struct row_peer *r = calloc(1, sizeof(*r));
	uint8_t a[KDF_KEY_BYTES] = { 1 }, b[KDF_KEY_BYTES] = { 2 };

	(void)state;
	T_CHECK(row_grant(r, own, 1, 2026, a) == ROW_ADDED);
	T_CHECK(row_grant(r, own, 1, 2026, a) == ROW_HELD);
	T_CHECK(row_grant(r, own, 1, 2026, b) == ROW_CONFLICT);
	T_CHECK(row_key(r, own, 1, 2026)[0] == 1);
	T_CHECK(row_grant(r, own, 2, 2026, b) == ROW_ADDED);
	T_CHECK(row_grant(r, own, 1, 2027, b) == ROW_ADDED);
	T_CHECK(row_grant(r, text(A_DURAND), 1, 2026, b) == ROW_ADDED);
	T_CHECK(row_best(r, own, 2026, 0) == 2);
	T_CHECK(row_best(r, own, 2027, 0) == 1);
	T_CHECK(row_best(r, own, 2027, 2) == 0);
	T_CHECK(row_key(r, own, 3, 2026) == NULL);
	free(r);
}

static void
test_ruling_23_bars_of_a_replaced_desk_count_no_more(void **state)
{
	struct row_peer *r = calloc(1, sizeof(*r));

	(void)state;
	r->min = 2;
	row_bar(r, 1, 255);
	T_CHECK(row_min(r, 0) == 255 && row_min(r, 1) == 255);
	T_CHECK(row_min(r, 2) == 2);
	row_bar(r, 2, 3);
	T_CHECK(row_min(r, 2) == 3 && row_min(r, 3) == 2);
	free(r);
}

static void
test_ruling_24_bulletins_by_desk_then_number(void **state)
{
	static const struct {
		uint8_t		desk;
		uint32_t	number;
	} seq[] = { { 1, 900 }, { 2, 1 }, { 1, 901 }, { 2, 3 }, { 2, 2 } };
	int order[5] = { 0, 1, 2, 3, 4 };

	(void)state;
	for (int n = 0; n < 100; n++) {
		struct row_self a = { 0 }, b = { 0 };

		for (size_t i = 5; i-- > 0;) {
			size_t j = next((uint32_t)i + 1);
			int k = order[j];

			order[j] = order[i];
			order[i] = k;
			row_bulletin(next(2) ? &a : &b, seq[k].desk,
			    seq[k].number, 1000 + k);
		}
		row_self_merge(&a, &b);
		T_CHECK(a.desk == 2 && a.bulletin == 3);
		assert_int_equal(a.bulletin_at, 1003);
	}
}

/* Of more than fit the same ones stay, in whatever order they came. */
static void
test_associations_met_in_any_order(void **state)
{
	uint8_t out[2][ROW_MAX_BYTES];

	(void)state;
	for (int n = 0; n < 100; n++) {
		struct row_self r[2] = { { .desk = 1 }, { .desk = 1 } }, back;
		uint32_t skip = 1 + 2 * next(10);
		char name[ROW_ASSOC_BYTES] = "a";

		for (uint32_t i = 0; i < 20; i++) {
			name[1] = (char)('a' + i);
			row_meet(&r[0], text(name));
			name[1] = (char)('a' + i * skip % 20);
			if (skip == 5 || skip == 15)
				name[1] = (char)('t' - i);
			row_meet(&r[1], text(name));
			row_meet(&r[1], text(name));
		}
		row_self_merge(&r[1], &r[0]);
		assert_int_equal(r[0].nassocs, ROW_ASSOCS_MAX);
		T_STR(r[0].assocs[0], "aa");
		T_STR(r[0].assocs[ROW_ASSOCS_MAX - 1], "ap");
		assert_int_equal(row_self_format(&r[0], out[0]),
		    row_self_format(&r[1], out[1]));
		T_CHECK(row_self_parse((struct bytes){ out[0],
		    row_self_format(&r[1], out[0]) }, &back));
		assert_memory_equal(back.assocs, r[1].assocs,
		    sizeof(back.assocs));
	}
}

/* A row as no merge ever made it is no row: names ascend, and none is empty. */
static void
test_associations_out_of_order_are_no_row(void **state)
{
	static const struct {
		const char	*names;
		size_t		 len;
		bool		 ok;
	} rows[] = {
		{ "\1a\1b", 4, true },
		{ "\1b\1a", 4, false },
		{ "\1a\1a", 4, false },
		{ "\0\1a", 3, false },
		{ "\1a\2b\0", 5, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row_self r = { 0 };
		uint8_t out[ROW_MAX_BYTES];
		size_t len = row_self_format(&r, out);

		out[len - 1] = 2;
		memcpy(out + len, rows[i].names, rows[i].len);
		len += rows[i].len;
		T_CHECK(row_self_parse((struct bytes){ out, len }, &r) ==
		    rows[i].ok);
	}
}

/* Rows of an empty peer and an empty self, one octet of which is another; the
 * octets are those of row_peer_format() and row_self_format(). */
static void
test_a_row_that_is_none(void **state)
{
	static const struct {
		size_t	at;
		uint8_t	octet;
	} peer[] = { { 0, 9 }, { 1, 9 }, { 7, ROW_BARS_MAX + 1 }, { 7, 1 },
	    { 8, 1 }, { 9, 1 }, { 9, 255 } },
	    self[] = { { 0, 9 }, { 1, 9 }, { 23, ROW_ASSOCS_MAX + 1 },
	    { 23, 1 } };
	struct row_peer *r = calloc(1, sizeof(*r));
	struct row_self x = { 0 };
	uint8_t *out = malloc(ROW_MAX_BYTES), was;
	size_t len = row_peer_format(r, out);

	(void)state;
	assert_int_equal(len, 10);
	for (size_t i = 0; i < sizeof(peer) / sizeof(peer[0]); i++) {
		was = out[peer[i].at];
		out[peer[i].at] = peer[i].octet;
		T_CHECK(!row_peer_parse((struct bytes){ out, len }, r));
		out[peer[i].at] = was;
	}
	T_CHECK(row_peer_parse((struct bytes){ out, len }, r));
	len = row_self_format(&x, out);
	assert_int_equal(len, 24);
	for (size_t i = 0; i < sizeof(self) / sizeof(self[0]); i++) {
		was = out[self[i].at];
		out[self[i].at] = self[i].octet;
		T_CHECK(!row_self_parse((struct bytes){ out, len }, &x));
		out[self[i].at] = was;
	}
	T_CHECK(row_self_parse((struct bytes){ out, len }, &x));
	free(out);
	free(r);
}

/* Texts of a directory line: not longer than there is room, no NUL. */
static void
test_texts_of_a_row(void **state)
{
	struct row_peer *r = calloc(1, sizeof(*r));
	uint8_t *out = malloc(ROW_MAX_BYTES), *route;
	struct buf sealed = BUF_INIT;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	row_enter(r, 1, 1, 1, text("a@b.example"), text("Nom"));
	len = row_peer_format(r, out);
	route = memchr(out, 'a', len);
	T_CHECK(row_peer_parse((struct bytes){ out, len }, r));
	*route = '\0';
	T_CHECK(!row_peer_parse((struct bytes){ out, len }, r));
	route[-1] = 255;
	memset(route, 'x', 300);
	T_CHECK(!row_peer_parse((struct bytes){ out, 600 }, r));
	/* Larger than any row of ours. */
	T_CHECK(buf_reserve(&sealed, ROW_MAX_BYTES + 1));
	memset(sealed.p, 0, ROW_MAX_BYTES + 1);
	T_RC(row_open(local, "x", (struct bytes){ sealed.p,
	    ROW_MAX_BYTES + 1 }, out, &len, &e), RC_INPUT);
	T_CHECK(len == 0);
	buf_free(&sealed);
	free(out);
	free(r);
}

/* Of two lines sealed at once, the same one stays whichever comes first. */
static void
test_lines_of_one_moment(void **state)
{
	static const struct {
		uint8_t		 gen, flags;
		const char	*route, *show;
	} lines[] = { { 1, 1, "a@b.example", "" }, { 1, 1, "a@b.example",
	    "A" }, { 1, 1, "c@b.example", "" }, { 1, 2, "a@b.example", "" },
	    { 2, 1, "a@b.example", "" } };
	struct row_peer *r = calloc(1, sizeof(*r));

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++) {
			size_t last = i > j ? i : j;

			memset(r, 0, sizeof(*r));
			row_enter(r, 7, lines[i].gen, lines[i].flags,
			    text(lines[i].route), text(lines[i].show));
			row_enter(r, 7, lines[j].gen, lines[j].flags,
			    text(lines[j].route), text(lines[j].show));
			T_STR(r->route, lines[last].route);
			T_STR(r->show, lines[last].show);
			T_CHECK(r->entry_gen == lines[last].gen &&
			    r->entry_flags == lines[last].flags);
		}
	free(r);
}

/* Of row and directory the later line holds, of one moment the row's. */
static void
test_the_later_line_holds(void **state)
{
	const struct identity id = assoc_id(A_MARTIN),
	    other = assoc_id(A_LABO);
	struct row_peer *r = calloc(1, sizeof(*r));
	struct ring *ring = ring_new(0);
	struct err e = ERR_INIT;
	struct ring_entry x;

	(void)state;
	T_CHECK(!row_entry(NULL, ring, &id, &x) && !row_entry(r, ring, &id,
	    &x));
	T_CHECK(x.route[0] == '\0' && x.show[0] == '\0');
	T_RC(ring_enter(ring, 1, 5, &id, text("ring@b.example"),
	    text("Ring"), &e), RC_OK);
	T_CHECK(row_entry(NULL, ring, &id, &x) && row_entry(r, ring, &id,
	    &x));
	T_STR(x.route, "ring@b.example");
	for (int64_t at = 4; at <= 6; at++) {
		memset(r, 0, sizeof(*r));
		row_enter(r, at, 1, 2, text("row@b.example"), text("Row"));
		T_CHECK(row_entry(r, ring, &id, &x));
		T_STR(x.route, at < 5 ? "ring@b.example" : "row@b.example");
		T_STR(x.show, at < 5 ? "Ring" : "Row");
		T_CHECK(x.at == (at < 5 ? 5 : at) && x.flags ==
		    (at < 5 ? 1 : 2));
		T_CHECK(row_entry(r, ring, &other, &x));
		T_STR(x.show, "Row");
	}
	ring_free(&ring);
	free(r);
}

static void
test_sealed_rows_are_bound_to_their_key(void **state)
{
	uint8_t out[ROW_MAX_BYTES], other[KDF_KEY_BYTES] = { 8 };
	struct buf b = BUF_INIT, c = BUF_INIT;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	T_RC(row_seal(local, "demo/a@b.example", text("content"), &b, &e),
	    RC_OK);
	T_RC(row_seal(local, "demo/a@b.example", text("content"), &c, &e),
	    RC_OK);
	T_CHECK(memcmp(b.p, c.p, b.len) != 0);
	T_RC(row_open(local, "demo/a@b.example", (struct bytes){ b.p, b.len },
	    out, &len, &e), RC_OK);
	T_CHECK(len == 7 && memcmp(out, "content", 7) == 0);
	T_RC(row_open(local, "demo/a@c.example", (struct bytes){ b.p, b.len },
	    out, &len, &e), RC_INPUT);
	T_RC(row_open(other, "demo/a@b.example", (struct bytes){ b.p, b.len },
	    out, &len, &e), RC_INPUT);
	for (size_t i = 0; i < b.len; i++) {
		b.p[i] ^= 1;
		T_RC(row_open(local, "demo/a@b.example", (struct bytes){ b.p,
		    b.len }, out, &len, &e), RC_INPUT);
		b.p[i] ^= 1;
		T_RC(row_open(local, "demo/a@b.example", (struct bytes){ b.p,
		    i }, out, &len, &e), RC_INPUT);
		T_CHECK(len == 0);
	}
	buf_free(&b);
	buf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p20_any_order_gives_one_row),
		cmocka_unit_test(test_formats_and_parses_back),
		cmocka_unit_test(test_never_another_key),
		cmocka_unit_test(
		    test_ruling_23_bars_of_a_replaced_desk_count_no_more),
		cmocka_unit_test(test_ruling_24_bulletins_by_desk_then_number),
		cmocka_unit_test(test_associations_met_in_any_order),
		cmocka_unit_test(test_associations_out_of_order_are_no_row),
		cmocka_unit_test(test_a_row_that_is_none),
		cmocka_unit_test(test_texts_of_a_row),
		cmocka_unit_test(test_lines_of_one_moment),
		cmocka_unit_test(test_the_later_line_holds),
		cmocka_unit_test(test_sealed_rows_are_bound_to_their_key),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
