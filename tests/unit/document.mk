# unit tests of src/document
UNIT_DOCUMENT_LIBS = src/libdocument.a $(UNIT_BASE_LIBS)
EXTRA_DIST += tests/world/hprim.py tests/e2e/test_hprim.py \
	tests/e2e/test_filing.py tests/e2e/test_register.py
check_PROGRAMS += tests/unit/test_charset
TESTS += tests/unit/test_charset
tests_unit_test_charset_SOURCES = tests/unit/test_charset.c
tests_unit_test_charset_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_charset_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_charset_LDADD = $(UNIT_DOCUMENT_LIBS)
check_PROGRAMS += tests/unit/test_civil
TESTS += tests/unit/test_civil
tests_unit_test_civil_SOURCES = tests/unit/test_civil.c
tests_unit_test_civil_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_civil_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_civil_LDADD = $(UNIT_DOCUMENT_LIBS)
check_PROGRAMS += tests/unit/test_hprim
TESTS += tests/unit/test_hprim
tests_unit_test_hprim_SOURCES = tests/unit/test_hprim.c
tests_unit_test_hprim_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_hprim_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hprim_LDADD = $(UNIT_DOCUMENT_LIBS)
check_PROGRAMS += tests/unit/test_filing
TESTS += tests/unit/test_filing
tests_unit_test_filing_SOURCES = tests/unit/test_filing.c
tests_unit_test_filing_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_filing_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_filing_LDADD = $(UNIT_DOCUMENT_LIBS)

check_PROGRAMS += tests/unit/test_patient
TESTS += tests/unit/test_patient
tests_unit_test_patient_SOURCES = tests/unit/test_patient.c
tests_unit_test_patient_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_patient_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_patient_LDADD = $(UNIT_DOCUMENT_LIBS)

check_PROGRAMS += tests/unit/test_alias
TESTS += tests/unit/test_alias
tests_unit_test_alias_SOURCES = tests/unit/test_alias.c
tests_unit_test_alias_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_alias_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_alias_LDADD = $(UNIT_DOCUMENT_LIBS)

check_PROGRAMS += tests/unit/test_extract
TESTS += tests/unit/test_extract
tests_unit_test_extract_SOURCES = tests/unit/test_extract.c
tests_unit_test_extract_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_extract_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_extract_LDADD = $(UNIT_DOCUMENT_LIBS) $(GMIME_LIBS)
