# Faults at the n-th call, and the record of a disk: libraries that tests
# preload; Linux only, made when a test asks for one (tests/world/fault.py),
# never installed.  Plain: no sanitizer in them, no fortified names.
PRELOADED = $(CC) -std=c11 -O2 -fPIC -shared -Wall -Wextra \
    -U_FORTIFY_SOURCE -fno-sanitize=all -fno-builtin -o $@
tests/fault/shim.so: $(top_srcdir)/tests/fault/shim.c \
    $(top_srcdir)/tests/fault/places.h $(top_srcdir)/tests/fault/calls.c
	@$(MKDIR_P) tests/fault
	$(AM_V_CCLD)$(PRELOADED) $(top_srcdir)/tests/fault/shim.c \
	    $(top_srcdir)/tests/fault/calls.c -ldl
tests/fault/power.so: $(top_srcdir)/tests/fault/power.c
	@$(MKDIR_P) tests/fault
	$(AM_V_CCLD)$(PRELOADED) $(top_srcdir)/tests/fault/power.c -ldl
CLEANFILES += tests/fault/shim.so tests/fault/power.so

# Each death of a day, judged; hours in full, it goes on where it stopped.
# make check-crash SEED=1 SAMPLE=20 T=600 J=2 POINTS=1 (at FAULT points only)
# E=sceau (engine of the relays)
check-crash: all
	PYTHONDONTWRITEBYTECODE=1 SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) \
	    $(abs_top_srcdir)/tests/fault/crash.py --seed $${SEED:-1} \
	    --sample $${SAMPLE:-1} $${T:+--seconds $$T} \
	    --jobs $${J:-2} $${POINTS:+--points} $${E:+--engine $$E} \
	    --out $(abs_top_builddir)/build/crash/deaths-$${SEED:-1}$$E.jsonl

# Each power cut of a day, and the disks it can leave, judged; the same.
# make check-power SEED=1 SAMPLE=20 T=600
check-power: all
	PYTHONDONTWRITEBYTECODE=1 SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) \
	    $(abs_top_srcdir)/tests/fault/cut.py --seed $${SEED:-1} \
	    --sample $${SAMPLE:-1} $${T:+--seconds $$T} \
	    --jobs $${J:-2} $${POINTS:+--points} $${E:+--engine $$E} \
	    --out $(abs_top_builddir)/build/power/cuts-$${SEED:-1}$$E.jsonl

# Each call that can fail, failing; goes on where it stopped.
# make check-fault SEED=1 SAMPLE=20 T=600; PLACES=1: each place of it, once;
# SAN=1: with a build of the sanitizers, each process looking for leaks
check-fault: all
	test -z "$$SAN" || $(MAKE) dev-asan
	$(MAYBE_SAN) $(PYTHON) \
	    $(abs_top_srcdir)/tests/fault/fail.py --seed $${SEED:-1} \
	    --sample $${SAMPLE:-1} $${T:+--seconds $$T} $${PLACES:+--places} \
	    --out $(abs_top_builddir)/build/fail$${SAN:+-asan}/$(CALLS)
CALLS = calls-$${SEED:-1}.jsonl
MAYBE_SAN = env PYTHONDONTWRITEBYTECODE=1 $${SAN:+SCEAU_FAULT_LEAKS=1 $(LSAN)} \
	SCEAU_BUILD=$(abs_top_builddir)$${SAN:+/build/dev/asan}
LSAN = LSAN_OPTIONS=print_suppressions=0:suppressions=$(LIBS_LOSE)
LIBS_LOSE = $(abs_top_srcdir)/tests/fault/libraries.supp

# Passes, each failing at a place in the program that has not failed yet.
# make check-places T=600; LIES=1: a part sends what it should not; SAN=1
check-places: all
	test -z "$$SAN" || $(MAKE) dev-asan
	$(MAYBE_SAN) $(PYTHON) \
	    $(abs_top_srcdir)/tests/fault/places.py $${LIES:+--lies} \
	    $${T:+--seconds $$T}

# Each page of a store damaged, each file system too small or read only; wants
# root; goes on where it stopped.  make check-disk SEED=1 SAMPLE=20 T=600
check-disk: all
	PYTHONDONTWRITEBYTECODE=1 SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) \
	    $(abs_top_srcdir)/tests/fault/disk.py --seed $${SEED:-1} \
	    --sample $${SAMPLE:-1} $${T:+--seconds $$T} \
	    --out $(abs_top_builddir)/build/disk/pages-$${SEED:-1}.jsonl

# Each thing a hostile server does, tried; goes on where it stopped.
# make check-hostile SEED=1 SAMPLE=10 T=600; make hostile-report
HOSTILE = PYTHONDONTWRITEBYTECODE=1 SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) \
	$(abs_top_srcdir)/tests/hostile/campaign.py \
	--out $(abs_top_builddir)/build/hostile/rows.jsonl
check-hostile: all
	$(HOSTILE) --seed $${SEED:-1} --sample $${SAMPLE:-1} \
	    $${T:+--seconds $$T}
hostile-report:
	$(HOSTILE) --table | $(TOOLS)/section \
	    $(abs_top_srcdir)/tests/RESULTS.md "Hostile servers"

.PHONY: check-hostile hostile-report check-crash check-disk check-fault \
	check-places check-power
