# Two simulated years of an association, each step held against the closure
# model; wants root.  make check-years N=200 SEED=1 SHORT=1 J=3;
# make years-report
YEARS = $(abs_top_builddir)/build/years/report.json
check-years: all
	PYTHONDONTWRITEBYTECODE=1 SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) \
	    $(abs_top_srcdir)/tests/years/years.py \
	    --members $${N:-200} --seed $${SEED:-1} $${SHORT:+--short} \
	    --jobs $${J:-3} \
	    --out $(YEARS)
years-report:
	$(PYTHON) $(abs_top_srcdir)/tests/years/years.py --table $(YEARS) | \
	    $(TOOLS)/section $(abs_top_srcdir)/tests/RESULTS.md "Two years"

.PHONY: check-years years-report
