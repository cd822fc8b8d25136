# Hours on real servers with kills, cuts and leaps; make soak N=1000 SEED=7.
soak: all
	PYTHONDONTWRITEBYTECODE=1 SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) \
	    $(abs_top_srcdir)/tests/soak/soak.py \
	    --messages $${N:-100000} --seed $${SEED:-1} \
	    --out $(abs_top_builddir)/build/soak/report.json

.PHONY: soak
