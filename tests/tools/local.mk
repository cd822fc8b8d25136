# Developer's targets; HACKING lists them, the tools say what they do.
TOOLS = $(abs_top_srcdir)/tests/tools
DEV_TREE = $(abs_top_builddir)/build/dev/tree
PYTEST = cd $(abs_top_srcdir)/tests && PYTHONDONTWRITEBYTECODE=1 \
	SCEAU_BUILD=$(abs_top_builddir) $(PYTHON) -m pytest -q

check-e2e: all
	$(PYTEST)

check-asan:
	$(TOOLS)/tree $(DEV_TREE)
	$(TOOLS)/build $(DEV_TREE) $(abs_top_builddir)/build/dev/asan \
	    --enable-werror --enable-fault --enable-sanitizers PYTHON=$(PYTHON)
	$(MAKE) -C $(abs_top_builddir)/build/dev/asan check
	$(MAKE) -C $(abs_top_builddir)/build/dev/asan check-main

check-main: all
	$(PYTEST) -m main

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

.PHONY: check-e2e check-slow check-asan check-main lint format format-check

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
