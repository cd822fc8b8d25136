noinst_LIBRARIES += src/libwire.a
src_libwire_a_SOURCES = \
	src/wire/relay.c src/wire/relay.h src/wire/relay_engine.h \
	src/wire/reply.c src/wire/reply.h \
	src/wire/source.h \
	src/wire/tls.c src/wire/tls.h \
	src/wire/why.h
if ESMTP
src_libwire_a_SOURCES += src/wire/relay_esmtp.c \
	src/wire/watch.c src/wire/watch.h
endif
if CURL
src_libwire_a_SOURCES += src/wire/relay_curl.c
endif
src_libwire_a_CFLAGS = $(AM_CFLAGS) $(ETPAN_CFLAGS) $(ESMTP_CFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS)
