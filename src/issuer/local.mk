noinst_LIBRARIES += src/libissuer.a
src_libissuer_a_SOURCES = \
	src/issuer/acts.c src/issuer/acts.h \
	src/issuer/batch.c src/issuer/batch.h \
	src/issuer/begun.c src/issuer/begun.h \
	src/issuer/csv.c src/issuer/csv.h \
	src/issuer/custody.c src/issuer/custody.h \
	src/issuer/desk.c src/issuer/desk.h \
	src/issuer/desk_init.c src/issuer/desk_year.c src/issuer/desk_years.c \
	src/issuer/enrol.c src/issuer/enrol.h \
	src/issuer/group.c src/issuer/group.h \
	src/issuer/letter.c src/issuer/letter.h \
	src/issuer/letter_page.c \
	src/issuer/members.c src/issuer/members.h \
	src/issuer/members_acts.c \
	src/issuer/members_file.c \
	src/issuer/members_take.c \
	src/issuer/names.c src/issuer/names.h \
	src/issuer/qr.c src/issuer/qr.h \
	src/issuer/ring_walk.c src/issuer/ring_walk.h \
	src/issuer/rings.c src/issuer/rings.h \
	src/issuer/sheets.c src/issuer/sheets.h \
	src/issuer/sister.c src/issuer/sister.h \
	src/issuer/sister_accept.c \
	src/issuer/witness.c src/issuer/witness.h \
	src/issuer/words.c src/issuer/words.h
src_libissuer_a_CFLAGS = $(AM_CFLAGS) $(QRENCODE_CFLAGS)
