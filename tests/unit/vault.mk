# unit tests of src/vault
UNIT_VAULT_LIBS = src/libvault.a $(UNIT_BASE_LIBS)
check_PROGRAMS += tests/unit/test_kdf
TESTS += tests/unit/test_kdf
tests_unit_test_kdf_SOURCES = tests/unit/test_kdf.c \
	tests/unit/vault_unit.h
tests_unit_test_kdf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_kdf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_kdf_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_identity
TESTS += tests/unit/test_identity
tests_unit_test_identity_SOURCES = tests/unit/test_identity.c \
	tests/unit/vault_unit.h
tests_unit_test_identity_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_identity_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_identity_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_code
TESTS += tests/unit/test_code
tests_unit_test_code_SOURCES = tests/unit/test_code.c \
	tests/unit/vault_unit.h
tests_unit_test_code_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_code_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_code_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_root
TESTS += tests/unit/test_root
tests_unit_test_root_SOURCES = tests/unit/test_root.c \
	tests/unit/vault_unit.h
tests_unit_test_root_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_root_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_root_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_envelope
TESTS += tests/unit/test_envelope
tests_unit_test_envelope_SOURCES = tests/unit/test_envelope.c \
	tests/unit/vault_unit.h
tests_unit_test_envelope_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_envelope_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_envelope_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_payload
TESTS += tests/unit/test_payload
tests_unit_test_payload_SOURCES = tests/unit/test_payload.c \
	tests/unit/vault_unit.h
tests_unit_test_payload_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_payload_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_payload_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_record
TESTS += tests/unit/test_record
tests_unit_test_record_SOURCES = tests/unit/test_record.c \
	tests/unit/vault_unit.h
tests_unit_test_record_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_record_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_record_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_authority
TESTS += tests/unit/test_authority
tests_unit_test_authority_SOURCES = tests/unit/test_authority.c \
	tests/unit/vault_unit.h
tests_unit_test_authority_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_authority_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_authority_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_inner
TESTS += tests/unit/test_inner
tests_unit_test_inner_SOURCES = tests/unit/test_inner.c \
	tests/unit/vault_unit.h
tests_unit_test_inner_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_inner_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_inner_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_mailbox
TESTS += tests/unit/test_mailbox
tests_unit_test_mailbox_SOURCES = tests/unit/test_mailbox.c \
	tests/unit/vault_unit.h
tests_unit_test_mailbox_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_mailbox_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mailbox_LDADD = $(UNIT_VAULT_LIBS)
check_PROGRAMS += tests/unit/test_vault_vectors
TESTS += tests/unit/test_vault_vectors
tests_unit_test_vault_vectors_SOURCES = \
	tests/unit/test_vault_vectors.c tests/unit/vault_unit.h
tests_unit_test_vault_vectors_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_vault_vectors_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_vault_vectors_LDADD = $(UNIT_VAULT_LIBS) \
	$(JANSSON_LIBS)
EXTRA_DIST += tests/vectors/2.18.sceau tests/vectors/2.18.txt \
	tests/vectors/make-salamander.py \
	tests/vectors/vault-identity.txt tests/vectors/vault-inner.txt \
	tests/vectors/vault-kdf.txt tests/vectors/vault-salamander.txt
