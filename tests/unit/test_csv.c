/* issuer/csv: RFC 4180, strictly. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "issuer/csv.h"

/* A copy at the end of its block, so that a read beyond it is seen. */
static uint8_t *
copy(const char *text, size_t len)
{
	uint8_t *p = malloc(len > 0 ? len : 1);

	T_CHECK(p != NULL);
	memcpy(p, text, len);
	return p;
}

static void
check_rest(const char *text, size_t len, unsigned line, enum rc want)
{
	uint8_t *p = copy(text, len);
	struct err e = ERR_INIT;
	struct csv c;
	bool more = true;
	enum rc rc = RC_OK;

	csv_init(&c, p, len);
	while (rc == RC_OK && more)
		rc = csv_next(&c, &more, &e);
	T_RC(rc, want);
	if (rc != RC_OK)
		assert_int_equal(c.line, line);
	free(p);
}

static void
check_bad(const char *text, unsigned line)
{
	check_rest(text, strlen(text), line, RC_INPUT);
}

/* ${want}: fields in brackets, records on lines. */
static void
check_all(const char *text, const char *want)
{
	size_t len = strlen(text);
	uint8_t *p = copy(text, len);
	struct err e = ERR_INIT;
	struct buf got = BUF_INIT;
	struct csv c;
	bool more;

	csv_init(&c, p, len);
	for (;;) {
		T_RC(csv_next(&c, &more, &e), RC_OK);
		if (!more)
			break;
		for (size_t i = 0; i < c.n; i++)
			T_CHECK(buf_addf(&got, "[%.*s]", (int)c.field[i].len,
			    (const char *)c.field[i].p));
		T_CHECK(buf_addf(&got, "%u\n", c.line));
	}
	T_STR(buf_str(&got), want);
	buf_free(&got);
	free(p);
}

static void
test_reads_tables(void **state)
{
	(void)state;
	check_all("", "");
	check_all("a,b\n", "[a][b]1\n");
	check_all("a,b", "[a][b]1\n");
	check_all("a;b,c\nd;e\n", "[a][b,c]1\n[d][e]2\n");
	check_all("a,b;c\n", "[a][b;c]1\n");
	check_all("\xef\xbb\xbf" "a;b\r\nc;d\r\n", "[a][b]1\n[c][d]2\n");
	check_all("a\rb\r", "[a]1\n[b]2\n");
	check_all(" a\t, b c ,d \n", "[a][b c][d]1\n");
	check_all("a,\n,b\n", "[a][]1\n[][b]2\n");
	check_all("\n\r\n  \na,b\n,,\n\nc\n", "[a][b]4\n[c]7\n");
	check_all("\xc3\xa9\n", "[\xc3\xa9]1\n");
}

static void
test_reads_quotes(void **state)
{
	(void)state;
	check_all("\"a\",\"b;c\"\n", "[a][b;c]1\n");
	check_all("\"a \"\"b\"\"\" , c\n", "[a \"b\"][c]1\n");
	check_all("\"\",x\n", "[][x]1\n");
	check_all(" \" a \" \n", "[ a ]1\n");
	/* Lines inside of quotes are counted. */
	check_all("\"a\nb\"\nc\n", "[a\nb]1\n[c]3\n");
	check_all("\"a\r\nb\rc\"\nd\n", "[a\r\nb\rc]1\n[d]4\n");
}

static void
test_refuses(void **state)
{
	(void)state;
	check_bad("a,b\nc\"d,e\n", 2);
	check_bad("a\n\"b\"c\n", 2);
	check_bad("a\nb\n\"c\nd\n", 3);
	check_bad("\"", 1);
	check_bad("\"a\"\"", 1);
	check_bad("\xff\n", 1);
	check_bad("caf\xe9\n", 1);
	check_rest("a\0b\n", 4, 1, RC_INPUT);
	check_rest("\"\0\"\n", 4, 1, RC_INPUT);
}

static void
test_limits(void **state)
{
	char text[CSV_FIELD_MAX_BYTES + 3];

	(void)state;
	check_all("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n", "[1][2][3][4]"
	    "[5][6][7][8][9][10][11][12][13][14][15][16]1\n");
	check_bad("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", 1);
	memset(text, 'x', sizeof(text));
	check_rest(text, CSV_FIELD_MAX_BYTES, 0, RC_OK);
	check_rest(text, CSV_FIELD_MAX_BYTES + 1, 1, RC_INPUT);
}

/* No cut of a table reads beyond its end. */
static void
test_every_truncation(void **state)
{
	static const char text[] = "\xef\xbb\xbf" "a;\"b \"\"c\"\" \r\n\";d\r\n"
	    "e;\xc3\xa9\n";
	struct err e = ERR_INIT;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		uint8_t *p = copy(text, n);
		struct csv c;
		bool more = true;

		csv_init(&c, p, n);
		while (more && csv_next(&c, &more, &e) == RC_OK)
			;
		free(p);
	}
}

static void
test_words(void **state)
{
	static const uint8_t word[] = "Name";

	(void)state;
	T_CHECK(csv_is((struct bytes){ word, 4 }, "name"));
	T_CHECK(!csv_is((struct bytes){ word, 3 }, "name"));
	T_CHECK(!csv_is((struct bytes){ word, 4 }, "nam"));
	T_CHECK(!csv_is((struct bytes){ word, 4 }, "kind"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_tables),
		cmocka_unit_test(test_reads_quotes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
