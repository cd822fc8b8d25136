# Faults at the n-th call: a library that tests preload; Linux only, made
# when a test asks for it (tests/world/fault.py), never installed.  Plain: no
# sanitizer in it, no fortified names.
tests/fault/shim.so: $(top_srcdir)/tests/fault/shim.c
	@$(MKDIR_P) tests/fault
	$(AM_V_CCLD)$(CC) -std=c11 -O2 -fPIC -shared -Wall -Wextra \
	    -U_FORTIFY_SOURCE -fno-sanitize=all -fno-builtin -o $@ \
	    $(top_srcdir)/tests/fault/shim.c -ldl
CLEANFILES += tests/fault/shim.so
