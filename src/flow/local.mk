noinst_LIBRARIES += src/libflow.a
src_libflow_a_SOURCES = src/flow/floor.c
