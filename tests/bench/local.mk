# How fast it is beside others, on real servers; HACKING has the settings.
# make bench B=fetch N=1000 ROUNDS=3 FULL=1 MATCH="IMAP, 40 ms"
bench:
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) \
	    $(abs_top_srcdir)/tests/bench/main.py \
	    --out $(abs_top_builddir)/build/bench $${B:+--only $$B} \
	    $${N:+--count $$N} --rounds $${ROUNDS:-3} $${FULL:+--full} \
	    --match "$${MATCH:-}"

bench-issuer:
	$(MAKE) bench B=issuer

bench-report:
	$(PYTHON) $(abs_top_srcdir)/tests/bench/report.py \
	    $(abs_top_builddir)/build/bench | $(TOOLS)/section \
	    $(abs_top_srcdir)/tests/RESULTS.md Benchmarks

.PHONY: bench bench-issuer bench-report
