# The independent reader and writer, its tests and the vectors.
EXTRA_DIST += tests/pysceau/README tests/pysceau/__init__.py \
	tests/pysceau/__main__.py tests/pysceau/argon2.py \
	tests/pysceau/association.py tests/pysceau/code.py \
	tests/pysceau/envelope.py tests/pysceau/errors.py \
	tests/pysceau/gate.py tests/pysceau/identity.py \
	tests/pysceau/inner.py tests/pysceau/kdf.py \
	tests/pysceau/keyfile.py tests/pysceau/mail.py \
	tests/pysceau/records.py tests/pysceau/rules.py \
	tests/py/test_vectors.py tests/py/test_pysceau.py \
	tests/e2e/test_protocol.py \
	tests/vectors/README tests/vectors/make.py \
	tests/vectors/make_rules.py tests/vectors/make_text.py \
	tests/vectors/make_wire.py \
	tests/vectors/authority.json tests/vectors/bulletins.json \
	tests/vectors/code.json tests/vectors/envelope.json \
	tests/vectors/finder.json tests/vectors/from.json \
	tests/vectors/identity.json tests/vectors/inner.json \
	tests/vectors/kat.json tests/vectors/key-choice.json \
	tests/vectors/keyfile.json tests/vectors/minimums.json \
	tests/vectors/padding.json tests/vectors/payload.json \
	tests/vectors/relay.json tests/vectors/seal.json \
	tests/vectors/sending-year.json
