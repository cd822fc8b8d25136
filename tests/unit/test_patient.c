/* Whose a report is: the same person, however it is written. */
#include "config.h"

#include <string.h>

#include "unit.h"

#include "document/patient.h"

static const struct date today = { 2026, 11, 26 };

static struct patient
read_one(const char *family, const char *given, const char *birth,
    const char *declared)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct patient p;
	struct hprim h;

	T_CHECK(buf_addf(&b, "P1\n%s\n%s\n3 rue des Lilas\n\n35000 RENNES\n"
	    "%s\n\n2611230042\n23/11/2026\nLABO00001  LABO\nCAB000001  DR\n"
	    "\nINR 2,1\n****FIN****\n****FINFICHIER****\n", family, given,
	    birth));
	T_RC(hprim_read_as(declared, b.p, b.len, &today, &h, &e), RC_OK);
	T_CHECK(h.n == 1);
	T_CHECK(patient_of(&h.patient[0], &p));
	hprim_free(&h);
	buf_free(&b);
	return p;
}

static void
check(const char *family, const char *given, const char *want)
{
	struct patient p = read_one(family, given, "12/05/1961", "utf-8");

	T_STR(p.name, want);
	T_STR(p.birth, want[0] == '\0' ? "" : "1961-05-12");
}

static void
test_one_form_for_all_spellings(void **state)
{
	(void)state;
	check("DURAND", "CAMILLE", "DURAND CAMILLE");
	check("  Durand ", "camille", "DURAND CAMILLE");
	check("LEFÈVRE", "Élodie", "LEFEVRE ELODIE");
	check("LEFE\xcc\x80VRE", "ÉLODIE", "LEFEVRE ELODIE");
	check("GARÇON", "Anaïs", "GARCON ANAIS");
	check("NOËL-PÂRIS", "JEAN  FRANÇOIS", "NOELPARIS JEANFRANCOIS");
	check("NOEL PARIS", "Jean-François", "NOELPARIS JEANFRANCOIS");
	check("O'BRIEN", "ZOÉ", "OBRIEN ZOE");
	check("O’BRIEN", "ZOE", "OBRIEN ZOE");
	check("O BRIEN", "ZOE", "OBRIEN ZOE");
	check("D'ARTAGNAN", "RENÉ", "DARTAGNAN RENE");
	check("LE GOFF", "YANN", "LEGOFF YANN");
	check("de la Tour", "MARIE", "DELATOUR MARIE");
	check("LŒUILLET", "CŒLIA", "LOEUILLET COELIA");
	check("loeuillet", "Coelia", "LOEUILLET COELIA");
	check("M'BAYE", "N'DEYE", "MBAYE NDEYE");
}

static void
test_another_name_of_the_same_person(void **state)
{
	(void)state;
	check("DUPONT née MARTIN", "ANNE", "DUPONT ANNE");
	check("DUPONT NEE MARTIN", "ANNE", "DUPONT ANNE");
	check("DUPONT épouse MARTIN", "ANNE", "DUPONT ANNE");
	check("DUPONT VVE MARTIN", "ANNE", "DUPONT ANNE");
	check("DUPONT (MARTIN)", "ANNE (Nanou)", "DUPONT ANNE");
	check("NEE", "ANNE", "NEE ANNE");
	check("NÉEL", "ANNE", "NEEL ANNE");
	check("EPOUSE", "ANNE", "EPOUSE ANNE");
}

static void
test_different_people_differ(void **state)
{
	(void)state;
	check("DURANT", "CAMILLE", "DURANT CAMILLE");
	check("DURAND", "", "DURAND ");
	check("", "CAMILLE", "");
	check("-", "CAMILLE", "");
	check("MARTIN", "JEAN 2", "MARTIN JEAN2");
}

static void
test_birth_dates_are_one_form(void **state)
{
	static const char *const same[] = { "12/05/1961", "1961-05-12",
	    "12 MAI 1961", "12/05/61" };
	static const char *const none[] = { "", "31/02/1961", "inconnue" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		T_STR(read_one("DURAND", "C", same[i], NULL).birth,
		    "1961-05-12");
	for (size_t i = 0; i < 3; i++)
		T_STR(read_one("DURAND", "C", none[i], NULL).birth, "");
}

static void
test_any_character_set(void **state)
{
	(void)state;
	T_STR(read_one("LEF\xe8VRE", "Ana\xefs", "", "iso-8859-1").name,
	    "LEFEVRE ANAIS");
	T_STR(read_one("LEF\x8fVRE", "Ana\x95s", "", "macintosh").name,
	    "LEFEVRE ANAIS");
	T_STR(read_one("LEF\x8aVRE", "Ana\x8bs", "", "cp850").name,
	    "LEFEVRE ANAIS");
}

static void
test_names_without_end_are_cut(void **state)
{
	char long_one[600];
	struct patient p, q;

	(void)state;
	memset(long_one, 'A', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	p = read_one(long_one, "C", "12/05/1961", NULL);
	assert_int_equal(strlen(p.name), PATIENT_NAME_BYTES - 1);
	long_one[PATIENT_NAME_BYTES - 1] = '\0';
	q = read_one(long_one, "C", "12/05/1961", NULL);
	T_STR(q.name, p.name);
	long_one[PATIENT_NAME_BYTES - 3] = '\0';
	q = read_one(long_one, "CD", "12/05/1961", NULL);
	T_CHECK(q.name[PATIENT_NAME_BYTES - 3] == ' ' &&
	    q.name[PATIENT_NAME_BYTES - 2] == 'C' &&
	    q.name[PATIENT_NAME_BYTES - 1] == '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_form_for_all_spellings),
		cmocka_unit_test(test_another_name_of_the_same_person),
		cmocka_unit_test(test_different_people_differ),
		cmocka_unit_test(test_birth_dates_are_one_form),
		cmocka_unit_test(test_any_character_set),
		cmocka_unit_test(test_names_without_end_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
