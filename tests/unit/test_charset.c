/* document/charset: any set arrives in any set. */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "document/charset.h"

static const enum charset singles[] = { CHARSET_LATIN1, CHARSET_CP1252,
    CHARSET_CP850, CHARSET_MACROMAN };

/* What French is written with and all of the sets have. */
static const char text[] =
    "Pr\xc3\xa9l\xc3\xa8vement \xc3\xa0 je\xc3\xbbn ; re\xc3\xa7u\n"
    "\xc3\x89L\xc3\x88VE D\xc3\x89\xc3\x87U, for\xc3\xaat, na\xc3\xafve\n"
    "\n80 \xc2\xb5mol/l, 37 \xc2\xb0""C, \xc2\xab ou\xc3\xaf-dire \xc2\xbb\n";

static void
write_set(enum charset set, enum eol eol, const char *s, struct buf *out,
    struct charset_loss *loss)
{
	struct err e = ERR_INIT;

	buf_wipe(out);
	memset(loss, 0, sizeof(*loss));
	T_RC(charset_write(set, eol, (const uint8_t *)s, strlen(s), out, loss,
	    &e), RC_OK);
}

static void
read_set(const struct charset_guess *g, const struct buf *in, struct buf *out,
    struct charset_loss *loss)
{
	struct err e = ERR_INIT;

	buf_wipe(out);
	memset(loss, 0, sizeof(*loss));
	T_RC(charset_read(g, in->p, in->len, out, loss, &e), RC_OK);
}

/* The laboratory writes in one, the practice reads in another. */
static void
test_any_set_arrives_in_any(void **state)
{
	struct buf lab = BUF_INIT, utf8 = BUF_INIT, practice = BUF_INIT;
	struct charset_guess g;
	struct charset_loss loss;

	(void)state;
	for (unsigned i = 0; i < CHARSET_WRITTEN * 3; i++)
		for (unsigned j = 0; j < CHARSET_WRITTEN * 3; j++) {
			write_set((enum charset)(i / 3), (enum eol)(i % 3),
			    text, &lab, &loss);
			assert_int_equal(loss.stood + loss.lost, 0);
			charset_guess(lab.p, lab.len, &g);
			T_CHECK(g.sure && !g.mixed && !g.ascii);
			assert_int_equal(g.eol, i % 3);
			read_set(&g, &lab, &utf8, &loss);
			T_STR(buf_str(&utf8), text);
			write_set((enum charset)(j / 3), (enum eol)(j % 3),
			    buf_str(&utf8), &practice, &loss);
			assert_int_equal(loss.stood + loss.lost, 0);
			g.set = (enum charset)(j / 3);
			read_set(&g, &practice, &utf8, &loss);
			T_STR(buf_str(&utf8), text);
		}
	buf_free(&lab);
	buf_free(&utf8);
	buf_free(&practice);
}

/* Windows-1252 without its own signs reads as ISO-8859-1: the same. */
static void
test_guesses_the_set(void **state)
{
	struct buf b = BUF_INIT;
	struct charset_guess g;
	struct charset_loss loss;

	(void)state;
	for (unsigned s = 0; s < CHARSET_WRITTEN; s++) {
		write_set((enum charset)s, EOL_CRLF, text, &b, &loss);
		charset_guess(b.p, b.len, &g);
		T_STR(charset_name(g.set), charset_name(s == CHARSET_CP1252 ?
		    CHARSET_LATIN1 : (enum charset)s));
	}
	write_set(CHARSET_CP1252, EOL_LF, "l\xe2\x80\x99\xc5\x93""d\xc3\xa8me",
	    &b, &loss);
	charset_guess(b.p, b.len, &g);
	T_CHECK(g.set == CHARSET_CP1252 && g.sure);
	buf_free(&b);
}

/* One accented word is enough; which words, and in which set. */
static void
test_guesses_by_one_word(void **state)
{
	static const char *const words[] = { "r\xc3\xa9sultat",
	    "\xc3\xa0 jeun", "IMMUNO-H\xc3\x89MATOLOGIE", "gar\xc3\xa7on",
	    "no\xc3\xabl", "80 \xc2\xb5mol/l", ("37 \xc2\xb0" "C"),
	    "bo\xc3\xaete", "o\xc3\xb9 est-il", "h\xc3\xb4pital",
	    "PR\xc3\x89L\xc3\x88VEMENT", "\xc3\x89tat", "d\xc3\xbb" };
	struct buf b = BUF_INIT, back = BUF_INIT;
	struct charset_guess g;
	struct charset_loss loss;
	unsigned sure = 0;

	(void)state;
	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
		for (size_t s = 0; s < 4; s++) {
			write_set(singles[s], EOL_LF, words[w], &b, &loss);
			charset_guess(b.p, b.len, &g);
			read_set(&g, &b, &back, &loss);
			/* Wrong and sure of it is what must not be. */
			if (g.sure)
				T_STR(buf_str(&back), words[w]);
			sure += g.sure;
		}
	assert_in_range(sure, 40, 52);
	buf_free(&b);
	buf_free(&back);
}

