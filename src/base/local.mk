noinst_LIBRARIES += src/libbase.a
src_libbase_a_SOURCES = \
	src/base/buf.c src/base/buf.h \
	src/base/chan.c src/base/chan.h \
	src/base/clock.c src/base/clock.h \
	src/base/err.c src/base/err.h \
	src/base/fault.c src/base/fault.h \
	src/base/fault_probe.c src/base/fault_probe.h \
	src/base/file.c src/base/file.h \
	src/base/hours.c src/base/hours.h \
	src/base/lang.c src/base/lang.h \
	src/base/late.c src/base/late.h \
	src/base/lease.c src/base/lease.h \
	src/base/log.c src/base/log.h \
	src/base/sandbox.c src/base/sandbox.h \
	src/base/sandbox_landlock.c src/base/sandbox_linux.h \
	src/base/sandbox_seccomp.c \
	src/base/secret.c src/base/secret.h \
	src/base/utf8.c src/base/utf8.h
src_libbase_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
