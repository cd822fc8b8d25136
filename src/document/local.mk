noinst_LIBRARIES += src/libdocument.a
src_libdocument_a_SOURCES = \
	src/document/extract.c src/document/extract.h
src_libdocument_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)
