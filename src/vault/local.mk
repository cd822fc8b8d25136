noinst_LIBRARIES += src/libvault.a
src_libvault_a_SOURCES = \
	src/vault/authority.c src/vault/authority.h \
	src/vault/chain.c src/vault/chain.h \
	src/vault/code.c src/vault/code.h \
	src/vault/envelope.c src/vault/envelope.h \
	src/vault/gate.c src/vault/gate.h src/vault/gate_priv.h \
	src/vault/gate_apply.c \
	src/vault/gate_bar.c \
	src/vault/gate_check.c \
	src/vault/gate_open.c \
	src/vault/gate_resolve.c \
	src/vault/gate_shown.c \
	src/vault/gate_rows.c \
	src/vault/gate_seal.c \
	src/vault/gate_spool.c \
	src/vault/grow.c src/vault/grow.h \
	src/vault/identity.c src/vault/identity.h \
	src/vault/index.c src/vault/index.h \
	src/vault/inner.c src/vault/inner.h \
	src/vault/kdf.c src/vault/kdf.h \
	src/vault/keyfile.c src/vault/keyfile.h \
	src/vault/keyfile_look.c \
	src/vault/keystore.c src/vault/keystore.h src/vault/keystore_priv.h \
	src/vault/keystore_file.c src/vault/keystore_roll.c \
	src/vault/mailbox.c src/vault/mailbox.h \
	src/vault/payload.c src/vault/payload.h \
	src/vault/record.c src/vault/record.h \
	src/vault/ring.c src/vault/ring.h \
	src/vault/root.c src/vault/root.h \
	src/vault/row.c src/vault/row.h \
	src/vault/sealed.c src/vault/sealed.h
