noinst_LIBRARIES += src/libcmd.a
src_libcmd_a_SOURCES = src/cmd/floor.c
src_libcmd_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
