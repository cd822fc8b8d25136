# unit tests of the upper half of src/vault
UNIT_GATE_LIBS = src/libvault.a $(UNIT_BASE_LIBS)
check_PROGRAMS += tests/unit/test_gate_open
TESTS += tests/unit/test_gate_open
tests_unit_test_gate_open_SOURCES = tests/unit/test_gate_open.c
tests_unit_test_gate_open_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_open_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_open_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_gate_look
TESTS += tests/unit/test_gate_look
tests_unit_test_gate_look_SOURCES = tests/unit/test_gate_look.c
tests_unit_test_gate_look_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_look_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_look_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_gate_bar
TESTS += tests/unit/test_gate_bar
tests_unit_test_gate_bar_SOURCES = tests/unit/test_gate_bar.c
tests_unit_test_gate_bar_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_bar_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_bar_LDADD = $(UNIT_GATE_LIBS)

check_PROGRAMS += tests/unit/test_gate_resolve
TESTS += tests/unit/test_gate_resolve
tests_unit_test_gate_resolve_SOURCES = tests/unit/test_gate_resolve.c
tests_unit_test_gate_resolve_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_resolve_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_resolve_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_gate_seal
TESTS += tests/unit/test_gate_seal
tests_unit_test_gate_seal_SOURCES = tests/unit/test_gate_seal.c
tests_unit_test_gate_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_seal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_seal_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_keyfile
TESTS += tests/unit/test_keyfile
tests_unit_test_keyfile_SOURCES = tests/unit/test_keyfile.c
tests_unit_test_keyfile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keyfile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keyfile_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_keystore
TESTS += tests/unit/test_keystore
tests_unit_test_keystore_SOURCES = tests/unit/test_keystore.c
tests_unit_test_keystore_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keystore_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keystore_LDADD = $(UNIT_GATE_LIBS)

check_PROGRAMS += tests/unit/test_keystore_roll
TESTS += tests/unit/test_keystore_roll
tests_unit_test_keystore_roll_SOURCES = tests/unit/test_keystore_roll.c
tests_unit_test_keystore_roll_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keystore_roll_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keystore_roll_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_ring
TESTS += tests/unit/test_ring
tests_unit_test_ring_SOURCES = tests/unit/test_ring.c
tests_unit_test_ring_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_ring_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ring_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_row
TESTS += tests/unit/test_row
tests_unit_test_row_SOURCES = tests/unit/test_row.c
tests_unit_test_row_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_row_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_row_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_sealed
TESTS += tests/unit/test_sealed
tests_unit_test_sealed_SOURCES = tests/unit/test_sealed.c
tests_unit_test_sealed_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_sealed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sealed_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_gate_apply
TESTS += tests/unit/test_gate_apply
tests_unit_test_gate_apply_SOURCES = tests/unit/test_gate_apply.c
tests_unit_test_gate_apply_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_apply_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_apply_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_gate_check
TESTS += tests/unit/test_gate_check
tests_unit_test_gate_check_SOURCES = tests/unit/test_gate_check.c
tests_unit_test_gate_check_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_check_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_check_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_gate_spool
TESTS += tests/unit/test_gate_spool
tests_unit_test_gate_spool_SOURCES = tests/unit/test_gate_spool.c
tests_unit_test_gate_spool_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_spool_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_spool_LDADD = $(UNIT_GATE_LIBS)
# Writes keys/demo; for maintainers.
check_PROGRAMS += tests/tools/make-demo
tests_tools_make_demo_SOURCES = tests/tools/make-demo.c
tests_tools_make_demo_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_tools_make_demo_CFLAGS = $(AM_CFLAGS)
tests_tools_make_demo_LDADD = src/libvault.a src/libbase.a $(SODIUM_LIBS) \
	$(SECCOMP_LIBS)
EXTRA_DIST += tests/unit/assoc.h tests/unit/gate_martin.h \
	tests/unit/gate_unit.h

check_PROGRAMS += tests/unit/test_gate_refused
TESTS += tests/unit/test_gate_refused
tests_unit_test_gate_refused_SOURCES = tests/unit/test_gate_refused.c
tests_unit_test_gate_refused_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_refused_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_refused_LDADD = $(UNIT_GATE_LIBS)

# Memory that ends
EXTRA_DIST += tests/unit/no_memory.h tests/unit/test_gate_memory.c \
	tests/unit/test_keystore_memory.c
if WRAP
NO_MEMORY = -Wl,--wrap=malloc,--wrap=calloc,--wrap=strdup \
	-Wl,--wrap=sodium_malloc,--wrap=buf_add,--wrap=buf_adds \
	-Wl,--wrap=buf_addf,--wrap=buf_str,--wrap=buf_reserve \
	-Wl,--wrap=buf_add8,--wrap=buf_add16,--wrap=buf_add32 \
	-Wl,--wrap=buf_add64
check_PROGRAMS += tests/unit/test_gate_memory
TESTS += tests/unit/test_gate_memory
tests_unit_test_gate_memory_SOURCES = tests/unit/test_gate_memory.c
tests_unit_test_gate_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_memory_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_memory_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY)
tests_unit_test_gate_memory_LDADD = $(UNIT_GATE_LIBS)
check_PROGRAMS += tests/unit/test_keystore_memory
TESTS += tests/unit/test_keystore_memory
tests_unit_test_keystore_memory_SOURCES = tests/unit/test_keystore_memory.c
tests_unit_test_keystore_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keystore_memory_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keystore_memory_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY)
tests_unit_test_keystore_memory_LDADD = $(UNIT_GATE_LIBS)
endif
