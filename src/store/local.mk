noinst_LIBRARIES += src/libstore.a
src_libstore_a_SOURCES = src/store/floor.c
src_libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
