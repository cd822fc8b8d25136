noinst_LIBRARIES += src/libwire.a
src_libwire_a_SOURCES = \
	src/wire/source.h \
	src/wire/tls.c src/wire/tls.h \
	src/wire/why.h
src_libwire_a_CFLAGS = $(AM_CFLAGS) $(ETPAN_CFLAGS) $(ESMTP_CFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS)
