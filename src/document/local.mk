noinst_LIBRARIES += src/libdocument.a
src_libdocument_a_SOURCES = \
	src/document/alias.c src/document/alias.h \
	src/document/charset.c src/document/charset.h \
	src/document/charset_guess.c \
	src/document/charset_table.c src/document/charset_table.h \
	src/document/civil.c src/document/civil.h \
	src/document/extract.c src/document/extract.h \
	src/document/filing.c src/document/filing.h \
	src/document/hprim.c src/document/hprim.h \
	src/document/hprim_priv.h \
	src/document/hprim_body.c \
	src/document/hprim_header.c \
	src/document/hprim_party.c \
	src/document/hprim_say.c \
	src/document/late_gmime.c src/document/late_gmime.h \
	src/document/patient.c src/document/patient.h \
	src/document/plain.c src/document/plain.h
src_libdocument_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)
