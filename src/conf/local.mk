noinst_LIBRARIES += src/libconf.a
src_libconf_a_SOURCES = src/conf/floor.c
src_libconf_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
