noinst_LIBRARIES += src/libwire.a
src_libwire_a_SOURCES = src/wire/floor.c
src_libwire_a_CFLAGS = $(AM_CFLAGS) $(ETPAN_CFLAGS) $(ESMTP_CFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS)