/* The system's own tables say the same; but for the signs
 * in which tables of the Mac differ (euro, Omega, Delta, apple, and the five
 * holes of Windows). */
static void
test_tables_are_those_of_iconv(void **state)
{
	(void)state;
	for (size_t s = 0; s < 4; s++) {
		iconv_t cd = iconv_open("UTF-32LE", charset_name(singles[s]));
		unsigned differ = 0;

		T_CHECK(cd != (iconv_t)-1);
		for (unsigned i = 0x80; i < 0x100; i++) {
			char octet = (char)i, *in = &octet;
			uint8_t c[8] = { 0 };
			char *out = (char *)c;
			size_t inleft = 1, left = sizeof(c);
			size_t n = iconv(cd, &in, &inleft, &out, &left);
			uint32_t want = c[0] | (uint32_t)c[1] << 8 |
			    (uint32_t)c[2] << 16;

			if (n == (size_t)-1 || want !=
			    charset_decode(singles[s], (uint8_t)i))
				differ++;
		}
		iconv_close(cd);
		assert_in_range(differ, 0, 5);
	}
}

static void
check_stands(enum charset set, const char *in, const char *want, size_t stood,
    size_t lost)
{
	struct buf b = BUF_INIT;
	struct charset_loss loss;

	write_set(set, EOL_LF, in, &b, &loss);
	T_STR(buf_str(&b), want);
	assert_int_equal(loss.stood, stood);
	assert_int_equal(loss.lost, lost);
	buf_free(&b);
}

static void
test_what_a_set_has_not(void **state)
{
	(void)state;
	check_stands(CHARSET_LATIN1, "\xc5\x93uf", "oeuf", 1, 0);
	check_stands(CHARSET_LATIN1, "l\xe2\x80\x99\xe2\x82\xac", "l'EUR", 2,
	    0);
	/* 10 to the 3 is not 103 */
	check_stands(CHARSET_MACROMAN, "10\xc2\xb3/mm\xc2\xb3", "10^3/mm^3",
	    2, 0);
	check_stands(CHARSET_MACROMAN, "1\xc2\xbd", "1 1/2", 1, 0);
	check_stands(CHARSET_LATIN1, "\xe2\x89\xa4 5", "<= 5", 1, 0);
	check_stands(CHARSET_MACROMAN, "\xe2\x89\xa4 5", "\xb2 5", 0, 0);
	/* Greek mu is the micro sign */
	check_stands(CHARSET_CP850, "\xce\xbcg", "\xe6g", 1, 0);
	check_stands(CHARSET_LATIN1, "\xce\xb3-GT", "gamma-GT", 1, 0);
	check_stands(CHARSET_LATIN1, "\xc5\xa0" "\xc4\x8d", "Sc", 2, 0);
	/* As a Mac writes names: a letter, then its accent. */
	check_stands(CHARSET_LATIN1, "e\xcc\x81t", "\xe9t", 0, 0);
	check_stands(CHARSET_UTF8, "e\xcc\x81t", "e\xcc\x81t", 0, 0);
	check_stands(CHARSET_LATIN1, "\xe4\xb8\xad", "?", 0, 1);
	check_stands(CHARSET_LATIN1, "a\xe2\x80\x8b" "b", "ab", 1, 0);
}

static void
test_says_where(void **state)
{
	struct buf b = BUF_INIT;
	struct charset_loss loss;

	(void)state;
	write_set(CHARSET_LATIN1, EOL_CR, "a\nb\n\xc5\x93\n\xe4\xb8\xad"
	    "\n\xc5\x93\xe4\xb8\xad", &b, &loss);
	assert_int_equal(loss.stood, 2);
	assert_int_equal(loss.stood_line, 3);
	assert_int_equal(loss.lost, 2);
	assert_int_equal(loss.lost_line, 4);
	T_STR(buf_str(&b), "a\rb\roe\r?\roe?");
	buf_free(&b);
}

