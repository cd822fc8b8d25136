# The protocol's models: make check-model (spin), check-model-full.
EXTRA_DIST += tests/model/README tests/model/closure.py \
	tests/model/history.py tests/model/told.py \
	tests/model/delivery.pml tests/model/run \
	tests/model/eva/config.h tests/model/eva/eva.h tests/model/eva/eva.c \
	tests/model/eva/code.c tests/model/eva/identity.c \
	tests/model/eva/envelope.c tests/model/eva/record.c \
	tests/model/eva/run

check-model:
	PYTHON='$(PYTHON)' CC='$(CC)' sh $(srcdir)/tests/model/run
check-model-full:
	PYTHON='$(PYTHON)' CC='$(CC)' sh $(srcdir)/tests/model/run --full
check-eva:
	sh $(srcdir)/tests/model/eva/run
.PHONY: check-model check-model-full check-eva
