noinst_LIBRARIES += src/libissuer.a
src_libissuer_a_SOURCES = src/issuer/floor.c
