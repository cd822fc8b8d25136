noinst_LIBRARIES += src/libdocument.a
src_libdocument_a_SOURCES = src/document/floor.c
src_libdocument_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)
