noinst_LIBRARIES += src/libstore.a
src_libstore_a_SOURCES = src/store/floor.c \
	src/store/store.h src/store/store_ack.h src/store/store_hub.h \
	src/store/store_in.h src/store/store_out.h
src_libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
