/* document/filing: what a destination wants of a text, and when it is left as
 * it came. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "document/filing.h"

static const struct date today = { 2026, 11, 26 };

#define HEAD "P1\nDURAND\nCAMILLE\n3 rue des Lilas\n\n35000 RENNES\n" \
	"12/05/1961\n2610535000001 22\n2611230042\n23/11/2026\n" \
	"LABO00001  LABORATOIRE DU PORT\nCAB000001  DR MARTIN\n"
#define ONE HEAD "\nINR 2,1\n****FIN****\n"
#define END "****FINFICHIER****\n"

static const struct filing_form keep = { .charset = -1, .eol = -1 };

static void
read_it(const struct filing_form *form, const char *declared, const char *s,
    struct filing *f)
{
	struct err e = ERR_INIT;

	T_RC(filing_read(form, declared, (const uint8_t *)s, strlen(s), &today,
	    f, &e), RC_OK);
}

static void
check_whole(const struct filing_form *form, const char *declared,
    const char *s, const char *want)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct filing f;

	read_it(form, declared, s, &f);
	T_RC(filing_whole(&f, &out, &e), RC_OK);
	T_STR(buf_str(&out), want);
	T_CHECK(filing_as_it_came(&f) == (strcmp(s, want) == 0));
	buf_free(&out);
	filing_free(&f);
}

static void
test_left_as_it_came(void **state)
{
	const struct filing_form patients = { .charset = CHARSET_CP1252,
	    .eol = EOL_LF, .files = FILING_BY_PATIENT };

	(void)state;
	check_whole(&keep, NULL, ONE END, ONE END);
	check_whole(&keep, NULL, "a\r\nb\n\xff", "a\r\nb\n\xff");
	check_whole(&keep, NULL, "", "");
	/* It is already what is wanted. */
	check_whole(&patients, NULL, ONE END, ONE END);
	/* What has rules of its own is nobody's to change. */
	check_whole(&patients, "iso-8859-1",
	    "MSH|^~\\&|\xe9|\rPID|1\r", "MSH|^~\\&|\xe9|\rPID|1\r");
	check_whole(&patients, "iso-8859-1", "H|~^\\&|\xe9||||\r\nP|1\r\n",
	    "H|~^\\&|\xe9||||\r\nP|1\r\n");
}

static void
test_converted(void **state)
{
	const struct filing_form latin = { .charset = CHARSET_LATIN1,
	    .eol = EOL_LF };
	const struct filing_form lines = { .charset = -1, .eol = EOL_CRLF };

	(void)state;
	check_whole(&latin, NULL, "\xc3\xa9\r\n", "\xe9\n");
	check_whole(&latin, "cp850", "\x82\r", "\xe9\n");
	/* Declared, but it cannot be. */
	check_whole(&latin, "cp850", "\xc3\xa9\n", "\xe9\n");
	check_whole(&latin, "utf-8", "pr\xe9lev\xe9\n", "pr\xe9lev\xe9\n");
	check_whole(&latin, "iso-8859-1", "5 \x80\n", "5 EUR\n");
	check_whole(&lines, "macintosh", "\x8e\r\n\x8e\r", "\x8e\r\n\x8e\r\n");
}

