noinst_LIBRARIES += src/libmail.a
src_libmail_a_SOURCES = \
	src/mail/addr.c src/mail/addr.h \
	src/mail/b64.c src/mail/b64.h \
	src/mail/find.c src/mail/find.h \
	src/mail/sink.h \
	src/mail/submit.c src/mail/submit.h \
	src/mail/unsealed.c src/mail/unsealed.h \
	src/mail/wrap.c src/mail/wrap.h
