/* issuer/letter: what is printed. */
#include "issuer_unit.h"
#include "issuer/letter.h"

static struct buf
letter(const char *show, const char *call, bool english)
{
	struct members *m = members_new("essai");
	const struct member_new w = { str("dr.martin@cabinet.example"),
	    str("m@poste.example"), str(show), str(""), MEMBER_PRACTICE };
	struct letter l = { .assoc = "essai", .call = call, .year = 2027,
	    .at = clock_utc(2026, 11, 23) + 3600,
	    .code = "208H4-4RM2M-B1E60-S38DH-R78Y9", .digits = "0123abcd",
	    .key_file = "dr.martin.2027.cle", .english = english };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	enum member_add how;

	T_RC(members_add(m, &w, &how, &e), RC_OK);
	l.to = &m->v[0];
	l.issuer = &m->v[0].id;
	l.dates = desk_dates(2027, l.at);
	T_CHECK(letter_format(&l, &b) && buf_str(&b) != NULL);
	members_free(&m);
	return b;
}

static void
has(const struct buf *b, const char *text)
{
	if (strstr((const char *)b->p, text) == NULL)
		fail_msg("no \"%s\" in:\n%s", text, (const char *)b->p);
}

static void
test_french(void **state)
{
	struct buf b = letter("Dr L\xc3\xa9" "a Martin", "02 31 00 00 00",
	    false);

	(void)state;
	has(&b, "Association essai\nLe 23 novembre 2026\n");
	has(&b, "\nDr L\xc3\xa9" "a Martin\ndr.martin@cabinet.example\n");
	has(&b, "  208H4-4RM2M-B1E60-S38DH-R78Y9\n");
	has(&b, "  dr.martin.2027.cle\n");
	has(&b, "  0123abcd\n");
	has(&b, "du 1er janvier 2027 au 31 janvier 2028");
	has(&b, "jusqu'au 31 mars 2028");
	has(&b, "\n    sceau key import dr.martin.2027.cle\n");
	has(&b, "\n    b2sum -l 256 dr.martin.2027.cle\n");
	has(&b, "Qui appeler\xc2\xa0: 02 31 00 00 00\n");
	T_CHECK(strchr((const char *)b.p, '{') == NULL);
	T_CHECK(strchr((const char *)b.p, '!') == NULL);
	buf_free(&b);
}

static void
test_english(void **state)
{
	struct buf b = letter("Dr Martin", "", true);

	(void)state;
	has(&b, "\n23 November 2026\n");
	has(&b, "  208H4-4RM2M-B1E60-S38DH-R78Y9\n");
	has(&b, "from 1 January 2027 to 31 January 2028");
	has(&b, "until 31 March 2028");
	/* Nobody was named: the issuer's address. */
	has(&b, "Whom to call: dr.martin@cabinet.example\n");
	T_CHECK(strchr((const char *)b.p, '{') == NULL);
	buf_free(&b);
}

/* A name that looks like a place to fill in is a name. */
static void
test_braces_in_a_name(void **state)
{
	struct buf b = letter("{code} {", "{digits}", false);

	(void)state;
	has(&b, "\n{code} {\n");
	has(&b, ": {digits}\n");
	buf_free(&b);
}

static void
test_width(void **state)
{
	(void)state;
	for (int english = 0; english < 2; english++) {
		struct buf b = letter("Dr Martin", "", english == 1);
		size_t n = 0;

		for (size_t i = 0; i < b.len; i++) {
			n = b.p[i] == '\n' ? 0 : n + ((b.p[i] & 0xc0) != 0x80);
			T_CHECK(n <= 78);
		}
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_french),
		cmocka_unit_test(test_english),
		cmocka_unit_test(test_braces_in_a_name),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
