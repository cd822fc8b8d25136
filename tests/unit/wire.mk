# unit tests of src/wire
UNIT_WIRE_LIBS = src/libwire.a src/libconf.a src/libmail.a src/libbase.a \
	$(ETPAN_LIBS) $(ESMTP_LIBS) $(CURL_LIBS) $(OPENSSL_LIBS) \
	$(SODIUM_LIBS) $(SECCOMP_LIBS) $(SC_RESOLV_LIBS) $(CMOCKA_LIBS)
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
check_PROGRAMS += tests/unit/test_drop
TESTS += tests/unit/test_drop
tests_unit_test_drop_SOURCES = tests/unit/test_drop.c
tests_unit_test_drop_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_drop_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_drop_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_idtable
TESTS += tests/unit/test_idtable
tests_unit_test_idtable_SOURCES = tests/unit/test_idtable.c
tests_unit_test_idtable_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_idtable_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_idtable_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_imap_text
TESTS += tests/unit/test_imap_text
tests_unit_test_imap_text_SOURCES = tests/unit/test_imap_text.c
tests_unit_test_imap_text_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_imap_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_imap_text_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_pop3
TESTS += tests/unit/test_pop3
tests_unit_test_pop3_SOURCES = tests/unit/test_pop3.c
tests_unit_test_pop3_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pop3_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pop3_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_stream
TESTS += tests/unit/test_stream
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c
tests_unit_test_stream_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_stream_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stream_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_tls
TESTS += tests/unit/test_tls
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c
tests_unit_test_tls_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tls_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tls_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_dns
TESTS += tests/unit/test_dns
tests_unit_test_dns_SOURCES = tests/unit/test_dns.c
tests_unit_test_dns_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dns_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_net
TESTS += tests/unit/test_net
tests_unit_test_net_SOURCES = tests/unit/test_net.c
tests_unit_test_net_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_net_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_net_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_pipe
TESTS += tests/unit/test_pipe
tests_unit_test_pipe_SOURCES = tests/unit/test_pipe.c
tests_unit_test_pipe_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pipe_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pipe_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_roots
TESTS += tests/unit/test_roots
tests_unit_test_roots_SOURCES = tests/unit/test_roots.c
tests_unit_test_roots_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_roots_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_roots_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_source
TESTS += tests/unit/test_source
tests_unit_test_source_SOURCES = tests/unit/test_source.c
tests_unit_test_source_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_source_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_imap
TESTS += tests/unit/test_imap
tests_unit_test_imap_SOURCES = tests/unit/test_imap.c
tests_unit_test_imap_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_imap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_imap_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_imap_missing
TESTS += tests/unit/test_imap_missing
tests_unit_test_imap_missing_SOURCES = tests/unit/test_imap_missing.c
tests_unit_test_imap_missing_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_imap_missing_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_imap_missing_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_pop3_talk
TESTS += tests/unit/test_pop3_talk
tests_unit_test_pop3_talk_SOURCES = tests/unit/test_pop3_talk.c
tests_unit_test_pop3_talk_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pop3_talk_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pop3_talk_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_tls_server
TESTS += tests/unit/test_tls_server
tests_unit_test_tls_server_SOURCES = tests/unit/test_tls_server.c
tests_unit_test_tls_server_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_tls_server_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tls_server_LDADD = $(UNIT_WIRE_LIBS)

# Memory that ends, calls of the system and of libraries that fail
EXTRA_DIST += tests/unit/folder.h tests/unit/script.h tests/unit/seen.h \
	tests/unit/imap_script.h \
	tests/unit/no_system.h tests/unit/odd.h tests/unit/test_wire_memory.c \
	tests/unit/test_wire_files.c tests/unit/test_wire_race.c \
	tests/unit/test_relay.c
if WRAP
NO_SYSTEM = -Wl,--wrap=rename,--wrap=link,--wrap=lstat,--wrap=fstat \
	-Wl,--wrap=fstatat,--wrap=unlink,--wrap=unlinkat,--wrap=mkstemp \
	-Wl,--wrap=fsync,--wrap=fdopendir,--wrap=read,--wrap=recv \
	-Wl,--wrap=send,--wrap=poll,--wrap=waitpid,--wrap=fork \
	-Wl,--wrap=socket,--wrap=close,--wrap=openat
check_PROGRAMS += tests/unit/test_wire_memory
TESTS += tests/unit/test_wire_memory
tests_unit_test_wire_memory_SOURCES = tests/unit/test_wire_memory.c
tests_unit_test_wire_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_wire_memory_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_wire_memory_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY)
tests_unit_test_wire_memory_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_wire_files
TESTS += tests/unit/test_wire_files
tests_unit_test_wire_files_SOURCES = tests/unit/test_wire_files.c
tests_unit_test_wire_files_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_wire_files_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_wire_files_LDFLAGS = $(AM_LDFLAGS) $(NO_SYSTEM)
tests_unit_test_wire_files_LDADD = $(UNIT_WIRE_LIBS)
check_PROGRAMS += tests/unit/test_wire_race
TESTS += tests/unit/test_wire_race
tests_unit_test_wire_race_SOURCES = tests/unit/test_wire_race.c
tests_unit_test_wire_race_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_wire_race_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_wire_race_LDFLAGS = $(AM_LDFLAGS) $(NO_SYSTEM) \
	-Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo,--wrap=connect
tests_unit_test_wire_race_LDADD = $(UNIT_WIRE_LIBS)
if CURL
if ESMTP
check_PROGRAMS += tests/unit/test_relay
TESTS += tests/unit/test_relay
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c
tests_unit_test_relay_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_relay_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_relay_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=curl_easy_setopt,--wrap=curl_global_init \
	-Wl,--wrap=memfd_create,--wrap=getpeername,--wrap=file_read \
	-Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo
tests_unit_test_relay_LDADD = $(UNIT_WIRE_LIBS)
endif
endif
endif
