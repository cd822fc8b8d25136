# One libFuzzer harness per file fuzz_NAME.c.  A comment "links: vault base"
# at its top names the floors it needs, from the top floor down.  Wants clang
# and libraries built for it: see tests/tools/fuzz.
FUZZ_CPPFLAGS = $(DEFS) -I. $(AM_CPPFLAGS) $(CPPFLAGS) \
	-I$(top_srcdir)/tests/unit $(GMIME_CFLAGS) \
	$(SQLITE_CFLAGS) $(OPENSSL_CFLAGS) $(CONFUSE_CFLAGS) $(JANSSON_CFLAGS)
FUZZ_LIBS = $(ETPAN_LIBS) $(ESMTP_LIBS) $(CURL_LIBS) $(OPENSSL_LIBS) \
	$(SQLITE_LIBS) $(GMIME_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS) \
	$(QRENCODE_LIBS) $(SODIUM_LIBS) $(SECCOMP_LIBS) $(SC_RESOLV_LIBS)

tests/fuzz/fuzz_%: $(top_srcdir)/tests/fuzz/fuzz_%.c $(noinst_LIBRARIES) \
		$(top_srcdir)/tests/fuzz/fuzz.h \
		$(top_srcdir)/tests/fuzz/sealed.h \
		$(top_srcdir)/tests/fuzz/gates.h
	@$(MKDIR_P) tests/fuzz
	$(AM_V_CCLD)$(CC) $(FUZZ_CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) \
	    -fsanitize=fuzzer -o $@ $< \
	    `sed -n 's|.*links: *\([a-z ]*\).*|\1|p' $< | \
	        tr ' ' '\n' | sed -n 's|.\{1,\}|src/lib&.a|p'` \
	    -Wl,--as-needed $(FUZZ_LIBS)

fuzz-smoke:
	$(TOOLS)/fuzz --seconds 10

# make fuzz F=find T=3600: goes on where the last one ended; without F each
# harness that has not run enough yet, in turn.  Its figures go to
# build/fuzz/figures, and from there:
fuzz:
	$(TOOLS)/fuzz --keep --seconds $${T:-600} $${F:---lacking}
fuzz-report:
	$(TOOLS)/fuzz --report | \
	    $(TOOLS)/section $(abs_top_srcdir)/tests/RESULTS.md Fuzzing

.PHONY: fuzz fuzz-smoke fuzz-report
