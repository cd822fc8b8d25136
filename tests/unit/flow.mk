# unit tests of src/flow
EXTRA_DIST += tests/e2e/test_outbox.py tests/e2e/test_outbox_crash.py \
	tests/world/outbox.py
UNIT_FLOW_LIBS = src/libflow.a src/libwire.a src/libstore.a src/libvault.a \
	src/libdocument.a src/libconf.a src/libmail.a $(UNIT_BASE_LIBS) \
	$(ETPAN_LIBS) $(ESMTP_LIBS) $(CURL_LIBS) $(OPENSSL_LIBS) \
	$(SQLITE_LIBS) $(GMIME_LIBS) $(CONFUSE_LIBS) $(SC_RESOLV_LIBS)

check_PROGRAMS += tests/unit/test_keeper_lines
TESTS += tests/unit/test_keeper_lines
tests_unit_test_keeper_lines_SOURCES = tests/unit/test_keeper_lines.c
tests_unit_test_keeper_lines_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keeper_lines_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_keeper_lines_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_keeper_rows
TESTS += tests/unit/test_keeper_rows
tests_unit_test_keeper_rows_SOURCES = tests/unit/test_keeper_rows.c
tests_unit_test_keeper_rows_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keeper_rows_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_keeper_rows_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_suspect
TESTS += tests/unit/test_suspect
tests_unit_test_suspect_SOURCES = tests/unit/test_suspect.c
tests_unit_test_suspect_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_suspect_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_suspect_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_outmail
TESTS += tests/unit/test_outmail
tests_unit_test_outmail_SOURCES = tests/unit/test_outmail.c
tests_unit_test_outmail_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_outmail_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_outmail_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_outscan
TESTS += tests/unit/test_outscan
tests_unit_test_outscan_SOURCES = tests/unit/test_outscan.c
tests_unit_test_outscan_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_outscan_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_outscan_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_outaway
TESTS += tests/unit/test_outaway
tests_unit_test_outaway_SOURCES = tests/unit/test_outaway.c
tests_unit_test_outaway_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_outaway_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_outaway_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_sealing
TESTS += tests/unit/test_sealing
tests_unit_test_sealing_SOURCES = tests/unit/test_sealing.c
tests_unit_test_sealing_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_sealing_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_sealing_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_field
TESTS += tests/unit/test_field
tests_unit_test_field_SOURCES = tests/unit/test_field.c
tests_unit_test_field_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_field_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_field_LDADD = $(UNIT_FLOW_LIBS)

EXTRA_DIST += tests/unit/lines.h
check_PROGRAMS += tests/unit/test_vault_lines
TESTS += tests/unit/test_vault_lines
tests_unit_test_vault_lines_SOURCES = tests/unit/test_vault_lines.c
tests_unit_test_vault_lines_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_vault_lines_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_vault_lines_LDADD = $(UNIT_FLOW_LIBS)

check_PROGRAMS += tests/unit/test_clerk_lines
TESTS += tests/unit/test_clerk_lines
tests_unit_test_clerk_lines_SOURCES = tests/unit/test_clerk_lines.c
tests_unit_test_clerk_lines_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_clerk_lines_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_clerk_lines_LDADD = $(UNIT_FLOW_LIBS)

EXTRA_DIST += tests/unit/test_flow_memory.c
if WRAP
check_PROGRAMS += tests/unit/test_flow_memory
TESTS += tests/unit/test_flow_memory
tests_unit_test_flow_memory_SOURCES = tests/unit/test_flow_memory.c
tests_unit_test_flow_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_flow_memory_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_flow_memory_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY)
tests_unit_test_flow_memory_LDADD = $(UNIT_FLOW_LIBS)
endif

EXTRA_DIST += tests/unit/pass_unit.h tests/unit/pass_parts.h \
	tests/unit/test_pass_practice.c \
	tests/unit/test_pass_labo.c tests/unit/test_pass_desk.c \
	tests/unit/test_pass_acts.c tests/unit/test_pass_relay.c
if WRAP
PASS_TROUBLE = -Wl,--export-dynamic-symbol=shim_quiet,--wrap=chan_next \
	-Wl,--wrap=chan_recv,--wrap=clock_ms,--wrap=sqlite3_step \
	-Wl,--wrap=sqlite3_prepare_v3,--wrap=fstat,--wrap=fstatat \
	-Wl,--wrap=pread,--wrap=renameat,--wrap=linkat,--wrap=unlinkat \
	-Wl,--wrap=mkdirat,--wrap=fsync,--wrap=poll,--wrap=waitpid \
	-Wl,--wrap=openat,--wrap=lseek,--wrap=unlink,--wrap=socketpair \
	-Wl,--wrap=fork
check_PROGRAMS += tests/unit/test_pass_practice
TESTS += tests/unit/test_pass_practice
tests_unit_test_pass_practice_SOURCES = tests/unit/test_pass_practice.c
tests_unit_test_pass_practice_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pass_practice_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_pass_practice_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY) \
	$(PASS_TROUBLE)
tests_unit_test_pass_practice_LDADD = $(UNIT_FLOW_LIBS)
check_PROGRAMS += tests/unit/test_pass_labo
TESTS += tests/unit/test_pass_labo
tests_unit_test_pass_labo_SOURCES = tests/unit/test_pass_labo.c
tests_unit_test_pass_labo_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pass_labo_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_pass_labo_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY) \
	$(PASS_TROUBLE)
tests_unit_test_pass_labo_LDADD = $(UNIT_FLOW_LIBS)
check_PROGRAMS += tests/unit/test_pass_desk
TESTS += tests/unit/test_pass_desk
tests_unit_test_pass_desk_SOURCES = tests/unit/test_pass_desk.c
tests_unit_test_pass_desk_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pass_desk_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_pass_desk_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY) \
	$(PASS_TROUBLE)
tests_unit_test_pass_desk_LDADD = $(UNIT_FLOW_LIBS)
check_PROGRAMS += tests/unit/test_pass_acts
TESTS += tests/unit/test_pass_acts
tests_unit_test_pass_acts_SOURCES = tests/unit/test_pass_acts.c
tests_unit_test_pass_acts_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pass_acts_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_pass_acts_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY) \
	$(PASS_TROUBLE)
tests_unit_test_pass_acts_LDADD = $(UNIT_FLOW_LIBS)
check_PROGRAMS += tests/unit/test_pass_relay
TESTS += tests/unit/test_pass_relay
tests_unit_test_pass_relay_SOURCES = tests/unit/test_pass_relay.c
tests_unit_test_pass_relay_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pass_relay_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_pass_relay_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY) \
	$(PASS_TROUBLE)
tests_unit_test_pass_relay_LDADD = $(UNIT_FLOW_LIBS)
endif
