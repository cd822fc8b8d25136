noinst_LIBRARIES += src/libvault.a
src_libvault_a_SOURCES = src/vault/floor.c src/vault/gate.h
