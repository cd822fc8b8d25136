/* document/hprim: what the command does not show: the parts of a report, its
 * parties, and writing it again.  Each remark is met in tests/e2e. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "document/hprim.h"

static const struct date today = { 2026, 11, 26 };

#define HEAD_10 "P1\nDURAND\nCAMILLE\n3 rue des Lilas  \n\n35000 RENNES\n" \
	"12/05/1961\n2610535000001 22\n2611230042\n23/11/2026\n"
#define HEAD HEAD_10 "LABO00001  LABORATOIRE DU PORT\n" \
	"CAB000001  DR MARTIN dr.martin@cabinet.example\n"
#define END "****FIN****\n****FINFICHIER****\n"

static uint8_t *block;

/* At the end of its block, so that a read beyond it is seen. */
static void
read_n(const char *s, size_t len, struct hprim *h)
{
	struct err e = ERR_INIT;

	free(block);
	T_CHECK((block = malloc(len > 0 ? len : 1)) != NULL);
	memcpy(block, s, len);
	T_RC(hprim_read(block, len, &today, h, &e), RC_OK);
}

static void
read_one(const char *s, struct hprim *h)
{
	read_n(s, strlen(s), h);
	assert_int_equal(h->kind, HPRIM_MEDECIN);
}

static void
check_is(struct bytes got, const char *want)
{
	if (!bytes_eqs(got, want))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.len,
		    (const char *)got.p, want);
}

static void
test_parts(void **state)
{
	struct hprim h;
	const struct hprim_patient *p;

	(void)state;
	read_one(HEAD "\nINR 2,1\n****LAB****\nRES|INR|INR|N|2,1\n" END, &h);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.errors + h.oddities, 0);
	p = h.patient;
	check_is(p->field[HPRIM_FAMILY], "DURAND");
	check_is(p->field[HPRIM_STREET], "3 rue des Lilas");
	check_is(p->field[HPRIM_STREET2], "");
	T_STR(p->birth, "1961-05-12");
	T_STR(p->exam, "2026-11-23");
	T_STR(p->nir, "2610535000001");
	check_is(p->text, "INR 2,1\n");
	check_is(p->coded, "RES|INR|INR|N|2,1\n");
	check_is(p->whole, HEAD "\nINR 2,1\n****LAB****\n"
	    "RES|INR|INR|N|2,1\n****FIN****\n");
	T_CHECK(p->ended && p->header == 13 && p->nresults == 1 && !p->wide);
	hprim_free(&h);
}

/* Line 13 may be empty or not be there: no line of the text is lost. */
static void
test_line_13(void **state)
{
	struct hprim h;

	(void)state;
	read_one(HEAD "INR 2,1\n\nb\n" END, &h);
	check_is(h.patient->text, "INR 2,1\n\nb\n");
	hprim_free(&h);
	read_one(HEAD "\n\nINR 2,1\n" END, &h);
	check_is(h.patient->text, "\nINR 2,1\n");
	hprim_free(&h);
	read_one(HEAD END, &h);
	check_is(h.patient->text, "");
	assert_int_equal(h.remark[0].what, HPRIM_EMPTY);
	hprim_free(&h);
}

static void
check_party(const char *line, const char *code, const char *name,
    const char *address)
{
	struct buf b = BUF_INIT;
	struct hprim h;

	T_CHECK(buf_addf(&b, HEAD_10 "LABO00001  LABO\n%s\n\nINR\n" END,
	    line));
	read_one(buf_str(&b), &h);
	check_is(h.patient->recipient.code, code);
	check_is(h.patient->recipient.name, name);
	check_is(h.patient->recipient.address, address);
	hprim_free(&h);
	buf_free(&b);
}

static void
test_parties(void **state)
{
	(void)state;
	check_party("CAB000001  DR MARTIN", "CAB000001", "DR MARTIN", "");
	check_party("CAB0000012 DR MARTIN", "CAB0000012", "DR MARTIN", "");
	check_party(".          Jean.DUPONT", "", "Jean.DUPONT", "");
	check_party("CAB1 DR MARTIN", "CAB1", "DR MARTIN", "");
	check_party("MARTIN", "", "MARTIN", "");
	check_party("", "", "", "");
	check_party("CAB000001  MARTIN dr@cab.example x", "CAB000001",
	    "MARTIN dr@cab.example x", "dr@cab.example");
	check_party("\xc3\x89\xc3\x89""B000001   DR", "\xc3\x89\xc3\x89"
	    "B000001", "DR", "");
}

static void
test_wide(void **state)
{
	struct hprim h;
	struct buf b = BUF_INIT;

	(void)state;
	T_CHECK(buf_addf(&b, "%-40s%-40s%-40s%-40s%s1\n2\n\nINR\n" END, "L",
	    "CAB1", "DR", "42", strchr(HEAD, '\n')));
	read_one(buf_str(&b), &h);
	T_CHECK(h.patient->wide && h.patient->header == 15);
	check_is(h.patient->more, "1\n2\n");
	check_is(h.patient->text, "INR\n");
	assert_int_equal(h.errors + h.oddities, 0);
	hprim_free(&h);
	buf_free(&b);
}

