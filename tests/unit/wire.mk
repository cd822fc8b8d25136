# unit tests of src/wire
UNIT_WIRE_LIBS = src/libwire.a src/libconf.a src/libmail.a src/libbase.a \
	$(ETPAN_LIBS) $(ESMTP_LIBS) $(CURL_LIBS) $(OPENSSL_LIBS) \
	$(SODIUM_LIBS) $(SECCOMP_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_reply
TESTS += tests/unit/test_reply
tests_unit_test_reply_SOURCES = tests/unit/test_reply.c
tests_unit_test_reply_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_reply_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reply_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/tools/wire-relay
tests_tools_wire_relay_SOURCES = tests/tools/wire-relay.c
tests_tools_wire_relay_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_tools_wire_relay_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/tools/wire-source
tests_tools_wire_source_SOURCES = tests/tools/wire-source.c
tests_tools_wire_source_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_tools_wire_source_LDADD = $(UNIT_WIRE_LIBS)
