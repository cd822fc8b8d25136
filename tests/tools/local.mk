# Developer's targets; HACKING lists them, the tools say what they do.
TOOLS = $(abs_top_srcdir)/tests/tools
DEV_TREE = $(abs_top_builddir)/build/dev/tree
DEV_ASAN = $(abs_top_builddir)/build/dev/asan
PYTEST = cd $(abs_top_srcdir)/tests && PYTHONDONTWRITEBYTECODE=1 \
	SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) -m pytest -q

check-e2e: all
	$(PYTEST)

check-asan: dev-asan
	$(MAKE) -C $(DEV_ASAN) check
	$(MAKE) -C $(DEV_ASAN) check-main check-leaks

# A build with the sanitizers, of the source as it is now.
dev-asan:
	$(TOOLS)/tree $(DEV_TREE)
	if test -x $(DEV_ASAN)/sceau; then $(MAKE) -C $(DEV_ASAN) all; else \
	    $(TOOLS)/build $(DEV_TREE) $(DEV_ASAN) --enable-werror \
	    --enable-fault --enable-sanitizers PYTHON=$(PYTHON); fi

check-main: all
	$(PYTEST) -m main

# Of a build with the sanitizers: see make check-asan.
check-leaks: all
	$(PYTEST) -m leaks

# What takes minutes: every crash point, 100 MB by another implementation.
check-slow: all
	$(PYTEST) -m slow

lint: distdir
	$(TOOLS)/lint --top $(abs_top_srcdir) --dist $(distdir)
	$(TOOLS)/lint-selftest
	-chmod -R u+w $(distdir)
	rm -rf $(distdir)

format:
	cd $(abs_top_srcdir) && $(TOOLS)/format

format-check:
	cd $(abs_top_srcdir) && $(TOOLS)/format --check

.PHONY: check-e2e check-slow check-asan check-main check-leaks dev-asan \
	lint format format-check

# Whatever the fragments did not name goes into the tarball all the same.
dist-hook:
	$(TOOLS)/files | while read -r f; do \
	    test -f "$(distdir)/$$f" || { \
	        $(MKDIR_P) "$(distdir)/`dirname "$$f"`" && \
	        cp -p "$(srcdir)/$$f" "$(distdir)/$$f"; } || exit 1; \
	done

# Needs root, a network and 1.5 GB: see the top of the tool.
check-fresh:
	$(TOOLS)/fresh

.PHONY: check-fresh

# Lines and branches that the tests reach, per floor.
# make coverage FAULT=600 (seconds of passes that fail) LINES=1 (every one)
coverage:
	$(TOOLS)/coverage --e2e $${FAULT:+--fault $$FAULT} $${LINES:+--lines}

.PHONY: coverage
