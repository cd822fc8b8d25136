# Unit tests: one program per file of src, linked with its floor and those
# under it only.  Each floor lists its own in tests/unit/FLOOR.mk.
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit \
	-DTEST_SRCDIR='"$(abs_top_srcdir)"'
include tests/unit/base.mk
include tests/unit/mail.mk
include tests/unit/document.mk
include tests/unit/vault.mk
include tests/unit/vault_gate.mk
include tests/unit/store.mk
include tests/unit/conf.mk
include tests/unit/wire.mk
include tests/unit/flow.mk
include tests/unit/issuer.mk
include tests/py/local.mk
include tests/model/local.mk
EXTRA_DIST += tests/unit/unit.h
# What makes and tests everything; the tools say what they do at their top.
EXTRA_DIST += tests/conftest.py tests/pytest.ini tests/py/test_program.py \
	tests/tools/build tests/tools/count tests/tools/files \
	tests/tools/packages tests/tools/setup tests/tools/tree
# Real servers on loopback, and the authorities of their certificates.
EXTRA_DIST += tests/world/ca.py tests/world/dovecot.py
EXTRA_DIST += tests/world/smtp_script.py tests/world/postfix.py \
	tests/world/relay.py tests/e2e/test_wire_out.py \
	tests/e2e/test_wire_out_piped.py tests/e2e/test_wire_out_tls.py
include tests/tools/local.mk
include tests/fuzz/local.mk
include tests/soak/local.mk
include tests/years/local.mk
include tests/bench/local.mk
include tests/fault/local.mk
