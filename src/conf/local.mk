noinst_LIBRARIES += src/libconf.a
src_libconf_a_SOURCES = \
	src/conf/conf.c src/conf/conf.h \
	src/conf/cred.c src/conf/cred.h \
	src/conf/fill.c src/conf/fill.h \
	src/conf/pairs.c src/conf/pairs.h \
	src/conf/pairs_deliver.c src/conf/pairs_outbox.c \
	src/conf/place.c src/conf/place.h \
	src/conf/provider.c src/conf/provider.h \
	src/conf/table.c src/conf/table.h \
	src/conf/value.c src/conf/value.h
src_libconf_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