static void
check_read(const char *in, size_t len, const char *want, size_t lost,
    const char *set, enum eol eol, bool mixed)
{
	uint8_t *p = malloc(len > 0 ? len : 1);
	struct buf copy = { p, len, len }, out = BUF_INIT;
	struct charset_guess g;
	struct charset_loss loss;

	T_CHECK(p != NULL);
	memcpy(p, in, len);
	charset_guess(p, len, &g);
	T_STR(charset_name(g.set), set);
	assert_int_equal(g.eol, eol);
	assert_int_equal(g.mixed, mixed);
	read_set(&g, &copy, &out, &loss);
	T_STR(buf_str(&out), want);
	assert_int_equal(loss.lost, lost);
	buf_free(&out);
	free(p);
}

static void
test_reads(void **state)
{
	(void)state;
	check_read("", 0, "", 0, "UTF-8", EOL_LF, false);
	check_read("a\r\nb\rc\nd\r\n\r\n", 12, "a\nb\nc\nd\n\n", 0, "UTF-8",
	    EOL_CRLF, true);
	check_read("a\r\rb\r", 5, "a\n\nb\n", 0, "UTF-8", EOL_CR, false);
	check_read("\xef\xbb\xbf\xc3\xa9", 5, "\xc3\xa9", 0, "UTF-8", EOL_LF,
	    false);
	check_read("\xef\xbb\xbf\xef\xbb\xbf" "a", 7, "a", 0, "UTF-8", EOL_LF,
	    false);
	check_read("\xff\xfe\xff\xfe" "a\0", 6, "a", 0, "UTF-16LE", EOL_LF,
	    false);
	check_read("\xef\xbb\xbf" "a\xe9z", 6, "a\xef\xbf\xbdz", 1, "UTF-8",
	    EOL_LF, false);
	check_read("\xff\xfe" "a\0\xe9\0\r\0\n\0b\0", 12, "a\xc3\xa9\nb", 0,
	    "UTF-16LE", EOL_CRLF, false);
	check_read("\xfe\xff\0a\xd8\x3d\xde\x00\0b", 10,
	    "a\xf0\x9f\x98\x80" "b", 0, "UTF-16BE", EOL_LF, false);
	/* half a pair, half a unit, a NUL */
	check_read("\xfe\xff\xd8\x3d\0a", 6, "\xef\xbf\xbd" "a", 1,
	    "UTF-16BE", EOL_LF, false);
	check_read("\xfe\xff\0a\0", 5, "a\xef\xbf\xbd", 1, "UTF-16BE", EOL_LF,
	    false);
	check_read("\xfe\xff\0\0", 4, "\xef\xbf\xbd", 1, "UTF-16BE", EOL_LF,
	    false);
}

/* It is read in pieces: wherever one ends, between CR and LF too. */
static void
test_reads_in_pieces(void **state)
{
	static const char end[] = "\xe9\r\n\r\xe9\n\nz";
	static const char want[] = "\xc3\xa9\n\n\xc3\xa9\n\nz";
	const struct charset_guess utf8 = { .set = CHARSET_UTF8 };
	const struct charset_guess latin = { .set = CHARSET_LATIN1 };
	struct buf in = BUF_INIT, out = BUF_INIT;
	struct charset_loss loss;

	(void)state;
	for (size_t len = 1000; len < 1040; len++) {
		buf_wipe(&in);
		for (size_t i = 0; i < len; i++)
			T_CHECK(buf_adds(&in, i == 0 ? "\n" : "a"));
		T_CHECK(buf_adds(&in, end));
		read_set(&latin, &in, &out, &loss);
		T_CHECK(memcmp(out.p, in.p, len) == 0);
		T_STR(buf_str(&out) + len, want);
		assert_int_equal(loss.lost, 0);
		read_set(&utf8, &in, &out, &loss);
		assert_int_equal(loss.lost, 2);
		assert_int_equal(loss.lost_line, 2);
	}
	buf_free(&in);
	buf_free(&out);
}

static void
test_names(void **state)
{
	enum charset set;

	(void)state;
	for (unsigned s = 0; s < CHARSET_WRITTEN; s++) {
		T_CHECK(charset_find(charset_name((enum charset)s), &set));
		assert_int_equal(set, s);
	}
	T_CHECK(charset_find("MacRoman", &set) && set == CHARSET_MACROMAN);
	T_CHECK(charset_find("CP850", &set) && set == CHARSET_CP850);
	T_CHECK(!charset_find("UTF-16LE", &set) && !charset_find("", &set));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_set_arrives_in_any),
		cmocka_unit_test(test_guesses_the_set),
		cmocka_unit_test(test_guesses_by_one_word),
		cmocka_unit_test(test_tables_are_those_of_iconv),
		cmocka_unit_test(test_what_a_set_has_not),
		cmocka_unit_test(test_says_where),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_in_pieces),
		cmocka_unit_test(test_names)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
