/* issuer/letter: what is printed. */
#include "issuer_unit.h"
#include "issuer/letter.h"

static struct buf
letter_to(const char *show, const char *post, const char *call, bool english)
{
	struct members *m = members_new("essai");
	const struct member_new w = { str("dr.martin@cabinet.example"),
	    str("m@poste.example"), str(show), str(""), MEMBER_PRACTICE,
	    str(post) };
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

static struct buf
letter(const char *show, const char *call, bool english)
{
	return letter_to(show, "", call, english);
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
	has(&b, "\nDr L\xc3\xa9" "a Martin\n\nObjet");
	has(&b, ":     dr.martin@cabinet.example\n");
	has(&b, "  208H4-4RM2M-B1E60-S38DH-R78Y9\n");
	has(&b, "  dr.martin.2027.cle\n");
	has(&b, "  0123abcd\n");
	has(&b, "du 1er janvier 2027 au 31 janvier 2028");
	has(&b, "jusqu'au 31 mars 2028");
	has(&b, "\n    sceau key import dr.martin.2027.cle\n");
	has(&b, "\n    sceau check\n");
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

static struct letter_words
read_again(const struct buf *b)
{
	struct letter_words w;

	T_CHECK(letter_read((struct bytes){ b->p, b->len }, &w));
	return w;
}

static void
word_is(const struct letter_words *w, const char *name, const char *value)
{
	struct bytes v = words_find(w->v, LETTER_NWORDS, name);

	if (!bytes_eqs(v, value))
		fail_msg("%s is \"%.*s\", not \"%s\"", name, (int)v.len,
		    (const char *)v.p, value);
}

/* What was put in comes out, whatever a name is like. */
static void
test_read_again(void **state)
{
	static const char *const names[] = { "Dr Martin", "{code}",
	    "    Code :       208H4-4RM2M-B1E60-S38DH-R78Y9", "Objet : votre",
	    "Subject: your Sceau key for 2027" };
	static const char *const posts[][2] = { { "", "" },
	    { "3 rue des Lilas | 14000 CAEN",
	    "\n3 rue des Lilas\n14000 CAEN" },
	    { "|x||Objet\xc2\xa0: votre cl\xc3\xa9 Sceau pour 2027",
	    "\nx\nObjet\xc2\xa0: votre cl\xc3\xa9 Sceau pour 2027" } };
	char to[200];

	(void)state;
	for (size_t i = 0; i < 5 * 3 * 2; i++) {
		const char *const *post = posts[i / 5 % 3];
		struct buf b = letter_to(names[i % 5], post[0], "02 31",
		    i / 15 == 1);
		struct letter_words w = read_again(&b);

		T_CHECK(w.english == (i / 15 == 1));
		snprintf(to, sizeof(to), "%s%s", names[i % 5], post[1]);
		word_is(&w, "to", to);
		word_is(&w, "assoc", "essai");
		word_is(&w, "address", "dr.martin@cabinet.example");
		word_is(&w, "code", "208H4-4RM2M-B1E60-S38DH-R78Y9");
		word_is(&w, "digits", "0123abcd");
		word_is(&w, "file", "dr.martin.2027.cle");
		word_is(&w, "year", "2027");
		word_is(&w, "call", "02 31");
		buf_free(&b);
	}
}

/* Cut anywhere, or with another code, it is no letter. */
static void
test_read_refuses(void **state)
{
	struct buf b = letter("Dr Martin", "02 31", false);
	struct letter_words w;
	uint8_t *code;

	(void)state;
	for (size_t len = 0; len < b.len; len++)
		T_CHECK(!letter_read((struct bytes){ b.p, len }, &w));
	code = (uint8_t *)strstr((const char *)b.p, "208H4");
	T_CHECK(code != NULL);
	code[1]++;
	T_CHECK(!letter_read((struct bytes){ b.p, b.len }, &w));
	code[1]--;
	T_CHECK(letter_read((struct bytes){ b.p, b.len }, &w));
	buf_free(&b);
}

/* Names are data; the code stands there once as text. */
static void
test_page(void **state)
{
	(void)state;
	for (int english = 0; english < 2; english++) {
		struct buf b = letter_to("<b>&\"'{code}", "<i>|&amp;", "</p>",
		    english == 1), page = BUF_INIT;
		struct letter_words w = read_again(&b);
		const char *code;

		T_CHECK(letter_page(&w, &page) && buf_str(&page) != NULL);
		has(&page, "<div class=\"to\">&lt;b&gt;&amp;&quot;&#39;"
		    "{code}\n&lt;i&gt;\n&amp;amp;</div>");
		has(&page, ": &lt;/p&gt;</b></p>");
		has(&page, "<svg class=\"qr\"");
		has(&page, ">sceau key import dr.martin.2027.cle<");
		has(&page, ">sceau check<");
		has(&page, ">0123abcd<");
		has(&page, english ? "31 March 2028" : "31 mars 2028");
		has(&page, english ? "<article lang=\"en\">" :
		    "<article lang=\"fr\">");
		code = strstr((const char *)page.p, "208H4-4RM2M");
		T_CHECK(code != NULL && strstr(code + 1, "208H4") == NULL);
		buf_free(&page);
		buf_free(&b);
	}
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
		cmocka_unit_test(test_read_again),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
