/* issuer/custody: sheets are printed and read again. */
#include "issuer_unit.h"

static struct custody_sheet
sheet(bool english)
{
	return (struct custody_sheet){ "association-des-medecins-de-la-ville",
	    "02 31 00 00 00", 2027, english, 1795856400, "K7QD" };
}

static void
three(struct custody c[3])
{
	struct root_part parts[ROOT_PARTS];
	uint8_t root[KDF_KEY_BYTES];

	random_bytes(root, sizeof(root));
	root_split(root, parts);
	for (unsigned i = 0; i < 3; i++)
		custody_of(parts, i + 1, &c[i]);
}

static enum rc
parse(struct buf *b, struct custody *c, struct err *e)
{
	return custody_parse((const char *)b->p, b->len, c, e);
}

static void
test_there_and_back(void **state)
{
	struct err e = ERR_INIT;
	struct custody c[3], back;
	struct buf b = BUF_INIT;

	(void)state;
	three(c);
	for (unsigned i = 0; i < 6; i++) {
		const struct custody_sheet s = sheet(i / 3 != 0);

		buf_wipe(&b);
		T_CHECK(custody_format(&s, &c[i % 3], &b));
		T_RC(parse(&b, &back, &e), RC_OK);
		assert_memory_equal(&back, &c[i % 3], sizeof(back));
		assert_int_equal(custody_number(&back), i % 3 + 1);
		T_CHECK(strstr(buf_str(&b), i < 3 ? "31 mars 2028" :
		    "31 March 2028") != NULL);
		T_CHECK(strstr(buf_str(&b), i < 3 ?
		    "\nFeuille du 28 novembre 2026, jeu K7QD\n" :
		    "\nSheet of 28 November 2026, set K7QD\n") != NULL);
	}
	buf_free(&b);
}

/* A sheet that was printed when sheets bore no date and no set. */
static void
test_of_before(void **state)
{
	char t[2][ROOT_PART_CODES][CODE_TEXT_BYTES];
	struct err e = ERR_INIT;
	struct custody c[3], back;
	struct buf b = BUF_INIT;

	(void)state;
	three(c);
	root_part_format(&c[1].parts[0], t[0]);
	root_part_format(&c[1].parts[1], t[1]);
	T_CHECK(buf_addf(&b, "Association demo\n\nCustodian 2 of 3\n\n"
	    "Subject: the root of the keys of 2027\n\nDear custodian,\n\n"
	    "    Part 1\n\n"
	    "        1   %s\n        2   %s\n        3   %s\n\n"
	    "    Part 3\n\n"
	    "        4   %s\n        5   %s\n        6   %s\n\n"
	    "Whom to call: 02 31 00 00 00\n", t[0][0], t[0][1], t[0][2],
	    t[1][0], t[1][1], t[1][2]));
	T_RC(parse(&b, &back, &e), RC_OK);
	assert_memory_equal(&back, &c[1], sizeof(back));
	buf_free(&b);
}

static void
test_marks(void **state)
{
	char a[CUSTODY_MARK_BYTES], b[CUSTODY_MARK_BYTES];
	unsigned same_n = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		custody_mark(a);
		custody_mark(b);
		T_CHECK(strlen(a) == 4);
		same_n += strcmp(a, b) == 0;
	}
	T_CHECK(same_n < 3);
}

/* What an old printer's paper gave, typed into a file by hand. */
static void
test_typed_by_hand(void **state)
{
	char text[2][ROOT_PART_CODES][CODE_TEXT_BYTES];
	struct err e = ERR_INIT;
	struct custody c[3], back;
	struct buf b = BUF_INIT;

	(void)state;
	three(c);
	root_part_format(&c[1].parts[0], text[0]);
	root_part_format(&c[1].parts[1], text[1]);
	T_CHECK(buf_adds(&b, "dépositaire 2, de 2027\r\n"));
	for (size_t i = 0; i < CUSTODY_CODES; i++) {
		char *t = text[i / 3][i % 3];

		for (size_t k = 0; t[k] != '\0'; k++)
			if (t[k] >= 'A')
				t[k] = (char)(t[k] - 'A' + 'a');
		T_CHECK(buf_addf(&b, i % 2 == 0 ? "%zu. %s \r\n" :
		    "\t%zu) %s\n\n", i + 1, t));
	}
	T_RC(parse(&b, &back, &e), RC_OK);
	assert_memory_equal(&back, &c[1], sizeof(back));
	buf_free(&b);
}

/* Whichever code it is, and whether a symbol is wrong, missing or too many. */
static void
test_says_which_code(void **state)
{
	const struct custody_sheet s = sheet(false);
	struct err e = ERR_INIT;
	struct custody c[3], back;
	struct buf b = BUF_INIT;
	char want[24], *at;

	(void)state;
	three(c);
	for (unsigned i = 1; i <= CUSTODY_CODES; i++)
		for (unsigned how = 0; how < 3; how++) {
			buf_wipe(&b);
			T_CHECK(custody_format(&s, &c[0], &b));
			snprintf(want, sizeof(want), "        %u   ", i);
			at = strstr((char *)(uintptr_t)buf_str(&b), want) +
			    strlen(want);
			if (how == 0)
				at[28] = at[28] == 'A' ? 'B' : 'A';
			else if (how == 1)
				at[5] = 'U';
			else
				memmove(at + 3, at + 4, strlen(at + 3));
			T_RC(parse(&b, &back, &e), RC_INPUT);
			snprintf(want, sizeof(want), "code %u: ", i);
			T_CHECK(strstr(e.text, want) != NULL);
		}
	buf_free(&b);
}

static void
test_not_a_sheet(void **state)
{
	const struct custody_sheet s = sheet(true);
	struct err e = ERR_INIT;
	struct custody c[3], other[3], back;
	struct buf b = BUF_INIT;

	(void)state;
	T_RC(parse(&b, &back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "found: 0") != NULL);
	three(c);
	three(other);
	T_CHECK(custody_format(&s, &c[0], &b) &&
	    custody_format(&s, &c[1], &b));
	T_RC(parse(&b, &back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "found: 12") != NULL);
	buf_wipe(&b);
	back = c[0];
	back.parts[1] = other[0].parts[1];
	T_CHECK(custody_format(&s, &back, &b));
	T_RC(parse(&b, &back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "not of one sheet") != NULL);
	buf_wipe(&b);
	back = c[0];
	back.parts[1] = back.parts[0];
	T_CHECK(custody_format(&s, &back, &b));
	T_RC(parse(&b, &back, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "not of one sheet") != NULL);
	for (size_t i = 0; i < sizeof(back); i++)
		T_CHECK(((uint8_t *)&back)[i] == 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_of_before),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_typed_by_hand),
		cmocka_unit_test(test_says_which_code),
		cmocka_unit_test(test_not_a_sheet),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
