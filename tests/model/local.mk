# The protocol's models: make check-model (spin), check-model-full.
EXTRA_DIST += tests/model/README tests/model/closure.py \
	tests/model/delivery.pml tests/model/run

check-model:
	PYTHON='$(PYTHON)' CC='$(CC)' sh $(srcdir)/tests/model/run
check-model-full:
	PYTHON='$(PYTHON)' CC='$(CC)' sh $(srcdir)/tests/model/run --full
.PHONY: check-model check-model-full