/* Dates that are certain, sender and recipient; a century is not certain. */
static void
test_completed(void **state)
{
	const struct filing_form whole = { .charset = -1, .eol = -1,
	    .whole = true, .sender = "labo@labo.example",
	    .recipient = "dr@cabinet.example" };
	static const char *const dates[][2] = {
		{ "1961-05-12", "12/05/1961" }, { "12 MAI 1961", "12/05/1961" },
		{ "12/05/61", "12/05/61" }, { "x", "x" }, { "", "" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct buf in = BUF_INIT, want = BUF_INIT;

		for (int n = 0; n < 2; n++)
			T_CHECK(buf_addf(n == 0 ? &in : &want, "P1\nDURAND\n"
			    "CAMILLE\n%s\n\n35000 RENNES\n%s\n\n42\n"
			    "23/11/2026\n%s\n%s\n%sINR 2,1\n****FIN****\n" END,
			    n == 0 ? "  3 rue " : "3 rue", dates[i][n],
			    n == 0 ? "" : ".          labo@labo.example",
			    n == 0 ? "" : ".          dr@cabinet.example",
			    n == 0 ? "" : "\n"));
		check_whole(&whole, NULL, buf_str(&in), buf_str(&want));
		buf_free(&in);
		buf_free(&want);
	}
}

/* One patient's file out of several: its header is the sender's, line by
 * line, unless it is wanted whole; what is told of it has the lines of the
 * document that came. */
static void
test_in_pieces(void **state)
{
	static const char came[] = ONE " P2\nDUPR\xc3\x89\nPAUL\n \n\n\n"
	    "01/02/1970\n\n43\n23/11/2026\n\n\n\xe5\xb1\xb1\n\xc5\x93\n"
	    "**FIN**\n" END;
	struct filing_form form = { .charset = CHARSET_LATIN1, .eol = EOL_LF,
	    .files = FILING_BY_PATIENT };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct filing f;

	(void)state;
	read_it(&form, NULL, came, &f);
	T_CHECK(filing_in_pieces(&f) && f.h.n == 2);
	T_RC(filing_patient(&f, 1, &out, &e), RC_OK);
	T_STR(buf_str(&out), " P2\nDUPR\xc9\nPAUL\n \n\n\n01/02/1970\n\n43\n"
	    "23/11/2026\n\n\n?\noe\n****FIN****\n" END);
	T_CHECK(f.loss.lost_line == 28 && f.loss.stood_line == 29);
	filing_free(&f);
	buf_wipe(&out);
	form.whole = true;
	read_it(&form, NULL, came, &f);
	T_RC(filing_patient(&f, 1, &out, &e), RC_OK);
	T_STR(buf_str(&out), "P2\nDUPR\xc9\nPAUL\n\n\n\n01/02/1970\n\n43\n"
	    "23/11/2026\n\n\n\n?\noe\n****FIN****\n" END);
	T_CHECK(f.loss.lost_line == 28 && f.loss.stood_line == 29);
	filing_free(&f);
	form.files = FILING_BY_DOCUMENT;
	read_it(&form, NULL, came, &f);
	T_CHECK(!filing_in_pieces(&f) && !filing_as_it_came(&f));
	filing_free(&f);
	buf_free(&out);
}

static void
check_apart(const char *s, bool apart)
{
	struct filing f;

	read_it(&keep, NULL, s, &f);
	T_CHECK(f.apart == apart);
	filing_free(&f);
}

/* Nothing is taken apart of which one cannot be certain where it ends. */
static void
test_apart(void **state)
{
	(void)state;
	check_apart(ONE END, true);
	check_apart(ONE ONE END, true);
	check_apart("INR 2,1\n", false);
	check_apart(HEAD "\nINR\n", false);
	check_apart(ONE END "Sodium 5\n", false);
	check_apart(ONE "P2\nDUPRE\n****FIN****\n" END, false);
	check_apart(ONE HEAD "****FIN****\n" END, false);
}

static void
check_said(const char *s, const char *want)
{
	struct buf out = BUF_INIT;
	struct filing f;

	read_it(&keep, NULL, s, &f);
	T_CHECK(filing_say(&f, "r", &out));
	T_STR(out.len > 0 ? buf_str(&out) : "", want);
	buf_free(&out);
	filing_free(&f);
}

static void
test_said(void **state)
{
	(void)state;
	check_said("INR 2,1\n", "");
	check_said(ONE END, "");
}

/* The report at the end of ${s}. */
static bool
corrects(const char *s)
{
	struct filing f;
	bool yes;

	read_it(&keep, NULL, s, &f);
	yes = filing_corrects(&f.h.patient[f.h.n - 1]);
	filing_free(&f);
	return yes;
}

static void
test_corrects(void **state)
{
	(void)state;
	T_CHECK(!corrects(ONE END));
	T_CHECK(!corrects(HEAD "\n****LAB****\nRES|Na|NA|N|1|g|2|3|H|F\n"
	    "****FIN****\n" END));
	T_CHECK(!corrects(HEAD "\n****LAB****\nRES|Na|NA|N|1|g|2|3|H|CC\n"
	    "RES|C\n****FIN****\n" END));
	T_CHECK(corrects(ONE HEAD "\n****LAB****\nRES|Na|NA|N|1|g|2|3|H|C\n"
	    "****FIN****\n" END));
}

static void
check_plain(const char *s, const char *want)
{
	struct buf out = BUF_INIT;

	T_CHECK(charset_plain((const uint8_t *)s, strlen(s), &out));
	T_STR(buf_str(&out), want);
	buf_free(&out);
}

static void
test_plain(void **state)
{
	(void)state;
	check_plain("DUPR\xc3\x89-L\xc3\x89VY", "DUPRE-LEVY");
	check_plain("\xc5\x93" "dema e\xcc\x81 \xe5\xb1\xb1 \xff",
	    "oedema e ? ?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_as_it_came),
		cmocka_unit_test(test_converted),
		cmocka_unit_test(test_completed),
		cmocka_unit_test(test_in_pieces),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_corrects),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
