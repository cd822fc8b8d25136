# unit tests of the upper half of src/vault
UNIT_GATE_LIBS = src/libvault.a $(UNIT_BASE_LIBS)
check_PROGRAMS += tests/unit/test_gate_open
TESTS += tests/unit/test_gate_open
tests_unit_test_gate_open_SOURCES = tests/unit/test_gate_open.c
tests_unit_test_gate_open_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_open_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_open_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/tools/make-demo
tests_tools_make_demo_SOURCES = tests/tools/make-demo.c
tests_tools_make_demo_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_tools_make_demo_CFLAGS = $(AM_CFLAGS)
tests_tools_make_demo_LDADD = src/libvault.a src/libbase.a $(SODIUM_LIBS) \
	$(SECCOMP_LIBS)
EXTRA_DIST += tests/unit/assoc.h tests/unit/gate_unit.h
