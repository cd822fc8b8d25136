noinst_LIBRARIES += src/libwire.a
src_libwire_a_SOURCES = \
	src/wire/digest.c src/wire/digest.h \
	src/wire/dns.c src/wire/dns.h \
	src/wire/idtable.c src/wire/idtable.h \
	src/wire/imap_fetch.c \
	src/wire/imap_io.c src/wire/imap_talk.h \
	src/wire/imap_release.c src/wire/imap_source.h \
	src/wire/imap_talk.c \
	src/wire/imap_text.c \
	src/wire/late_etpan.c src/wire/late_etpan.h \
	src/wire/late_ssl.c src/wire/late_ssl.h \
	src/wire/link.c src/wire/link.h \
	src/wire/net.c src/wire/net.h \
	src/wire/pop3.c src/wire/pop3.h \
	src/wire/pop3_apart.c src/wire/pop3_source.h \
	src/wire/pop3_talk.c src/wire/pop3_talk.h \
	src/wire/drop.c src/wire/drop.h \
	src/wire/pipe.c src/wire/pipe.h \
	src/wire/relay.c src/wire/relay.h src/wire/relay_engine.h \
	src/wire/relay_smtp.c \
	src/wire/relay_words.c \
	src/wire/reply.c src/wire/reply.h \
	src/wire/roots.c src/wire/roots.h \
	src/wire/smtp_talk.c src/wire/smtp_talk.h \
	src/wire/source.c src/wire/source.h \
	src/wire/source_folder.c src/wire/source_impl.h \
	src/wire/source_imap.c \
	src/wire/source_maildir.c \
	src/wire/source_pop3.c \
	src/wire/source_stdin.c \
	src/wire/stream.c src/wire/stream.h \
	src/wire/tls.c src/wire/tls.h \
	src/wire/why.h
if ESMTP
src_libwire_a_SOURCES += src/wire/late_esmtp.c src/wire/late_esmtp.h \
	src/wire/relay_esmtp.c src/wire/relay_esmtp.h \
	src/wire/relay_esmtp_event.c \
	src/wire/watch.c src/wire/watch.h
endif
if CURL
src_libwire_a_SOURCES += src/wire/late_curl.c src/wire/late_curl.h \
	src/wire/relay_curl.c src/wire/relay_curl.h \
	src/wire/relay_curl_set.c
endif
src_libwire_a_CFLAGS = $(AM_CFLAGS) $(ETPAN_CFLAGS) $(ESMTP_CFLAGS) \
	$(CURL_CFLAGS) $(OPENSSL_CFLAGS)