/* One file in, one file a patient out, in the practice's set. */
static void
test_splits(void **state)
{
	struct charset_loss loss = { .lost = 0 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct hprim h, again;

	(void)state;
	read_one(HEAD "pr\xc3\xa9l\xc3\xa8vement\n****FIN****\n" HEAD
	    "\nINR\n*** LAB ***\nTEX|a\n**FIN**\n****FINFICHIER****\n", &h);
	assert_int_equal(h.n, 2);
	T_CHECK(h.errors == 0 && h.oddities == 2 &&
	    h.patient[1].oddities == 2 && h.patient[0].oddities == 0);
	T_RC(hprim_write(&h.patient[0], CHARSET_CP850, EOL_CRLF, &out, &loss,
	    &e), RC_OK);
	T_CHECK(strstr(buf_str(&out), "\r\n\r\npr\x82l\x8avement\r\n"
	    "****FIN****\r\n****FINFICHIER****\r\n") != NULL);
	buf_wipe(&out);
	T_RC(hprim_write(&h.patient[1], CHARSET_UTF8, EOL_LF, &out, &loss,
	    &e), RC_OK);
	read_n((const char *)out.p, out.len, &again);
	assert_int_equal(again.errors + again.oddities, 0);
	check_is(again.patient->coded, "TEX|a\n");
	check_is(again.patient->field[HPRIM_GIVEN], "CAMILLE");
	hprim_free(&again);
	/* A header that is completed. */
	h.patient[1].field[HPRIM_CODE] = (struct bytes){
	    (const uint8_t *)"X9", 2 };
	buf_wipe(&out);
	T_RC(hprim_write(&h.patient[1], CHARSET_UTF8, EOL_LF, &out, &loss,
	    &e), RC_OK);
	T_CHECK(strncmp(buf_str(&out), "X9\nDURAND\n", 10) == 0);
	hprim_free(&h);
	buf_free(&out);
}

static void
test_limits(void **state)
{
	struct err e = ERR_INIT;
	struct hprim h;
	uint8_t octet = 0;

	(void)state;
	T_RC(hprim_read(&octet, HPRIM_FILE_MAX_BYTES + 1U, &today, &h, &e),
	    RC_INPUT);
	assert_int_equal(e.class, EC_TOOBIG);
	hprim_free(&h);
}

/* Remarks beyond those that are kept are counted. */
static void
test_many_remarks(void **state)
{
	struct buf b = BUF_INIT;
	struct hprim h;

	(void)state;
	T_CHECK(buf_adds(&b, HEAD "\n****LAB****\n"));
	for (int i = 0; i < HPRIM_REMARKS_MAX + 10; i++)
		T_CHECK(buf_adds(&b, "RES|a\n"));
	T_CHECK(buf_adds(&b, END));
	read_one(buf_str(&b), &h);
	assert_int_equal(h.nremarks, HPRIM_REMARKS_MAX);
	assert_int_equal(h.oddities, HPRIM_REMARKS_MAX + 10);
	assert_int_equal(h.patient->nresults, HPRIM_REMARKS_MAX + 10);
	hprim_free(&h);
	buf_free(&b);
}

/* Cut anywhere it is an error, and nothing is read beyond the cut. */
static void
test_every_truncation(void **state)
{
	static const char text[] = HEAD "\nINR 2,1\n****LAB****\n"
	    "RES|INR|INR|N|2,1|\xc3\xa9\n" END;
	/* two asterisks of its tag are enough to know that it is whole */
	const size_t fin = strlen(text) - strlen("**\n****FINFICHIER****\n");
	struct hprim h;

	(void)state;
	for (size_t n = 0; n < strlen(text); n++) {
		read_n(text, n, &h);
		if (n < fin)
			T_CHECK(h.errors > 0);
		hprim_free(&h);
	}
}

static void
test_other_kinds(void **state)
{
	static const struct { const char *s; enum hprim_kind kind; } files[] = {
		{ "H|~^\\&|1||LABO|ORU\r", HPRIM_SANTE },
		{ "H~|^\\&~1~~LABO~ORU\r", HPRIM_SANTE },
		{ "HPRIM|~^\\&|1||LABO|ORU\r", HPRIM_TEXT },
		{ "\x0bMSH|^~\\&|", HPRIM_HL7 },
		{ "\n<?xml version='1.0'?>", HPRIM_CDA },
		{ "\xff\xd8\xff\xe0", HPRIM_BINARY },
		{ "PK\x03\x04", HPRIM_BINARY },
		{ "", HPRIM_TEXT }
	};
	struct hprim h;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		read_n(files[i].s, strlen(files[i].s), &h);
		assert_int_equal(h.kind, files[i].kind);
		assert_int_equal(h.n, 0);
		hprim_free(&h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_line_13),
		cmocka_unit_test(test_parties),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_remarks),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_other_kinds)
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(block);
	return failed;
}
