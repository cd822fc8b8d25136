# unit tests of src/store
UNIT_STORE_LIBS = src/libstore.a $(UNIT_BASE_LIBS) $(SQLITE_LIBS)
UNIT_STORE_CFLAGS = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
EXTRA_DIST += tests/unit/store_unit.h

check_PROGRAMS += tests/unit/test_store_in
TESTS += tests/unit/test_store_in
tests_unit_test_store_in_SOURCES = tests/unit/test_store_in.c
tests_unit_test_store_in_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_in_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_in_LDADD = $(UNIT_STORE_LIBS)
